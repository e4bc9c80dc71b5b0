//! A bounded stream of bytes from any thread to the session that sends them on.
//!
//! The producer holds [`BodySender`]s, the session the [`BodyReceiver`]. What waits between them is bounded in bytes:
//! when a client reads slowly, [`BodySender::send`] waits too, which is back-pressure all the way to the producer.
//! The session is told by a note, and only when it said that it waits: a thousand small sends wake the loop once.
//!
//! Pattern: Producer-Consumer (over a bounded buffer).

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use super::{Address, ExchangeId, Note};

/// The client has gone, or the body was ended: nothing can be sent any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client has gone")
    }
}

impl std::error::Error for Closed {}

/// Why [`BodySender::try_send`] did not take the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrySendError {
    /// The client reads more slowly than you write; here are the bytes again.
    Full(Bytes),
    /// The client has gone.
    Closed,
}

impl fmt::Display for TrySendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("the client is slower than its body"),
            Self::Closed => Closed.fmt(f),
        }
    }
}

impl std::error::Error for TrySendError {}

/// The end of a body into which a producer writes. Clones write into the same body; when the last one is dropped, the
/// body ends. One that is dropped by a panic breaks the body off, as [`abort`](Self::abort) does, so that half a body does not
/// look like all of it (unless the body is [`endless`](super::Body::endless): that one just ends).
///
/// ```
/// use qibu::{Body, Request, Response};
///
/// fn count(_: &mut Request) -> Response {
///     let (sender, body) = Body::channel(16 * 1024);
///     std::thread::spawn(move || {
///         for number in 1..=3 {
///             if sender.send(format!("{number}\n")).is_err() {
///                 return; // the client has gone
///             }
///         }
///     });
///     Response::text(body)
/// }
/// # let answer = qibu::testing::TestClient::new(count).get("/").send();
/// # assert_eq!(answer.text(), "1\n2\n3\n");
/// ```
pub struct BodySender {
    shared: Arc<Shared>,
}

/// The end of a body from which a session reads.
pub(crate) struct BodyReceiver {
    shared: Arc<Shared>,
    /// For a body that has no end by nature.
    pub(crate) keep_alive: Option<Box<KeepAlive>>,
    /// For a body that is sent in another form than it was given.
    pub(crate) coder: Option<Box<dyn Coder>>,
}

/// Gives a stream another form on its way to the client: a content coding.
pub(crate) trait Coder: Send {
    /// What shall be sent for this piece, all of it now; perhaps nothing.
    fn piece(&mut self, piece: &[u8]) -> io::Result<Vec<u8>>;

    /// What shall be sent at the end.
    fn end(self: Box<Self>) -> io::Result<Vec<u8>>;
}

/// What is sent when a body that has no end is quiet.
pub(crate) struct KeepAlive {
    pub(crate) heartbeat: Bytes,
    /// How long it may be quiet.
    pub(crate) interval: Duration,
}

/// What [`BodyReceiver::receive`] found.
pub(crate) enum Received {
    Bytes(Bytes),
    /// Nothing yet; a note will come.
    Nothing,
    /// The body is complete.
    End(HeaderMap),
    /// The producer gave up: the body must not look complete.
    Aborted,
}

struct Shared {
    state: Mutex<State>,
    /// Signalled when room was made, or none ever will be: each way out of [`Stage::Open`] must wake who waits for it.
    room: Condvar,
    /// How many bytes may wait.
    capacity: usize,
}

struct State {
    queue: VecDeque<Bytes>,
    queued_bytes: usize,
    senders: usize,
    /// What follows when all senders are done.
    tail: Bytes,
    trailers: HeaderMap,
    stage: Stage,
    on_panic: OnPanic,
    /// Whom to tell when something comes; `None` while the receiver knows that it has work.
    waiting: Option<(Address, ExchangeId)>,
}

