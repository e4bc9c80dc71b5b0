//! Is the server alive, and shall it get requests? For whoever spreads them over several servers.
//!
//! * `/live`: the server answers, so it need not be started anew.
//! * `/ready`: it wants requests. Before it is shut down it says no for a while, so that none is sent in vain.
//!
//! Pattern: Decorator (it answers some requests in place of the next handler).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::CACHE_CONTROL;
use http::{Method, StatusCode};

use crate::handler::{Handler, Middleware, Plan};
use crate::message::{Request, Response};

/// Answers GET `/live` with 200, and `/ready` with 200 or, when a check fails or [`Self::leave`] was called, with 503.
/// Clones are the same.
///
/// ```
/// use qibu::{Health, HandlerExt, Request, testing::TestClient};
///
/// let health = Health::new();
/// let client = TestClient::new((|_: &mut Request| "a page").with(health.clone()));
/// assert_eq!(client.get("/ready").send().status(), 200);
///
/// health.leave(); // then wait until nobody sends us anything, and then: ServerHandle::shutdown
/// assert_eq!(client.get("/ready").send().status(), 503);
/// assert_eq!(client.get("/live").send().status(), 200);
/// assert_eq!(client.get("/").send().text(), "a page");
/// ```
///
/// As the outermost decorator it is not asked for a password; inside [`BasicAuth`](crate::auth::BasicAuth) it is.
#[derive(Clone)]
pub struct Health {
    is_leaving: Arc<AtomicBool>,
    checks: Vec<Check>,
}

/// Something without which no request can be answered.
#[derive(Clone)]
struct Check {
    name: &'static str,
    run: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Live,
    Ready,
}

impl Health {
    /// Alive and ready.
    pub fn new() -> Self {
        Self { is_leaving: Arc::default(), checks: Vec::new() }
    }

    /// Adds a condition for being ready: a database that can be reached, say. It runs on the worker pool whenever `/ready`
    /// is asked for, and may block. The client sees the names of those that fail.
    #[must_use]
    pub fn check(mut self, name: &'static str, run: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.checks.push(Check { name, run: Arc::new(run) });
        self
    }

    /// From now on the server is not ready any more, though it still answers. Call it some seconds before
    /// [`ServerHandle::shutdown`](crate::ServerHandle::shutdown), as many as the others need to notice.
    pub fn leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }

    fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Relaxed)
    }

    fn answer(&self, question: Question) -> Response {
        let text = match question {
            Question::Live => Ok("alive\n".to_owned()),
            Question::Ready if self.is_leaving() => Err("leaving\n".to_owned()),
            Question::Ready => {
                let failed: Vec<_> =
                    self.checks.iter().filter(|check| !(check.run)()).map(|check| check.name).collect();
                if failed.is_empty() {
                    Ok("ready\n".to_owned())
                } else {
                    Err(format!("failed: {}\n", failed.join(", ")))
                }
            }
        };
        let response = match text {
            Ok(text) => Response::text(text),
            Err(text) => Response::text(text).with_status(StatusCode::SERVICE_UNAVAILABLE),
        };
        response.with_header(CACHE_CONTROL.as_str(), "no-store")
    }
}

impl Question {
    fn of(request: &Request) -> Option<Self> {
        match (request.method(), request.path()) {
            (&(Method::GET | Method::HEAD), "/live") => Some(Self::Live),
            (&(Method::GET | Method::HEAD), "/ready") => Some(Self::Ready),
            _ => None,
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Middleware for Health {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        match Question::of(request) {
            Some(question) => self.answer(question),
            None => next.handle(request),
        }
    }

    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        match Question::of(request) {
            Some(Question::Ready) if !self.checks.is_empty() => Plan::pool().body_limit(0),
            Some(_) => Plan::inline().body_limit(0),
            None => next.plan(request),
        }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("is_leaving", &self.is_leaving()).finish_non_exhaustive()
    }
}
