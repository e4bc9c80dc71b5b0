//! Handlers answer requests: a function, a closure, a struct with state, a folder, or a decorator around another.
//!
//! Everything is one trait, [`Handler`], so everything fits into everything else. A handler is asked twice: for its
//! [`Plan`] when the head is known and the body is not (where shall it run, how much body is it willing to take), then
//! for the answer.
//!
//! Pattern: Strategy ([`Handler`]), Adapter (closures are handlers).

mod blocking;
pub(crate) mod call;
mod method;
mod middleware;
mod router;
#[cfg(feature = "multipart")]
mod save;
pub mod sse;
mod streaming;

use std::sync::Arc;
use std::time::Duration;

pub use blocking::{Blocking, blocking};
pub(crate) use call::{Stopwatch, call, call_timed, plan_timed, pour, refused, resolve};
pub use method::method;
pub use middleware::{HandlerExt, Middleware, With};
pub use router::{RouteError, Router, Slashes};
pub use streaming::{Streaming, streaming};

use crate::message::{BodySink, IntoResponse, Refusal, Request, Response};

/// Answers requests. One handler serves all clients of all loops, so it is shared and immutable; state that changes
/// goes behind a lock or an atomic.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use qibu::{Handler, Request, Response, testing::TestClient};
///
/// #[derive(Default)]
/// struct Counter(AtomicU64);
///
/// impl Handler for Counter {
///     fn handle(&self, _: &mut Request) -> Response {
///         Response::text(format!("visit {}", self.0.fetch_add(1, Ordering::Relaxed) + 1))
///     }
/// }
/// let client = TestClient::new(Counter::default());
/// client.get("/").send();
/// assert_eq!(client.get("/").send().text(), "visit 2");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot answer HTTP requests",
    note = "a struct does by `impl Handler for {Self}`",
    note = "a closure must name its argument's type, as in `|request: &mut Request| ...`",
    note = "and return something that implements `IntoResponse`"
)]
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. It runs on an event loop unless its plan says otherwise, and must not block there.
    fn handle(&self, request: &mut Request) -> Response;

    /// Asked once, when the head has arrived and the body has not. It runs on the event loop and must not block. A decorator
    /// forwards it to what it wraps.
    fn plan(&self, request: &mut Request) -> Plan {
        let _ = request;
        Plan::inline()
    }

    /// The server refuses a request by itself, with `answer`: see [`Middleware::refused`]. A decorator forwards it to what
    /// it wraps; no other handler need care.
    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        let _ = refusal;
        answer
    }
}

impl<F, R> Handler for F
where
    F: Fn(&mut Request) -> R + Send + Sync + 'static,
    R: IntoResponse,
{
    fn handle(&self, request: &mut Request) -> Response {
        self(request).respond_to(request)
    }
}

impl Handler for Box<dyn Handler> {
    fn handle(&self, request: &mut Request) -> Response {
        (**self).handle(request)
    }

    fn plan(&self, request: &mut Request) -> Plan {
        (**self).plan(request)
    }

    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        (**self).refused(refusal, answer)
    }
}

impl<H: Handler + ?Sized> Handler for Arc<H> {
    fn handle(&self, request: &mut Request) -> Response {
        (**self).handle(request)
    }

    fn plan(&self, request: &mut Request) -> Plan {
        (**self).plan(request)
    }

    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        (**self).refused(refusal, answer)
    }
}

/// Where a request shall be handled and how much body it may have.
///
/// ```
/// use qibu::{Handler, Plan, Request, Response, StatusCode, testing::TestClient};
///
/// struct Upload;
///
/// impl Handler for Upload {
///     fn handle(&self, request: &mut Request) -> Response {
///         Response::text(format!("{} bytes", request.bytes().map_or(0, |body| body.len())))
///     }
///     fn plan(&self, request: &mut Request) -> Plan {
///         match request.header("authorization") {
///             Some(_) => Plan::inline().body_limit(10),
///             None => Plan::refuse(Response::new(StatusCode::UNAUTHORIZED)), // its body is never read
///         }
///     }
/// }
/// let client = TestClient::new(Upload);
/// assert_eq!(client.post("/").body("abc").send().status(), 401);
/// assert_eq!(client.post("/").header("authorization", "x").body("abc").send().text(), "3 bytes");
/// assert_eq!(client.post("/").header("authorization", "x").body("twelve bytes").send().status(), 413);
/// ```
#[derive(Debug)]
#[must_use]
pub struct Plan {
    pub(crate) place: Place,
    pub(crate) body_limit: Option<u64>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) sink: Option<Box<dyn BodySink>>,
    pub(crate) origin: Origin,
}

/// Whose plan it is, as a decorator sees it: a refusal from inside passes through it, its own does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Here,
    Inside,
}

/// Where the handler runs.
#[derive(Debug)]
pub(crate) enum Place {
    Loop,
    Pool,
    /// On the pool, while the body arrives.
    Stream,
    /// Nowhere: this is the answer.
    Refused(Box<Response>),
}

impl Plan {
    /// On the event loop, when the whole body is there.
    pub fn inline() -> Self {
        Self::at(Place::Loop)
    }

    /// On a worker thread, when the whole body is there: for handlers that block. See [`blocking()`].
    pub fn pool() -> Self {
        Self::at(Place::Pool)
    }

    /// On a worker thread, while the body arrives: [`Request::body`] reads it. The handler begins when the body is complete
    /// or 256 KiB of it have come. See [`streaming()`].
    pub fn stream() -> Self {
        Self::at(Place::Stream)
    }

    /// Not at all: `response` is the answer, and the body is not read.
    pub fn refuse(response: Response) -> Self {
        Self::at(Place::Refused(Box::new(response)))
    }

    fn at(place: Place) -> Self {
        Self { place, body_limit: None, timeout: None, sink: None, origin: Origin::Here }
    }

    /// The body is not collected: each piece goes to `sink` as it arrives, on the event loop, whatever else the plan says. The
    /// handler runs when the body has ended. See [`BodySink`].
    pub fn sink(mut self, sink: impl BodySink) -> Self {
        self.sink = Some(Box::new(sink));
        self
    }

    /// How long the answer may take where it is put off or made on the pool, instead of the server's `handler_timeout`. Then the
    /// client gets 503. A handler that has begun goes on, and what it answers is dropped; a request that no worker has taken
    /// by then is not handled at all.
    ///
    /// The time begins when the request is there, with its body; the wait for a free worker counts. For a handler on the loop
    /// it begins when that has put its answer off. One that reads its body while it arrives ([`Self::stream`]) has the time from
    /// the end of the body, and as much whenever it takes nothing of what has come. [`Duration::MAX`] lets it
    /// take for ever.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// The longest body that is taken, in bytes, instead of the server's setting.
    pub fn body_limit(mut self, bytes: u64) -> Self {
        self.body_limit = Some(bytes);
        self
    }
}