/// What a panic of a producer means for the body.
#[derive(PartialEq)]
enum OnPanic {
    /// It is not complete, and must not look so.
    BreakOff,
    /// Nothing: it has no end by nature.
    Nothing,
}

#[derive(PartialEq)]
enum Stage {
    Open,
    /// Nothing more is taken; what is queued is still received.
    Ending,
    Aborted,
    ReceiverGone,
}

impl BodySender {
    /// Sends bytes, waiting while the client is behind. Do not call it on an event loop (in an inline handler): there
    /// it could wait for itself. Fails when the client has gone.
    pub fn send(&self, bytes: impl Into<Bytes>) -> Result<(), Closed> {
        let bytes = bytes.into();
        let mut state = self.shared.lock();
        while state.stage == Stage::Open && state.is_full(self.shared.capacity) {
            state = self.shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.put(bytes)
    }

    /// Sends bytes if there is room, at once in any case: for event loops and broadcasts.
    pub fn try_send(&self, bytes: impl Into<Bytes>) -> Result<(), TrySendError> {
        let bytes = bytes.into();
        let mut state = self.shared.lock();
        if state.stage == Stage::Open && state.is_full(self.shared.capacity) {
            return Err(TrySendError::Full(bytes));
        }
        state.put(bytes).map_err(|Closed| TrySendError::Closed)
    }

    /// Adds a trailer field, sent after the body where the protocol can (HTTP/1.1 chunked, RFC 9112 section 7.1.2).
    pub fn add_trailer(&self, name: http::HeaderName, value: http::HeaderValue) {
        self.shared.lock().trailers.append(name, value);
    }

    /// Whether both write into the same body.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Whether the client is known to have gone, or the body has been ended, so that a producer can stop its work.
    ///
    /// A client that has only finished sending is there: it may still read. A browser's tab that is closed, or a curl that is
    /// interrupted, looks just so until something is sent to it, and then answers with a reset. So that a client has gone is
    /// known when it resets the connection, which may be by what is sent to it, or has read nothing for `write_timeout`.
    pub fn is_closed(&self) -> bool {
        self.shared.lock().stage != Stage::Open
    }

    /// Says that the body cannot be completed: the connection is closed before the end, so that the client can tell. Other
    /// senders of the same body get [`Closed`], those that wait for room at once.
    pub fn abort(self) {
        self.stop(Stage::Aborted);
    }

    /// Ends the body behind what is queued, whoever else has a sender: they get [`Closed`].
    pub(crate) fn end(&self) {
        self.stop(Stage::Ending);
    }

    fn stop(&self, stage: Stage) {
        let mut state = self.shared.lock();
        if state.stage == Stage::Open {
            state.stage = stage;
            self.shared.room.notify_all();
        }
        state.tell();
    }
}

impl Clone for BodySender {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Self { shared: self.shared.clone() }
    }
}

impl Drop for BodySender {
    fn drop(&mut self) {
        if thread::panicking() {
            self.shared.break_off();
        }
        let mut state = self.shared.lock();
        state.senders -= 1;
        if state.senders == 0 {
            state.tell();
        }
    }
}

impl fmt::Debug for BodySender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodySender").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

