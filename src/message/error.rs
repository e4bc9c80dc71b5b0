//! What can go wrong: by the peer ([`ProtocolError`]), or in a handler ([`Error`]).

use std::borrow::Cow;
use std::fmt;
use std::io;

use http::StatusCode;

use super::{IntoResponse, Request, Response};

/// What the peer did wrong, a variant per rule; each knows the answer that tells it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The request line or a field line is not what RFC 9112 sections 3 and 5 allow.
    MalformedHead,
    /// A line of the head does not end in CR LF (RFC 9112 section 2.2).
    BareLineEnd,
    /// The request target has none of the four forms of RFC 9112 section 3.2.
    MalformedTarget,
    /// An `https` target on a connection that is not secured (RFC 9110 section 7.4).
    Misdirected,
    /// The request target is longer than the head may be (RFC 9112 section 3).
    TargetTooLong {
        /// The setting, in bytes.
        limit: usize,
    },
    /// The head is longer than we keep (RFC 9110 section 5.4).
    HeadTooLarge {
        /// The setting, in bytes.
        limit: usize,
    },
    /// There are more field lines than we keep.
    TooManyFields {
        /// The setting, in field lines.
        limit: usize,
    },
    /// Not HTTP/1.0 or HTTP/1.1 (RFC 9110 section 2.5).
    UnsupportedVersion,
    /// `Host` is missing, doubled or malformed (RFC 9112 section 3.2).
    BadHost,
    /// `Content-Length` is not one number (RFC 9112 section 6.3, rule 5).
    BadContentLength,
    /// `Transfer-Encoding` beside `Content-Length`, or in HTTP/1.0 (RFC 9112 section 6.1).
    ConflictingLengths,
    /// A transfer coding that does not end in `chunked` exactly once (RFC 9112 section 6.3, rule 4).
    BadTransferEncoding,
    /// A transfer coding that we do not implement (RFC 9112 section 6.1).
    UnknownTransferCoding,
    /// A chunk is not what RFC 9112 section 7.1 allows.
    MalformedChunk,
    /// The trailer section is malformed or longer than we keep.
    MalformedTrailer,
    /// The peer finished before its body did (RFC 9112 section 8).
    IncompleteBody,
    /// The body is longer than the handler takes (RFC 9110 section 15.5.14).
    BodyTooLarge {
        /// The setting, in bytes.
        limit: u64,
    },
    /// An expectation other than `100-continue` (RFC 9110 section 10.1.1).
    UnknownExpectation,
    /// CONNECT: we are no proxy (RFC 9110 section 9.3.6).
    NoTunnel,
    /// The head did not come in time (RFC 9110 section 15.5.9).
    HeadTimeout,
    /// The body stopped coming.
    BodyTimeout,
    /// The body comes more slowly than we wait for.
    BodyTooSlow,
}

