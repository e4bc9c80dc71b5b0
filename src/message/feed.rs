//! A bounded stream of bytes from a session to the handler that reads a request's body while it arrives.
//!
//! The session holds the [`Feed`], the handler on its worker thread the [`Intake`]. The loop never waits: when the feed is
//! full it stops reading from the client, which is the back-pressure, and a note tells it that the handler has taken what
//! was there. The handler waits: that is why such a handler runs on the worker pool. To wake it costs more than to copy
//! what has come, so the session wakes it when it is worth it, and not for each piece.
//!
//! Pattern: Producer-Consumer (over a bounded buffer).

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;

use super::{Address, ExchangeId, Note, ProtocolError};

/// How many bytes wait for the handler at most, but for one piece.
const FEED_BYTES: usize = 512 * 1024;

/// So many bytes are worth to wake the handler, even if more are coming at once.
pub(crate) const WORTH_WAKING_BYTES: usize = FEED_BYTES / 2;

/// What arrives in small pieces is put together into larger ones, of so many bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// The session's end.
pub(crate) struct Feed {
    shared: Arc<Shared>,
}

/// The handler's end.
pub(crate) struct Intake {
    shared: Arc<Shared>,
    /// What was taken at once and is not read yet; the handler reads it without the lock.
    taken: VecDeque<Vec<u8>>,
    /// How much of the first of them is read.
    read: usize,
}

struct Shared {
    state: Mutex<State>,
    /// Signalled when the handler can go on.
    news: Condvar,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Vec<u8>>,
    bytes: usize,
    stage: Stage,
    reader: Reader,
    /// Whom to tell when there is room; `None` while nobody waits for that.
    waiting: Option<(Address, ExchangeId)>,
}

/// What the handler does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Reader {
    #[default]
    Busy,
    /// It has read all that there was.
    Waiting,
}

#[derive(Default)]
enum Stage {
    #[default]
    Open,
    Complete(HeaderMap),
    /// The rest will not come.
    Broken(Option<ProtocolError>),
    /// The handler reads no more.
    Unread,
}

/// A stream that begins with these bytes.
pub(crate) fn feed(first: Vec<u8>) -> (Feed, Intake) {
    let state = State { bytes: first.len(), pieces: VecDeque::from([first]), ..State::default() };
    let shared = Arc::new(Shared { state: Mutex::new(state), news: Condvar::new() });
    (Feed { shared: shared.clone() }, Intake { shared, taken: VecDeque::new(), read: 0 })
}

impl Feed {
    /// Adds bytes; they are dropped if nobody reads them any more. The handler gets to know with [`Self::hand_over`].
    pub(crate) fn put(&self, bytes: &[u8]) {
        let mut state = self.shared.lock();
        if matches!(state.stage, Stage::Unread) || bytes.is_empty() {
            return;
        }
        state.bytes += bytes.len();
        match state.pieces.back_mut() {
            Some(last) if last.len() + bytes.len() <= PIECE_BYTES => last.extend_from_slice(bytes),
            _ => state.pieces.push_back(bytes.to_vec()),
        }
    }

    /// Wakes the handler if it waits for what is there.
    pub(crate) fn hand_over(&self) {
        let state = self.shared.lock();
        if state.bytes > 0 {
            self.shared.wake_reader(state);
        }
    }

    /// Whether there is so much that the handler should be woken, whatever else may come.
    pub(crate) fn is_worth_waking(&self) -> bool {
        self.shared.lock().bytes >= WORTH_WAKING_BYTES
    }

    /// Whether it is full; if so, a [`Note::Room`] will be posted when it is not.
    pub(crate) fn waits_for_room(&self, address: &Address, exchange: ExchangeId) -> bool {
        let mut state = self.shared.lock();
        let is_full = state.bytes >= FEED_BYTES;
        if is_full {
            state.waiting = Some((address.clone(), exchange));
        }
        is_full
    }

    /// The body is complete.
    pub(crate) fn finish(self, trailers: HeaderMap) {
        self.end(Stage::Complete(trailers));
    }

    /// The rest of the body will not come, for this reason.
    pub(crate) fn fail(self, error: ProtocolError) {
        self.end(Stage::Broken(Some(error)));
    }

    fn end(&self, stage: Stage) {
        let mut state = self.shared.lock();
        if matches!(state.stage, Stage::Open) {
            state.stage = stage;
        }
        self.shared.wake_reader(state);
    }
}

/// The client has gone.
impl Drop for Feed {
    fn drop(&mut self) {
        self.end(Stage::Broken(None));
    }
}

impl Intake {
    /// The bytes that can be read now; waits until there are some. Empty at the end of the body, whose trailer fields are
    /// then put into `trailers`.
    pub(crate) fn fill(&mut self, trailers: &mut HeaderMap) -> io::Result<&[u8]> {
        if self.taken.is_empty() {
            self.wait(trailers)?;
        }
        Ok(self.taken.front().map_or(&[], |piece| &piece[self.read..]))
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.read += count;
        if self.taken.front().is_some_and(|piece| self.read >= piece.len()) {
            self.taken.pop_front();
            self.read = 0;
        }
    }

    /// Takes all that is there, so that the loop can go on while it is read.
    fn wait(&mut self, trailers: &mut HeaderMap) -> io::Result<()> {
        let mut state = self.shared.lock();
        while state.pieces.is_empty() {
            match &mut state.stage {
                Stage::Open => {
                    state.reader = Reader::Waiting;
                    state = self.shared.news.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.reader = Reader::Busy;
                }
                Stage::Complete(fields) => {
                    trailers.extend(std::mem::take(fields));
                    return Ok(());
                }
                Stage::Broken(Some(error)) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, *error)),
                Stage::Broken(None) | Stage::Unread => {
                    return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the client has gone"));
                }
            }
        }
        self.taken = std::mem::take(&mut state.pieces);
        state.bytes = 0;
        state.tell();
        Ok(())
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stage = Stage::Unread;
        state.pieces = VecDeque::new();
        state.bytes = 0;
        state.tell();
    }
}

impl Shared {
    /// A panic elsewhere leaves the queue whole, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock is given up first, or the handler would wake only to wait for it.
    fn wake_reader(&self, state: MutexGuard<'_, State>) {
        let reader = state.reader;
        drop(state);
        if reader == Reader::Waiting {
            self.news.notify_one();
        }
    }
}

impl State {
    fn tell(&mut self) {
        if let Some((address, exchange)) = self.waiting.take() {
            address.post(Note::Room { exchange });
        }
    }
}
