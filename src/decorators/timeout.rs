//! So long may an answer take, and no longer.
//!
//! The loop keeps the time and gives up on the handler; this only says when. A handler that has begun goes on, since no thread
//! can be stopped from outside, but what it answers is dropped. One that waits for a worker never begins.
//!
//! Pattern: Decorator (it changes nothing but the plan).

use std::time::Duration;

use crate::handler::{Handler, Middleware, Plan};
use crate::message::{Request, Response};

/// Answers 503 in place of a handler that takes too long: on the worker pool, or with an answer that it has put off. A
/// handler on the event loop cannot be interrupted; it is named in a warning (`slow_handler_warning`). Of two limits the
/// shorter counts.
///
/// ```
/// use std::time::Duration;
/// use qibu::{HandlerExt, Http, Request, Timeout, testing::TestConn};
///
/// let never = |request: &mut Request| {
///     let (reply, pending) = request.later();
///     std::mem::forget(reply); // as if somebody kept it for ever
///     pending
/// };
/// let mut client = TestConn::open(Http::new(never.with(Timeout::new(Duration::from_secs(5)))))?;
/// assert_eq!(client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").recv(), b"");
/// let answer = client.advance(Duration::from_secs(5)).recv();
/// assert!(answer.starts_with(b"HTTP/1.1 503 "));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Timeout {
    limit: Duration,
}

impl Timeout {
    /// An answer may take so long, the wait for a free worker included; see [`Plan::timeout`](crate::Plan::timeout).
    /// [`Duration::MAX`] is no limit, not even the server's (`handler_timeout`).
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl Middleware for Timeout {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        next.handle(request)
    }

    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        let plan = next.plan(request);
        let limit = plan.timeout.map_or(self.limit, |planned| planned.min(self.limit));
        plan.timeout(limit)
    }
}
