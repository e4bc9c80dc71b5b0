//! The body of a response: bytes in memory, stretches of files, or a stream that another thread feeds.
//!
//! A handler builds one and forgets it. What happens to it is the protocol's matter: HTTP/1.1 hands a file on as a
//! file, so that the transport can let the kernel copy it (`sendfile`), and frames a stream as chunks.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::channel::{BodyReceiver, BodySender, KeepAlive};
use super::reader::ReaderBody;
use super::{ExchangeId, Fields, Response, Upgrade};

/// A stretch of an open file, to be sent without passing through our memory where the system can do that.
#[derive(Debug, Clone)]
pub struct FileSlice {
    pub(crate) file: Arc<File>,
    /// Where it begins, in bytes from the start of the file.
    pub(crate) offset: u64,
    /// How many bytes are left to send.
    pub(crate) length: u64,
}

impl FileSlice {
    /// The bytes `range` of a file.
    pub fn new(file: impl Into<Arc<File>>, range: Range<u64>) -> Self {
        Self { file: file.into(), offset: range.start, length: range.end.saturating_sub(range.start) }
    }
}

/// One piece of a body that is made of several; see [`Body::parts`].
#[derive(Debug, Clone)]
pub enum Part {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A stretch of a file, which is sent with `sendfile` where the system can do that.
    File(FileSlice),
}

impl Part {
    /// Its length in bytes.
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(slice) => slice.length,
        }
    }
}

/// What follows the fields of a response.
///
/// ```
/// use qibu::Body;
///
/// assert_eq!(Body::from("seven steps").len(), Some(11));
/// assert_eq!(Body::empty().len(), Some(0));
/// let (sender, body) = Body::channel(64 * 1024);
/// assert_eq!(body.len(), None, "a stream ends when its last sender is dropped");
/// # drop(sender);
/// ```
#[derive(Debug, Default)]
pub struct Body {
    pub(crate) kind: Kind,
}

/// What a body is made of; the protocol looks, handlers need not.
pub(crate) enum Kind {
    Bytes(Bytes),
    /// Bytes as a handler has made them; nobody else has them yet, so nobody counts who does.
    Made(Vec<u8>),
    File(FileSlice),
    Parts(Vec<Part>),
    Channel(BodyReceiver),
    Reader(ReaderBody),
    Later(Box<Promise>),
    /// No body: the connection speaks another protocol from here on.
    Upgrade(Upgrade),
}

/// The answer to an exchange comes later, as a [`Note::Reply`](super::Note::Reply).
pub(crate) struct Promise {
    pub(super) exchange: ExchangeId,
    /// What is to be done to it when it comes, in order.
    pub(super) changes: Vec<Change>,
}

/// What is to be done to an answer that comes later.
pub(crate) enum Change {
    /// To whatever is answered: decorators want that.
    Map(Box<dyn FnOnce(Response) -> Response + Send>),
    /// What was set on the promise is meant for the reply, not for what the server answers in its place.
    Status(StatusCode),
    Fields(HeaderMap),
}

/// An answer that comes later, at last.
pub(crate) enum Late {
    Reply(Response),
    /// There will be none; this is answered in its place.
    Instead(Response),
}

impl Body {
    /// No bytes at all.
    pub const fn empty() -> Self {
        Self { kind: Kind::Bytes(Bytes::new()) }
    }

