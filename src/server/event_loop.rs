//! Everything a loop can wait for, as one list: sockets, deadlines, letters, and clients whose turn was not over.
//!
//! A socket is registered once, for both directions, and never again: the system reports edges, the clients remember
//! them. While a client is on the ready list the loop looks for news without sleeping.
//!
//! Pattern: Reactor (the demultiplexer).

use std::io;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};

use super::client::Readiness;
use super::timers::Timers;

/// Something that is ready.
#[derive(Debug)]
pub(crate) enum Ready {
    /// Clients can be accepted from this listener.
    Listener(usize),
    /// The socket of the client in this slot has news.
    Client(usize, Readiness),
    /// It was not done with its last turn.
    Again(Again),
    /// The deadline of this slot's client may have passed.
    Deadline(usize),
    /// There are letters.
    Mail,
}

/// Who goes on without an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Listener(usize),
    /// The client in this slot.
    Client(usize),
}

/// What a loop waits on.
pub(crate) struct EventLoop {
    poll: Poll,
    events: Events,
    timers: Timers,
    /// The ready list: who goes on in the next batch.
    again: Vec<Again>,
    /// By slot: whether it is on the ready list, so that it is there once.
    is_listed: Vec<bool>,
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
        let events = Events::with_capacity(EVENTS_PER_WAIT);
        Ok((Self { poll, events, timers: Timers::default(), again: Vec::new(), is_listed: Vec::new() }, waker))
    }

    pub(crate) fn add_listener(&self, index: usize, source: &mut dyn mio::event::Source) -> io::Result<()> {
        source.register(self.poll.registry(), Token(FIRST_LISTENER + index), Interest::READABLE)
    }

    /// Both directions at once; the socket's end ends the registration.
    pub(crate) fn add_client(&self, slot: usize, source: &mut dyn mio::event::Source) -> io::Result<()> {
        source.register(self.poll.registry(), Token(FIRST_CLIENT + slot), Interest::READABLE | Interest::WRITABLE)
    }

    /// Lets it come up as [`Ready::Again`] in the next batch, after all who have news.
    pub(crate) fn again(&mut self, who: Again) {
        if let Again::Client(slot) = who {
            if self.is_listed.len() <= slot {
                self.is_listed.resize(slot + 1, false);
            }
            if std::mem::replace(&mut self.is_listed[slot], true) {
                return;
            }
        }
        self.again.push(who);
    }

    /// Lets `slot` come up as [`Ready::Deadline`] at `deadline` or before.
    pub(crate) fn arm(&mut self, slot: usize, deadline: Instant) {
        self.timers.arm(slot, deadline);
    }

    /// Waits until something is ready, or `until`, and puts all of it into `ready`. Returns the time.
    pub(crate) fn wait(&mut self, until: Option<Instant>, ready: &mut Vec<Ready>) -> io::Result<Instant> {
        let timeout = self.timeout(until);
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            polled => polled?,
        }
        let now = Instant::now();
        ready.extend(self.events.iter().map(name));
        for who in self.again.drain(..) {
            if let Again::Client(slot) = who {
                self.is_listed[slot] = false;
            }
            ready.push(Ready::Again(who));
        }
        while let Some(slot) = self.timers.expire(now) {
            ready.push(Ready::Deadline(slot));
        }
        Ok(now)
    }

    fn timeout(&self, until: Option<Instant>) -> Option<Duration> {
        if !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        let next = [self.timers.next(), until].into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }
}

fn name(event: &mio::event::Event) -> Ready {
    match event.token() {
        MAIL => Ready::Mail,
        Token(token @ ..FIRST_CLIENT) => Ready::Listener(token - FIRST_LISTENER),
        Token(token) => Ready::Client(
            token - FIRST_CLIENT,
            Readiness {
                // An error shows itself to the next read or write.
                readable: event.is_readable() || event.is_read_closed() || event.is_error(),
                writable: event.is_writable() || event.is_write_closed() || event.is_error(),
                read_closed: event.is_read_closed() || event.is_error(),
            },
        ),
    }
}