impl BodyReceiver {
    /// Both ends of a new channel, in which at most `capacity` bytes wait.
    pub(crate) fn channel(capacity: usize) -> (BodySender, Self) {
        let state = State {
            queue: VecDeque::new(),
            queued_bytes: 0,
            senders: 1,
            tail: Bytes::new(),
            trailers: HeaderMap::new(),
            stage: Stage::Open,
            on_panic: OnPanic::BreakOff,
            waiting: None,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), room: Condvar::new(), capacity: capacity.max(1) });
        (BodySender { shared: shared.clone() }, Self { shared, keep_alive: None, coder: None })
    }

    /// The next bytes. On [`Received::Nothing`] a [`Note::Body`] is posted to `address` when there is more to know.
    pub(crate) fn receive(&mut self, address: &Address, exchange: ExchangeId) -> Received {
        loop {
            let coded = match (self.look_for(address, exchange), self.coder.take()) {
                (Received::Bytes(piece), Some(mut coder)) => {
                    let coded = coder.piece(&piece);
                    self.coder = Some(coder);
                    coded
                }
                (Received::End(trailers), Some(coder)) => {
                    self.shared.lock().trailers = trailers; // for the next time
                    coder.end()
                }
                (received, coder) => {
                    self.coder = coder;
                    return received;
                }
            };
            match coded {
                Ok(bytes) if bytes.is_empty() => {} // no piece is empty: in HTTP/1.1 it would look like the end
                Ok(bytes) => return Received::Bytes(bytes.into()),
                Err(error) => {
                    log::error!("a body could not be coded: {error}");
                    return Received::Aborted;
                }
            }
        }
    }

    fn look_for(&self, address: &Address, exchange: ExchangeId) -> Received {
        let mut state = self.shared.lock();
        if state.stage == Stage::Aborted {
            return Received::Aborted;
        }
        if let Some(bytes) = state.queue.pop_front() {
            state.queued_bytes -= bytes.len();
            self.shared.room.notify_all();
            return Received::Bytes(bytes);
        }
        if state.senders == 0 || state.stage == Stage::Ending {
            if !state.tail.is_empty() {
                return Received::Bytes(mem::take(&mut state.tail));
            }
            return Received::End(mem::take(&mut state.trailers));
        }
        state.waiting = Some((address.clone(), exchange));
        Received::Nothing
    }

    /// It ends by nature at any time: that its producer panics makes no difference to what it was.
    pub(crate) fn has_no_end(&self) {
        self.shared.lock().on_panic = OnPanic::Nothing;
    }

    /// Puts bytes behind all that the senders send.
    pub(crate) fn append(&self, tail: &[u8]) {
        let mut state = self.shared.lock();
        state.tail = [&state.tail, tail].concat().into();
    }

    /// From now on, until [`Received::Nothing`], the receiver looks by itself and need not be told.
    #[allow(dead_code, reason = "the feature `websocket` needs it")]
    pub(crate) fn look(&self) {
        self.shared.lock().waiting = None;
    }

    /// Takes nothing more: the senders get [`Closed`], and what they had sent is the whole body.
    pub(crate) fn end(&self) {
        let mut state = self.shared.lock();
        if state.stage == Stage::Open {
            state.stage = Stage::Ending;
            self.shared.room.notify_all();
        }
    }
}

impl Drop for BodyReceiver {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stage = Stage::ReceiverGone;
        state.queue = VecDeque::new();
        state.queued_bytes = 0;
        self.shared.room.notify_all();
    }
}

impl Shared {
    /// A panic elsewhere leaves the queue whole, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A producer has panicked.
    #[cold]
    fn break_off(&self) {
        let mut state = self.lock();
        if state.stage != Stage::Open || state.on_panic == OnPanic::Nothing {
            return;
        }
        state.stage = Stage::Aborted;
        self.room.notify_all();
        state.tell();
        drop(state); // nobody shall wait for the log
        let thread = thread::current();
        let name = thread.name().unwrap_or("(no name)");
        log::error!("a body is broken off: the thread `{name}`, which made it, has panicked");
    }
}

impl State {
    /// One piece is always taken, however large: a piece over the capacity must not wait for ever.
    fn is_full(&self, capacity: usize) -> bool {
        self.queued_bytes >= capacity
    }

    fn put(&mut self, bytes: Bytes) -> Result<(), Closed> {
        if self.stage != Stage::Open {
            return Err(Closed);
        }
        if !bytes.is_empty() {
            self.queued_bytes += bytes.len();
            self.queue.push_back(bytes);
            self.tell();
        }
        Ok(())
    }

    fn tell(&mut self) {
        if let Some((address, exchange)) = self.waiting.take() {
            address.post(Note::Body { exchange });
        }
    }
}