impl ProtocolError {
    /// The answer that tells the peer what it did wrong.
    pub fn status(self) -> StatusCode {
        match self {
            Self::MalformedHead
            | Self::BareLineEnd
            | Self::MalformedTarget
            | Self::BadHost
            | Self::BadContentLength
            | Self::ConflictingLengths
            | Self::BadTransferEncoding
            | Self::MalformedChunk
            | Self::MalformedTrailer
            | Self::IncompleteBody => StatusCode::BAD_REQUEST,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::TargetTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge { .. } | Self::TooManyFields { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UnsupportedVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::UnknownTransferCoding | Self::NoTunnel => StatusCode::NOT_IMPLEMENTED,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnknownExpectation => StatusCode::EXPECTATION_FAILED,
            Self::HeadTimeout | Self::BodyTimeout | Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MalformedHead => f.write_str("the request line or a field line is malformed"),
            Self::BareLineEnd => f.write_str("a line of the head does not end in CR LF"),
            Self::MalformedTarget => f.write_str("the request target is malformed"),
            Self::Misdirected => f.write_str("an https target, but this connection is not secured"),
            Self::TargetTooLong { limit } => write!(f, "the request target is over {limit} bytes (head_limit)"),
            Self::HeadTooLarge { limit } => write!(f, "the head is over {limit} bytes (head_limit)"),
            Self::TooManyFields { limit } => write!(f, "the head has over {limit} field lines (field_limit)"),
            Self::UnsupportedVersion => f.write_str("not HTTP/1.0 or HTTP/1.1"),
            Self::BadHost => f.write_str("Host is missing, doubled or malformed"),
            Self::BadContentLength => f.write_str("Content-Length is not one number"),
            Self::ConflictingLengths => f.write_str("Transfer-Encoding beside Content-Length or in HTTP/1.0"),
            Self::BadTransferEncoding => f.write_str("Transfer-Encoding does not end in chunked, once"),
            Self::UnknownTransferCoding => f.write_str("an unknown transfer coding"),
            Self::MalformedChunk => f.write_str("a chunk is malformed"),
            Self::MalformedTrailer => f.write_str("the trailer section is malformed or too long"),
            Self::IncompleteBody => f.write_str("the body ended early"),
            Self::BodyTooLarge { limit } => write!(f, "the body is over {limit} bytes (body_limit)"),
            Self::UnknownExpectation => f.write_str("an expectation other than 100-continue"),
            Self::NoTunnel => f.write_str("CONNECT, but this is no proxy"),
            Self::HeadTimeout => f.write_str("the head did not come in time (head_timeout)"),
            Self::BodyTimeout => f.write_str("the body stopped coming (body_timeout)"),
            Self::BodyTooSlow => f.write_str("the body comes too slowly (min_body_rate)"),
        }
    }
}

impl std::error::Error for ProtocolError {}

/// For `?` in handlers.
///
/// An error of your own making ([`Error::new`]) is shown to the client, and so is what the client itself did wrong: a
/// parameter that is no number, a body that is too long. Any other error becomes a 500: it is logged, and the client sees
/// only the status, since an error text may hold what it should not know. The log is that of the `log` crate, which shows
/// nothing until the program has a backend for it, such as `env_logger`.
///
/// "Any other" is any type that implements `std::error::Error` and can be sent to other threads. A `Box<dyn Error + Send + Sync>`
/// does not implement it; `.map_err(std::io::Error::other)?` makes it one that does. Nor can what a poisoned lock gives be sent: `unwrap`
/// it, and the panic is a 500 for that request.
///
/// An error type of your own becomes a 500 here like any other. Where it shall have a status of its own, let it be the answer: see
/// [`IntoResponse`].
///
/// ```
/// use qibu::{Error, Request, Result, StatusCode, testing::TestClient};
///
/// fn page(request: &mut Request) -> Result<String> {
///     if request.path() == "/none" {
///         return Err(Error::new(StatusCode::NOT_FOUND, "there is no such page"));
///     }
///     Ok(std::fs::read_to_string("no such file")?)
/// }
/// let client = TestClient::new(page);
/// assert_eq!(client.get("/none").send().text(), "there is no such page\n");
/// assert_eq!(client.get("/").send().status(), 500);
///
/// fn boxed(_: &mut Request) -> Result<String> {
///     let read = || -> std::result::Result<String, Box<dyn std::error::Error + Send + Sync>> { Err("no luck".into()) };
///     Ok(read().map_err(std::io::Error::other)?)
/// }
/// assert_eq!(TestClient::new(boxed).get("/").send().status(), 500);
/// ```
pub struct Error {
    status: StatusCode,
    message: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What a handler returns that may fail: `fn page(request: &mut Request) -> qibu::Result`. With an error type of your own, which
/// implements [`IntoResponse`], it is `Result<Response, YourError>`.
pub type Result<T = Response, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error that the client is told of.
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), source: None }
    }

    /// For an `io::Read`; `?` in a handler unpacks it again.
    #[cfg_attr(not(feature = "multipart"), expect(dead_code))]
    pub(crate) fn into_io(self) -> io::Error {
        let Self { status, message, source } = self;
        source.map_or_else(|| io::Error::other(Packed { status, message }), io::Error::other)
    }

    /// The status that the client gets.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What the client is told beside the status; empty where that is all.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// `Error` is no `std::error::Error` itself: only so can every one of those become an `Error`.
///
/// What has come as an `io::Error` out of an `io::Read` is unpacked: what the peer did wrong keeps its status.
impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(source: E) -> Self {
        let source: Box<dyn std::error::Error + Send + Sync> = Box::new(source);
        peer_fault(&*source).unwrap_or_else(|| Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: Cow::Borrowed(""),
            source: Some(source),
        })
    }
}

fn peer_fault(source: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let source = match source.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref()?,
        None => source,
    };
    if let Some(Packed { status, message }) = source.downcast_ref() {
        return Some(Error::new(*status, message.clone()));
    }
    source.downcast_ref::<ProtocolError>().map(|error| Error::new(error.status(), error.to_string()))
}

/// An error that is shown to the client, on its way through an `io::Read`.
#[derive(Debug)]
struct Packed {
    status: StatusCode,
    message: Cow<'static, str>,
}

impl fmt::Display for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Packed {}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.answer(format_args!("a handler"))
    }

    fn respond_to(self, request: &Request) -> Response {
        self.answer(format_args!("the handler of {} {}", request.method(), request.target().escape_debug()))
    }
}

impl Error {
    fn answer(self, whose: fmt::Arguments<'_>) -> Response {
        if let Some(source) = self.source {
            log::error!("{whose} failed: {}", with_causes(&*source));
            return Response::status_page(self.status);
        }
        Response::text(format!("{}\n", self.message)).with_status(self.status)
    }
}

/// An error, what caused it, what caused that, and so on. Some say their cause themselves.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{}: {source}", self.status),
            None => write!(f, "{}: {}", self.status, self.message),
        }
    }
}
