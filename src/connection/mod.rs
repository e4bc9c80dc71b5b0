//! The client as a session sees it: `recv`, `send`, `close`, over memory.
//!
//! ```text
//!            pull                    recv / input+consume
//!  Transport ────► Input ────────────────────────────────► Session
//!     ▲                                                       │
//!     └─────────── Output ◄───────────────────────────────────┘
//!            push            send / send_bytes / send_file
//! ```
//!
//! There is no socket in a [`Connection`]: the transport fills its input before the session is called and empties its
//! output afterwards. So a session cannot block, its sends are never short, and tests and fuzzers need no network.
//!
//! Pattern: Mediator (between transport and session).

mod context;
mod input;
mod output;
mod queue;
mod receipts;
mod sent_lately;
pub(crate) mod transport;

use std::cell::Cell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;

pub(crate) use context::{Clock, Context, Counters, Job, Waits, Workers};
pub use context::{DATE_BYTES, Stats};
pub(crate) use input::Input;
pub(crate) use output::{Output, Spare};

use crate::disk;
use crate::message::{Address, Arrival, Arrivals, ClientKey, FileSlice, Note, Part, Request};

/// One client's connection, with the verbs of the tutorial: [`recv`](Self::recv), [`send`](Self::send),
/// [`close`](Self::close).
///
/// `recv` and `send` copy, which is right for learning and for most servers. Who counts copies takes
/// [`input`](Self::input) with [`consume`](Self::consume), and [`send_bytes`](Self::send_bytes).
pub struct Connection {
    pub(crate) input: Input,
    pub(crate) output: Output,
    peer: SocketAddr,
    key: ClientKey,
    context: Rc<Context>,
    ending: Ending,
    /// How many of the addresses that were given away may still be in use.
    addresses: Cell<u32>,
}

/// Whether the session has asked for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    NotAsked,
    WhenSent,
}

impl Connection {
    pub(crate) fn new(peer: SocketAddr, key: ClientKey, context: Rc<Context>) -> Self {
        let (input, output) = (Input::default(), Output::default());
        Self { input, output, peer, key, context, ending: Ending::NotAsked, addresses: Cell::new(0) }
    }

    /// Step 5: takes all bytes that have arrived. Empty when none have; see [`Self::is_eof`] for the end.
    pub fn recv(&mut self) -> Vec<u8> {
        let received = self.input.bytes().to_vec();
        self.consume(received.len());
        received
    }

    /// Step 6: queues bytes to be sent, in order. Never short, never waits; what the client is slow to take waits in
    /// memory, so a session that sends without being asked looks at [`Self::is_full`].
    pub fn send(&mut self, bytes: &[u8]) {
        self.output.put(bytes);
    }

    /// Step 7: ends the connection once everything queued has been sent. The same as returning
    /// [`Next::Close`](crate::Next::Close).
    pub fn close(&mut self) {
        self.ending = Ending::WhenSent;
    }

    /// The bytes that have arrived and were not consumed; they stay until then.
    pub fn input(&self) -> &[u8] {
        self.input.bytes()
    }