    /// Bytes that live as long as the program: no copy, no allocation.
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self { kind: Kind::Bytes(Bytes::from_static(bytes)) }
    }

    /// The bytes `range` of a file. If the file turns out shorter than that while it is sent, the connection is
    /// closed, since a wrong number of bytes would be taken for the next answer.
    pub fn file(file: impl Into<Arc<File>>, range: Range<u64>) -> Self {
        Self { kind: Kind::File(FileSlice::new(file, range)) }
    }

    /// Bytes and stretches of files, one behind the other.
    ///
    /// ```
    /// use qibu::{Body, Part};
    ///
    /// let body = Body::parts(vec![Part::Bytes("seven ".into()), Part::Bytes("steps".into())]);
    /// assert_eq!(body.len(), Some(11));
    /// ```
    pub fn parts(parts: Vec<Part>) -> Self {
        Self { kind: Kind::Parts(parts) }
    }

    /// What a reader gives, read on the worker pool while the client takes it: 64 KiB are in memory at most, and a slow
    /// client holds no thread. With `len`, so many bytes are sent (and the connection is broken off if the reader has
    /// fewer); without, the body ends with the reader.
    ///
    /// ```
    /// use std::io::Read;
    /// use qibu::{Body, Request, Response, testing::TestClient};
    ///
    /// let zeros = |_: &mut Request| Response::bytes("application/octet-stream", Body::reader(std::io::repeat(0).take(100_000), None));
    /// assert_eq!(TestClient::new(zeros).get("/").send().bytes().len(), 100_000);
    /// ```
    pub fn reader(reader: impl Read + Send + 'static, len: Option<u64>) -> Self {
        Self { kind: Kind::Reader(ReaderBody::new(Box::new(reader), len)) }
    }

    /// A stream: what is given to the sender, from any thread, goes out as it comes. At most `capacity` bytes wait
    /// for a slow client; then [`BodySender::send`] waits and [`BodySender::try_send`] refuses.
    pub fn channel(capacity: usize) -> (BodySender, Self) {
        let (sender, receiver) = BodyReceiver::channel(capacity);
        (sender, Self { kind: Kind::Channel(receiver) })
    }

    /// Says of a stream that it has no end by nature, as server-sent events have none. When nothing was sent for `interval`
    /// (at least a second; [`Duration::MAX`] is never), `heartbeat` is, so that nobody on the way takes the connection for dead, and `handler_timeout`
    /// does not apply. When the server shuts down it does not wait for the end: the senders get [`Closed`](super::Closed),
    /// what is queued is sent, and the body is complete. A body of another kind is left as it is.
    ///
    /// ```
    /// use std::time::Duration;
    /// use qibu::{Body, Request, Response};
    ///
    /// fn ticker(_: &mut Request) -> Response {
    ///     let (sender, body) = Body::channel(16 * 1024);
    ///     // ... hand the sender to whoever knows what to send ...
    ///     Response::text(body.endless("(still there)\n", Duration::from_secs(15)))
    /// }
    /// ```
    #[must_use]
    pub fn endless(mut self, heartbeat: impl Into<Bytes>, interval: Duration) -> Self {
        if let Kind::Channel(receiver) = &mut self.kind {
            let interval = interval.max(Duration::from_secs(1));
            receiver.has_no_end();
            receiver.keep_alive = Some(Box::new(KeepAlive { heartbeat: heartbeat.into(), interval }));
        }
        self
    }

    /// The same with bytes behind it, whatever it is made of: nothing is read for it. What is no body (a promise, an upgrade) is
    /// left as it is.
    ///
    /// ```
    /// use qibu::Body;
    ///
    /// assert_eq!(Body::from("seven ").append("steps").len(), Some(11));
    /// ```
    #[must_use]
    pub fn append(self, tail: impl Into<Bytes>) -> Self {
        let tail = tail.into();
        let kind = match self.kind {
            Kind::Bytes(bytes) => Kind::Bytes([bytes, tail].concat().into()),
            Kind::Made(mut bytes) => {
                bytes.extend_from_slice(&tail);
                Kind::Made(bytes)
            }
            Kind::File(slice) => Kind::Parts(vec![Part::File(slice), Part::Bytes(tail)]),
            Kind::Parts(parts) => Kind::Parts([parts, vec![Part::Bytes(tail)]].concat()),
            Kind::Reader(reader) => Kind::Reader(reader.append(tail)),
            Kind::Channel(receiver) => {
                receiver.append(&tail);
                Kind::Channel(receiver)
            }
            kind @ (Kind::Later(_) | Kind::Upgrade(_)) => kind,
        };
        Self { kind }
    }

    pub(crate) fn upgrade(upgrade: Upgrade) -> Self {
        Self { kind: Kind::Upgrade(upgrade) }
    }

    pub(crate) fn later(exchange: ExchangeId) -> Self {
        Self { kind: Kind::Later(Box::new(Promise { exchange, changes: Vec::new() })) }
    }

    /// Its length in bytes, `None` where only the end will tell.
    pub fn len(&self) -> Option<u64> {
        match &self.kind {
            Kind::Bytes(bytes) => Some(bytes.len() as u64),
            Kind::Made(bytes) => Some(bytes.len() as u64),
            Kind::File(slice) => Some(slice.length),
            Kind::Parts(parts) => Some(parts.iter().map(Part::len).sum()),
            Kind::Reader(reader) => reader.len(),
            Kind::Channel(_) | Kind::Later(_) => None,
            Kind::Upgrade(_) => Some(0),
        }
    }

    /// Whether it is known to hold nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The bytes, where they are in memory.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Bytes(bytes) => Some(bytes),
            Kind::Made(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl Promise {
    /// Keeps what was set on the response that stands for it, and then this.
    pub(super) fn keep(&mut self, set: &mut Fields, change: Option<Change>) {
        let fields = set.take();
        if !fields.is_empty() {
            self.changes.push(Change::Fields(fields));
        }
        self.changes.extend(change);
    }
}

impl Change {
    /// Makes it.
    pub(crate) fn make(self, late: Late) -> Late {
        match (self, late) {
            (Self::Map(change), Late::Reply(answer)) => Late::Reply(change(answer)),
            (Self::Map(change), Late::Instead(answer)) => Late::Instead(change(answer)),
            (Self::Status(status), Late::Reply(answer)) => Late::Reply(answer.with_status(status)),
            (Self::Fields(fields), Late::Reply(mut answer)) => {
                answer.headers_mut().extend(fields);
                Late::Reply(answer)
            }
            (Self::Status(_) | Self::Fields(_), instead @ Late::Instead(_)) => instead,
        }
    }
}

impl Late {
    /// What is answered.
    pub(crate) fn into_response(self) -> Response {
        match self {
            Self::Reply(answer) | Self::Instead(answer) => answer,
        }
    }
}

impl Kind {
    /// The same, where it makes no difference whose bytes they are.
    pub(crate) fn shared(self) -> Self {
        match self {
            Self::Made(bytes) => Self::Bytes(bytes.into()),
            kind => kind,
        }
    }
}

impl Default for Kind {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Made(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::File(slice) => write!(f, "{} bytes of a file from {}", slice.length, slice.offset),
            Self::Parts(parts) => write!(f, "{} parts", parts.len()),
            Self::Channel(_) => f.write_str("a stream"),
            Self::Reader(reader) => write!(f, "{reader:?}"),
            Self::Later(promise) => write!(f, "the answer to exchange {}, later", promise.exchange),
            Self::Upgrade(_) => f.write_str("another protocol"),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { kind: Kind::Bytes(bytes) }
    }
}

impl From<FileSlice> for Body {
    fn from(slice: FileSlice) -> Self {
        Self { kind: Kind::File(slice) }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self { kind: Kind::Made(bytes) }
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::from_static(text.as_bytes())
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Self::from_static(bytes)
    }
}

impl From<std::borrow::Cow<'static, str>> for Body {
    fn from(text: std::borrow::Cow<'static, str>) -> Self {
        match text {
            std::borrow::Cow::Borrowed(text) => text.into(),
            std::borrow::Cow::Owned(text) => text.into(),
        }
    }
}
