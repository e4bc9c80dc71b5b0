//! One accepted client: its transport, its connection, its session, and what can be done for it in one turn.
//!
//! ```text
//!           session says Close          output is out              peer has finished,
//!   Open ────────────────────► Closing ───────────────► Lingering ─────────────────────► Closed
//!     │                           └ the same, and nothing more can come ────────────────────┤
//!     └──────────────────── an error on the way ── the moment is over ──────────────────────┘
//! ```
//!
//! Nothing here names a socket or reads a clock, so the very same turns run in tests and simulations over memory. The
//! order of the steps is [`WebServer::handle_client_request`](crate::WebServer)'s; here is what each of them does.
//!
//! Pattern: State ([`Phase`]).

use std::io;
use std::time::{Duration, Instant};

use super::clients::contain;
use super::delivery::Delivery;
use super::pace::Pace;
use super::readiness::Readiness;
use super::supply::Supply;
pub(crate) use super::turn::{Cause, Turn};
use crate::connection::transport::{Pull, Push, SEND_PER_TURN_BYTES, Transport};
use crate::connection::{Connection, Ending, MOST_UNREAD_BYTES, Spare};
use crate::message::Note;
use crate::protocol::{Next, Protocol, Session};

/// A client on its loop.
pub(crate) struct Client {
    transport: Box<dyn Transport>,
    pub(crate) connection: Connection,
    session: Box<dyn Session>,
    readiness: Readiness,
    phase: Phase,
    delivery: Delivery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Nothing more is read; what is queued is still sent.
    Closing,
    /// We have finished; what the peer still sends is thrown away until it has, too (RFC 9112 §9.6). Without this
    /// moment, the system would answer its bytes with a reset, which can destroy our answer on its way.
    Lingering {
        until: Instant,
    },
    Closed,
}

/// The loop's buffers, lent to the client whose turn it is.
pub(crate) struct Buffers {
    input: Vec<u8>,
    output: Spare,
    /// How many bytes the client had been sent when its turn began.
    sent_before: u64,
    /// How many bytes have come from it in this turn.
    received: usize,
}

/// How much is read at once where all of it will be taken, in bytes: half as many system calls for a large body.
const MOST_READ_BYTES: usize = 2 * MOST_UNREAD_BYTES;

/// After so many bytes in one turn, the other clients go first: a client can send as fast as we read.
pub(super) const RECEIVE_PER_TURN_BYTES: usize = 1024 * 1024;

/// How long a client may go on sending after our last answer.
const LINGER: Duration = Duration::from_secs(2);

/// A session that becomes another, which becomes another …, is stopped here.
const MOST_BECOMINGS: usize = 8;

impl Buffers {
    pub(crate) fn new() -> Self {
        Self { input: vec![0; MOST_READ_BYTES], output: None, sent_before: 0, received: 0 }
    }
}

impl Client {
    pub(crate) fn open(
        transport: Box<dyn Transport>,
        mut connection: Connection,
        protocol: &dyn Protocol,
        pace: Pace,
    ) -> io::Result<Box<Self>> {
        let opened = contain("a protocol", || protocol.open(&mut connection));
        let session = opened.unwrap_or_else(|| Err(io::Error::other("the protocol panicked")))?;
        // As a rule its first request has come with it, or is on its way.
        let readiness = Readiness { readable: true, writable: true, ..Readiness::default() };
        let (phase, delivery) = (Phase::Open, Delivery::new(connection.now(), pace));
        Ok(Box::new(Self { transport, connection, session, readiness, phase, delivery }))
    }

    /// Its way to the network, to be registered.
    pub(crate) fn transport(&mut self) -> &mut dyn Transport {
        &mut *self.transport
    }