    /// Takes the first `count` bytes of [`Self::input`] away (all of them, if there are fewer).
    pub fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.context.arrivals.consume();
    }

    /// Whether the peer has finished sending: what is in [`Self::input`] is the last.
    pub fn is_eof(&self) -> bool {
        self.input.has_ended()
    }

    /// Queues bytes without copying them, unless they are few.
    pub fn send_bytes(&mut self, bytes: Bytes) {
        self.output.put_bytes(bytes);
    }

    /// The same for bytes that nobody else has.
    pub(crate) fn send_vec(&mut self, bytes: Vec<u8>) {
        self.output.put_vec(bytes);
    }

    /// Queues a stretch of a file; the transport sends it with `sendfile` where it can.
    pub fn send_file(&mut self, slice: FileSlice) {
        let warm = self.context.sent_lately.note(&slice, self.now());
        self.output.put_file(slice, warm);
    }

    /// The peer has said that it sends no more, so the end need not wait for its own.
    pub(crate) fn expect_no_more(&mut self) {
        self.input.complete();
    }

    /// Queues one piece of a body.
    pub(crate) fn send_part(&mut self, part: Part) {
        match part {
            Part::Bytes(bytes) => self.send_bytes(bytes),
            Part::File(slice) => self.send_file(slice),
        }
    }

    /// Whether enough is queued for now: produce more when `on_drained` is called.
    pub fn is_full(&self) -> bool {
        self.output.is_full()
    }

    /// The address of the client. Clients of a unix socket have `0.0.0.0:0`.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    pub(crate) fn key(&self) -> ClientKey {
        self.key
    }

    /// Where other threads can reach this client's session. As long as somebody has it, the session may hear something and is
    /// kept, even if its peer has finished; see [`Next::Wait`](crate::Next::Wait).
    pub fn address(&self) -> Address {
        self.addresses.set(self.addresses.get() + 1);
        self.own_address().with_lifeline()
    }

    /// The same for ourselves: it keeps nobody.
    pub(crate) fn own_address(&self) -> Address {
        Address::new(self.context.mailbox.clone(), self.key)
    }

    /// One that was given away is gone, and all that was sent with it has come.
    pub(crate) fn forget_address(&self) {
        self.addresses.set(self.addresses.get() - 1);
    }

    /// Whether an application may still send to this client's session.
    pub(crate) fn is_reachable(&self) -> bool {
        self.addresses.get() > 0
    }

    /// The time of this turn; the loop reads the clock once for many clients.
    pub fn now(&self) -> Instant {
        self.context.clock.now()
    }

    /// The `Date` of this second (RFC 9110 section 6.6.1).
    pub fn date(&self) -> [u8; DATE_BYTES] {
        self.context.clock.date()
    }

    /// With what the first of the [`input`](Self::input) came: to be asked before that is consumed.
    pub(crate) fn arrival(&self) -> Arrival {
        self.context.arrivals.current()
    }

    /// Counts what comes, for [`arrival`](Self::arrival).
    pub(crate) fn arrivals(&self) -> &Arrivals {
        &self.context.arrivals
    }

    /// A blank request with room, as a rule: the next one needs no allocation.
    pub(crate) fn take_spare_request(&self) -> Box<Request> {
        let make = || Box::new(Request::blank(self.peer, self.own_address(), self.arrival()));
        self.context.spare_request.take().unwrap_or_else(make)
    }

    /// A request is over; its memory is for another.
    pub(crate) fn keep_spare_request(&self, mut request: Box<Request>) {
        request.clear();
        self.context.spare_request.set(Some(request));
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.context.counters
    }

    /// Gives a job to the worker pool; `Err` if its queue is full.
    pub(crate) fn submit(&self, job: Job, waits: Waits) -> Result<(), Job> {
        self.context.workers.submit(job, waits)
    }

    pub(crate) fn ending(&self) -> Ending {
        self.ending
    }

    /// Lets a worker read what comes next of a file; a [`Note::Warm`] says when it has. `Err` if its queue is full.
    pub(crate) fn read_ahead(&self) -> Result<(), Job> {
        let Some(slice) = self.output.file().cloned() else { return Ok(()) };
        self.context.sent_lately.forget(&slice);
        let (address, bytes) = (self.own_address(), slice.length.min(READ_AHEAD_BYTES));
        let job = move || {
            disk::warm(&slice.file, slice.offset..slice.offset + bytes);
            address.post(Note::Warm { bytes });
        };
        self.submit(Box::new(job), Waits::ForNobody)
    }

    /// Moves what is queued into `transport`'s socket.
    pub(crate) fn push(&mut self, transport: &mut dyn transport::Transport) -> io::Result<transport::Push> {
        transport.push(&mut self.output)
    }
}

/// The most input that a session can leave unread, in bytes.
pub(crate) const MOST_UNREAD_BYTES: usize = 64 * 1024;

/// So much of a file a worker reads before the client gets the first of it.
const READ_AHEAD_BYTES: u64 = 1024 * 1024;

/// How long a transfer may be slow before its average counts.
const SLOW_START: Duration = Duration::from_secs(5);

/// A century. What may take longer may take for ever; no [`Instant`] can be moved by any [`Duration`].
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// When something is due that began at `since` and may take so long. Whatever comes out of a setting is added to an instant
/// here: [`Duration::MAX`] is never.
pub(crate) fn due(since: Instant, limit: Duration) -> Instant {
    since + limit.min(LONGEST)
}

/// When a transfer that `began` then, and has moved so many bytes, will have been too slow on average, if nothing more
/// moves; `None` where it may be as slow as it likes.
pub(crate) fn too_slow_at(began: Instant, bytes: u64, bytes_per_second: u32) -> Option<Instant> {
    began.checked_add(SLOW_START)?.checked_add(time_for(bytes, bytes_per_second)?)
}

/// How long so many bytes may take; `None` where they may take for ever.
pub(crate) fn time_for(bytes: u64, bytes_per_second: u32) -> Option<Duration> {
    bytes.saturating_mul(1_000_000).checked_div(bytes_per_second.into()).map(Duration::from_micros)
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.peer)
            .field("unread_bytes", &self.input().len())
            .field("unsent_bytes", &self.output.memory())
            .finish_non_exhaustive()
    }
}
