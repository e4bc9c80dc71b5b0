//! A name for each request, by which its traces in several logs can be found.
//!
//! Pattern: Decorator (it leaves something in the request, and says it in the answer).

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderName, HeaderValue};

use crate::handler::{Handler, Middleware, Plan};
use crate::message::{Id, Refusal, Request, Response};

/// Gives each request an id: handlers ask for it with [`RequestId::of`], and the client gets it as `X-Request-Id`. Put it
/// around [`AccessLog`](crate::AccessLog), so that it knows the id, too.
///
/// ```
/// use qibu::{HandlerExt, Request, RequestId, testing::TestClient};
///
/// let page = |request: &mut Request| format!("this is {}", RequestId::of(request).unwrap_or("nobody"));
/// let answer = TestClient::new(page.with(RequestId::new())).get("/").send();
/// let id = answer.header("x-request-id").unwrap();
/// assert_eq!(answer.text(), format!("this is {id}"));
/// assert_eq!(id.len(), 32);
/// ```
#[derive(Debug)]
pub struct RequestId {
    /// Random, from the system; it makes 128 bits of a number that nobody can foretell or take for a count.
    hashers: [RandomState; 2],
    count: AtomicU64,
    incoming: Incoming,
}

/// What an id that the client brings is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incoming {
    Ignored,
    Kept,
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ids are not kept, in bytes.
const MOST_BYTES: usize = 64;

impl RequestId {
    /// Makes a new id for each request: 32 hexadecimal digits.
    pub fn new() -> Self {
        Self {
            hashers: [RandomState::new(), RandomState::new()],
            count: AtomicU64::new(0),
            incoming: Incoming::Ignored,
        }
    }

    /// Keeps the `X-Request-Id` that a proxy has set, if it is letters, digits, `-`, `_` and `.`, at most 64. Only behind
    /// a proxy that overwrites what its clients send: else they can choose the ids in your logs.
    #[must_use]
    pub fn keep_incoming(mut self) -> Self {
        self.incoming = Incoming::Kept;
        self
    }

    /// The id of this request, where a `RequestId` stands around the handler.
    pub fn of(request: &Request) -> Option<&str> {
        request.id()
    }

    /// The id that the request has, from now on if not before.
    fn identify(&self, request: &mut Request) -> Id {
        if let Some(id) = request.extensions().get::<Id>() {
            return id.clone();
        }
        let incoming = request.header("x-request-id").filter(|id| self.incoming == Incoming::Kept && is_sane(id));
        let id = Id(incoming.map_or_else(|| self.invent(), Arc::from));
        request.extensions_mut().insert(id.clone());
        id
    }

    fn invent(&self) -> Arc<str> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let [high, low] = self.hashers.each_ref().map(|hasher| hasher.hash_one(number));
        format!("{high:016x}{low:016x}").into()
    }
}

/// What can be written into any log, shell or URL.
fn is_sane(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MOST_BYTES).contains(&id.len()) && id.bytes().all(is_plain)
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

impl Middleware for RequestId {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        let id = self.identify(request);
        next.handle(request).map(move |response| show(&id, response))
    }

    /// The handlers inside may plan by it, and one that refuses may log it.
    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        self.identify(request);
        next.plan(request)
    }

    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        match refusal.request().and_then(|request| request.extensions().get::<Id>()) {
            Some(id) => show(id, answer),
            None => answer,
        }
    }
}

fn show(id: &Id, mut answer: Response) -> Response {
    let value = HeaderValue::from_str(&id.0).expect("letters, digits and three signs");
    answer.headers_mut().insert(X_REQUEST_ID, value);
    answer
}