    /// Takes note of why it has its turn.
    pub(crate) fn hear(&mut self, cause: Cause, buffers: &mut Buffers) {
        self.connection.output.borrow(&mut buffers.output);
        (buffers.sent_before, buffers.received) = (self.connection.output.sent(), 0);
        self.connection.arrivals().begin();
        match cause {
            // Its protocol may have closed it when it was opened.
            Cause::Accepted => self.ask(|_, _| Ok(Next::Wait)),
            Cause::Again => {}
            Cause::Ready(now) => {
                if now.readable {
                    self.connection.arrivals().join_batch();
                }
                self.note(now);
            }
            Cause::Note(note) => match *note {
                Note::Warm { bytes } => {
                    self.connection.output.warm(bytes);
                    self.delivery.resume(self.connection.now());
                }
                Note::Dropped => self.connection.forget_address(),
                note => self.ask(|session, connection| session.on_note(connection, note)),
            },
            Cause::Deadline => self.hear_deadline(buffers),
            Cause::Shutdown => {
                // What is on its way to us was sent to a server that was still there: look once more.
                self.readiness.readable = true;
                self.recv(buffers);
                self.ask(|session, connection| session.on_shutdown(connection));
            }
        }
    }

    /// The system says that a socket is writable when a third of its buffer is free, and that may be a megabyte that a slow
    /// client has not read yet. A write succeeds before that: if one does, the client has read something.
    fn hear_sending_deadline(&mut self) {
        self.readiness.writable = true;
        self.send();
        if self.is_due() {
            self.delivery.complain(self.connection.peer_addr(), self.connection.now());
            self.transport.abort(); // it must not take what it has for all
            self.phase = Phase::Closed;
        }
    }

    /// Remembers what the system says of the socket.
    #[inline]
    pub(crate) fn note(&mut self, now: Readiness) {
        self.readiness.add(now);
        if now.failed {
            self.fail(&io::ErrorKind::ConnectionReset.into());
        }
    }

    fn hear_deadline(&mut self, buffers: &mut Buffers) {
        self.delivery.wait_until(self.connection.now());
        if !self.is_due() {
            return; // it was moved while the entry waited
        }
        match self.phase {
            Phase::Open if self.connection.output.is_empty() => {
                // A loop that is behind hears of some sockets later than of the clock: what has come in time is not late for that.
                self.readiness.readable = true;
                self.recv(buffers);
                if self.phase == Phase::Open && self.connection.output.is_empty() && self.is_due() {
                    self.ask(|session, connection| session.on_deadline(connection));
                    self.end_missed_deadline();
                }
            }
            Phase::Open | Phase::Closing => self.hear_sending_deadline(),
            Phase::Lingering { .. } | Phase::Closed => self.phase = Phase::Closed,
        }
    }

