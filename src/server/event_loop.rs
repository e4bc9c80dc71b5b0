//! Everything a loop can wait for, as one list: sockets, letters, deadlines, and those whose turn was not over.
//!
//! A socket is registered once, for both directions, and never again: the system reports edges, the clients remember
//! them. While somebody is on the ready list the loop looks for news without sleeping.
//!
//! Pattern: Reactor (the demultiplexer).

use std::io;
use std::time::Instant;

use mio::{Events, Interest, Poll, Token, Waker};

use super::agenda::{Again, Agenda};
use super::readiness::Readiness;

/// Something that is ready.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ready {
    /// Clients can be accepted from this listener.
    Listener(usize),
    /// The socket of the client in this slot has news.
    Client(usize, Readiness),
    /// The same, but the client is on the ready list and has its turn anyway.
    News(usize, Readiness),
    /// It was not done with its last turn.
    Again(Again),
    /// The deadline of this slot's client may have passed.
    Deadline(usize),
    /// There are letters.
    Mail,
}

/// What a loop waits on.
pub(crate) struct EventLoop {
    poll: Poll,
    events: Events,
    /// When the last batch began.
    now: Instant,
}

/// How many events are fetched with one system call.
const EVENTS_PER_WAIT: usize = 256;

const MAIL: Token = Token(0);
const FIRST_LISTENER: usize = 1;
const FIRST_CLIENT: usize = 1024;

/// How many addresses one server can listen on.
pub(crate) const MOST_LISTENERS: usize = FIRST_CLIENT - FIRST_LISTENER;

impl EventLoop {
    pub(crate) fn new() -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), MAIL)?;
        Ok((Self { poll, events: Events::with_capacity(EVENTS_PER_WAIT), now: Instant::now() }, waker))
    }

    pub(crate) fn add_listener(&self, index: usize, source: &mut dyn mio::event::Source) -> io::Result<()> {
        source.register(self.poll.registry(), Token(FIRST_LISTENER + index), Interest::READABLE)
    }

    /// Both directions at once; the socket's end ends the registration.
    pub(crate) fn add_client(&self, slot: usize, source: &mut dyn mio::event::Source) -> io::Result<()> {
        source.register(self.poll.registry(), Token(FIRST_CLIENT + slot), Interest::READABLE | Interest::WRITABLE)
    }

    /// Waits until something is ready, or `until`, and lets `ready` be all of it. Returns the time.
    pub(crate) fn wait(
        &mut self,
        agenda: &mut Agenda,
        until: Option<Instant>,
        ready: &mut Vec<Ready>,
    ) -> io::Result<Instant> {
        let timeout = agenda.patience(until, self.now);
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            polled => polled?,
        }
        self.now = Instant::now();
        ready.clear();
        // One turn in a batch is enough for anyone.
        ready.extend(self.events.iter().map(name).map(|what| match what {
            Ready::Client(slot, readiness) if agenda.is_listed(slot) => Ready::News(slot, readiness),
            _ => what,
        }));
        if agenda.has_again() {
            ready.extend(agenda.take_again().map(Ready::Again));
        }
        while let Some(slot) = agenda.expire(self.now) {
            ready.push(Ready::Deadline(slot));
        }
        Ok(self.now)
    }
}

fn name(event: &mio::event::Event) -> Ready {
    match event.token() {
        MAIL => Ready::Mail,
        Token(token @ ..FIRST_CLIENT) => Ready::Listener(token - FIRST_LISTENER),
        Token(token) => Ready::Client(
            token - FIRST_CLIENT,
            Readiness {
                readable: event.is_readable() || event.is_read_closed(),
                writable: event.is_writable() || event.is_write_closed(),
                read_closed: event.is_read_closed(),
                failed: event.is_error(),
            },
        ),
    }
}
