//! What is answered: status, fields, body.
//!
//! `Content-Length`, `Transfer-Encoding`, `Connection` and `Date` belong to the protocol, which writes them itself;
//! a handler that sets them is overruled.

use std::fmt;
use std::sync::LazyLock;

use http::header::{CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::body::{Change, Kind};
use super::fields::{Fields, SharedFields};
use super::{Body, ExchangeId, Fate};

/// One response.
///
/// ```
/// use qibu::{Response, StatusCode};
///
/// let response = Response::html("<h1>gone</h1>").with_status(StatusCode::GONE).with_header("cache-control", "no-store");
/// assert_eq!(response.status(), 410);
/// assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
/// ```
pub struct Response {
    status: StatusCode,
    fields: Fields,
    pub(crate) body: Body,
    soundness: Soundness,
    /// Who is to be told what becomes of it; of a promise, what becomes of that.
    fate: Option<Fate>,
}

/// Whether the handler has asked for something that HTTP does not allow. Such a response is a 500, and stays one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Soundness {
    Sound,
    Broken,
}

/// The fields of text,
pub(super) static OF_TEXT: LazyLock<SharedFields> = LazyLock::new(|| of_media_type("text/plain; charset=utf-8"));
/// and of HTML.
static OF_HTML: LazyLock<SharedFields> = LazyLock::new(|| of_media_type("text/html; charset=utf-8"));

impl Response {
    /// A response without body.
    pub fn new(status: StatusCode) -> Self {
        Self::of(status, Fields::none(), Body::empty())
    }

    /// 200 with text (`text/plain; charset=utf-8`).
    pub fn text(body: impl Into<Body>) -> Self {
        Self::of(StatusCode::OK, Fields::Fixed(&OF_TEXT), body.into())
    }

    /// 200 with HTML (`text/html; charset=utf-8`).
    pub fn html(body: impl Into<Body>) -> Self {
        Self::of(StatusCode::OK, Fields::Fixed(&OF_HTML), body.into())
    }

    /// 200 with a body of any media type, as in `Response::bytes("image/png", picture)`.
    pub fn bytes(media_type: &str, body: impl Into<Body>) -> Self {
        Self::new(StatusCode::OK).with_body(body).with_header(CONTENT_TYPE.as_str(), media_type)
    }

    /// 303 See Other: the client shall GET `location` next.
    pub fn redirect(location: &str) -> Self {
        Self::new(StatusCode::SEE_OTHER).with_header(LOCATION.as_str(), location)
    }

    /// All at once: what is put in place of something else has to be moved.
    pub(crate) fn of(status: StatusCode, fields: Fields, body: Body) -> Self {
        Self { status, fields, body, soundness: Soundness::Sound, fate: None }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        if self.soundness == Soundness::Sound {
            self.status = status;
            if let Kind::Later(promise) = &mut self.body.kind {
                promise.keep(&mut self.fields, Some(Change::Status(status)));
            }
        }
        self
    }

    /// The same with another body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Body>) -> Self {
        if self.soundness == Soundness::Sound {
            self.body = body.into();
        }
        self
    }

    /// The same with a field set (in place of fields of that name). A name or value that HTTP does not allow is
    /// logged and the answer becomes a 500, so that no handler can be made to split a response.
    ///
    /// What is set on the response that stands for a later one ([`Request::later`](super::Request::later)), status or fields,
    /// is set on the reply when it comes; see [`Self::map`] for what shall be done to any answer.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_ref())) {
            (Ok(name), Ok(value)) => {
                self.headers_mut().insert(name, value);
                self
            }
            _ => self.broken(format_args!("the field {name:?}: {:?}", String::from_utf8_lossy(value.as_ref()))),
        }
    }

    /// What an answer becomes with which HTTP would not be safe.
    pub(crate) fn broken(self, what: fmt::Arguments<'_>) -> Self {
        log::error!("a handler set what HTTP does not allow, {what}");
        let broken = Self::status_page(StatusCode::INTERNAL_SERVER_ERROR);
        Self { soundness: Soundness::Broken, fate: self.fate, ..broken }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The fields that the handler set.
    pub fn headers(&self) -> &HeaderMap {
        self.fields.map()
    }

    /// The same, as they are kept.
    pub(crate) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The fields, to be changed.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.fields.map_mut()
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// For decorators that give the body another form.
    pub(crate) fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// Takes the body out, leaving none.
    pub fn take_body(&mut self) -> Body {
        std::mem::take(&mut self.body)
    }

    /// Changes the response: now, or where it was put off with [`Request::later`](super::Request::later), when it
    /// comes. Decorators use this, so that they need not know which of the two it is: it reaches whatever is answered, also what
    /// the server answers in place of a reply that is dropped or too late.
    #[must_use]
    pub fn map(mut self, change: impl FnOnce(Self) -> Self + Send + 'static) -> Self {
        match &mut self.body.kind {
            Kind::Later(promise) => {
                promise.keep(&mut self.fields, Some(Change::Map(Box::new(change))));
                self
            }
            _ => change(self),
        }
    }

    /// Whether this is the promise of an answer to that request.
    pub(crate) fn is_later(&self, exchange: ExchangeId) -> bool {
        matches!(&self.body.kind, Kind::Later(promise) if promise.exchange == exchange)
    }

    /// The changes that wait for the answer, if this is the promise of one.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        let Kind::Later(promise) = &mut self.body.kind else { return Vec::new() };
        promise.keep(&mut self.fields, None);
        std::mem::take(&mut promise.changes)
    }

    /// The same, and what becomes of it is what becomes of the request.
    pub(crate) fn with_fate(mut self, fate: Option<Fate>) -> Self {
        self.fate = fate;
        self
    }

    pub(crate) fn set_fate(&mut self, fate: Fate) {
        self.fate = Some(fate);
    }

    /// Who is to be told what becomes of it.
    pub(crate) fn take_fate(&mut self) -> Option<Fate> {
        self.fate.take()
    }
}

fn of_media_type(media_type: &'static str) -> SharedFields {
    SharedFields::of([(CONTENT_TYPE, HeaderValue::from_static(media_type))])
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", self.headers())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