    fn is_due(&self) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= self.connection.now())
    }

    /// A session that is told of its deadline must set another, or it would be told again at once, without end.
    fn end_missed_deadline(&mut self) {
        if self.phase == Phase::Open && self.session.deadline().is_some_and(|next| next <= self.connection.now()) {
            self.fail_session(&io::Error::other("it let its deadline pass and set no new one"));
        }
    }

    /// Step 5: one read, if the session wants one and the system may have something; the session takes what came.
    pub(crate) fn recv(&mut self, buffers: &mut Buffers) {
        if !self.can_read() {
            return;
        }
        let most = self.most_input();
        self.connection.input.borrow(&mut buffers.input);
        match self.transport.pull(&mut self.connection.input, most) {
            Ok(pulled) => self.take(pulled, buffers),
            Err(error) => self.fail(&error),
        }
        self.connection.input.give_back(&mut buffers.input);
    }

    /// What is taken for sure can be read on top of what may be left unread.
    fn most_input(&self) -> usize {
        let expected = usize::try_from(self.session.expected_bytes()).unwrap_or(usize::MAX);
        MOST_UNREAD_BYTES.saturating_add(expected).min(MOST_READ_BYTES)
    }

    fn take(&mut self, pulled: Pull, buffers: &mut Buffers) {
        self.connection.arrivals().read();
        buffers.received += pulled.bytes();
        self.connection.counters().count_received(pulled.bytes() as u64);
        match pulled {
            Pull::Bytes(_) => {}
            Pull::Drained(_) => self.readiness.readable = self.readiness.read_closed,
            Pull::Blocked => {
                self.readiness.readable = false;
                self.connection.arrivals().begin();
            }
            Pull::End => {
                self.readiness.readable = false;
                self.connection.input.finish();
            }
        }
        match self.phase {
            Phase::Lingering { .. } if pulled == Pull::End => self.phase = Phase::Closed,
            Phase::Lingering { .. } => self.connection.input.consume(usize::MAX),
            _ if pulled == Pull::Blocked => {}
            _ => self.serve(),
        }
    }

    /// Lets the session look at what has arrived.
    fn serve(&mut self) {
        let peer = self.connection.peer_addr();
        self.ask(|session, connection| session.handle_client_request(connection, peer));
    }

    /// Ends a conversation in which nothing can happen any more: the session wants what cannot come. Behind the end of the
    /// peer, a note or a deadline may still wake it.
    fn end_deadlock(&mut self) {
        let can_come = !self.connection.is_eof() && self.has_room();
        if can_come || self.phase != Phase::Open || !self.connection.output.is_empty() || !self.session.wants_input() {
            return;
        }
        if self.connection.is_eof() {
            if self.connection.is_reachable() || self.session.deadline().is_some() {
                return;
            }
            let peer = self.connection.peer_addr();
            log::debug!("{peer} has finished, and nothing else can wake its session, which waits; it is closed");
            self.phase = Phase::Closing;
        } else {
            log::error!("a session left {MOST_UNREAD_BYTES} bytes unread and wants more; the connection is closed");
            self.phase = Phase::Closed;
        }
    }

    /// Step 6: sends what is queued, and asks for more each time all of it is out. An empty output is no reason to stop:
    /// the socket stays writable without saying so again, and a large body would hang.
    pub(crate) fn send(&mut self) {
        let before = self.connection.output.sent();
        if !self.can_write() {
            return;
        }
        match self.connection.push(&mut *self.transport) {
            Ok(Push::Drained) if self.phase == Phase::Open => {
                self.ask(|session, connection| session.on_drained(connection))
            }
            Ok(Push::Blocked) => self.readiness.writable = false,
            Ok(Push::Cold) => self.order_supply(),
            Ok(Push::Drained | Push::Unfinished) => {}
            Err(error) => {
                if error.kind() == io::ErrorKind::UnexpectedEof {
                    let peer = self.connection.peer_addr();
                    log::warn!("an answer for {peer} is broken off: {error}"); // the peer has no part in it
                }
                self.fail(&error);
            }
        }
        let sent = self.connection.output.sent() - before;
        if sent > 0 {
            self.delivery.moves(self.connection.now());
            self.connection.counters().count_sent(sent);
        }
    }

    /// What comes next lies on a disk, and the others shall not wait for it.
    fn order_supply(&mut self) {
        let now = self.connection.now();
        self.delivery.wait(match self.connection.read_ahead() {
            Ok(()) => Supply::Ordered { since: now },
            Err(_job) => Supply::refused(now),
        });
    }

    /// Step 7: closes when all is said; else tells whether there is more to do at once.
    pub(crate) fn close(&mut self, buffers: &mut Buffers) -> Turn {
        self.end_deadlock();
        if self.phase == Phase::Closing && self.connection.output.is_empty() {
            self.phase = self.part();
        }
        self.connection.output.give_back(&mut buffers.output);
        if self.phase == Phase::Closed {
            return Turn::Finished;
        }
        self.connection.input.release();
        let sent = self.connection.output.sent() - buffers.sent_before;
        let has_had_its_share = sent >= SEND_PER_TURN_BYTES || buffers.received >= RECEIVE_PER_TURN_BYTES;
        match self.can_read() || self.can_write() {
            true if has_had_its_share => Turn::OthersFirst,
            true => Turn::Unfinished,
            false => Turn::Waiting,
        }
    }

    /// All has been sent. RFC 9112 §9.6: closing at once would be answered with a reset by the system, were there bytes
    /// that we have not read or that come later; where there can be none (the peer has finished, or has said that it sends
    /// no more, and the system has no more for us) it is safe, and saves the half-close and the wait.
    fn part(&mut self) -> Phase {
        if self.connection.input.is_done() && !self.readiness.readable {
            return Phase::Closed;
        }
        self.connection.input.consume(usize::MAX); // nobody wants it, and lingering needs the room
        match self.transport.finish() {
            Ok(_) if !self.connection.is_eof() => Phase::Lingering { until: self.connection.now() + LINGER },
            Ok(_) | Err(_) => Phase::Closed,
        }
    }

    /// Until when something must happen. While something waits to be sent, that is the peer's next read.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Open if self.connection.output.is_empty() => self.session.deadline(),
            Phase::Open | Phase::Closing => Some(self.delivery.deadline(self.connection.output.sent())),
            Phase::Lingering { until } => Some(until),
            Phase::Closed => None,
        }
    }

    /// How many bytes it holds for what it reads and what it sends.
    pub(crate) fn memory(&self) -> usize {
        self.connection.input.capacity() + self.connection.output.capacity()
    }

    #[inline]
    fn can_read(&self) -> bool {
        if !self.readiness.readable {
            return false;
        }
        match self.phase {
            Phase::Open => {
                let is_possible = !self.connection.is_full() && !self.connection.is_eof() && self.has_room();
                is_possible && self.session.wants_input()
            }
            Phase::Lingering { .. } => true,
            Phase::Closing | Phase::Closed => false,
        }
    }

    /// Whether more may be read behind what was left unread.
    fn has_room(&self) -> bool {
        self.connection.input().len() < MOST_UNREAD_BYTES
    }

    fn can_write(&self) -> bool {
        let is_possible = self.readiness.writable && self.delivery.is_possible();
        is_possible && self.phase != Phase::Closed && !self.connection.output.is_empty()
    }

    /// Calls the session, and does what it says.
    fn ask(&mut self, call: impl FnOnce(&mut (dyn Session + 'static), &mut Connection) -> io::Result<Next>) {
        if self.phase != Phase::Open {
            return;
        }
        let was_empty = self.connection.output.is_empty();
        let mut next = call(&mut *self.session, &mut self.connection);
        for _ in 0..MOST_BECOMINGS {
            let Ok(Next::Become(session)) = next else { break };
            self.session = session;
            let peer = self.connection.peer_addr();
            next = self.session.handle_client_request(&mut self.connection, peer);
        }
        match next {
            Ok(Next::Wait) if self.connection.ending() == Ending::NotAsked => {}
            Ok(Next::Wait | Next::Close) => self.phase = Phase::Closing,
            Ok(Next::Become(_)) => self.fail_session(&io::Error::other("it became another without end")),
            Err(error) => self.fail_session(&error),
        }
        if was_empty && !self.connection.output.is_empty() {
            self.delivery.begin(self.connection.now(), self.connection.output.sent());
        }
    }

    /// Nothing more can be said to this client.
    #[cold]
    pub(crate) fn fail(&mut self, error: &io::Error) {
        log::debug!("{}: {error}", self.connection.peer_addr());
        self.transport.abort();
        self.phase = Phase::Closed;
    }

    /// The same, by what its session did.
    #[cold]
    fn fail_session(&mut self, error: &io::Error) {
        if !may_be_the_peers(error.kind()) {
            log::warn!("the session of {} failed: {error}", self.connection.peer_addr());
        }
        self.fail(error);
    }
}

/// Whether an error that a session ends with may be of the peer's making, who must not be able to fill a log.
fn may_be_the_peers(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, InvalidData, TimedOut, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | InvalidData | TimedOut | UnexpectedEof)
}
