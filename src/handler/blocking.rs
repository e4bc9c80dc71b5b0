//! `blocking(handler)`: this one may block, run it on the worker pool.
//!
//! Pattern: Decorator (it changes nothing but the plan).

use super::{Handler, Plan};
use crate::handler::Place;
use crate::message::{Refusal, Request, Response};

/// A handler that runs on the worker pool; made by [`blocking`].
#[derive(Debug)]
pub struct Blocking<H> {
    inner: H,
}

/// Lets a handler block: it runs on a worker thread, and the loop goes on with other clients. The pool is bounded; when
/// its queue is full the client gets 503 with `Retry-After`.
///
/// Its plan is made on the event loop all the same. Where something inside refuses the request there, that is answered on the event
/// loop, and so is what the decorators between it and this one do about it: see [`Middleware::plan`](crate::Middleware::plan).
///
/// ```
/// use qibu::{Request, blocking, testing::TestClient};
///
/// let report = blocking(|_: &mut Request| {
///     std::thread::sleep(std::time::Duration::from_millis(20)); // a database, say
///     "done"
/// });
/// assert_eq!(TestClient::new(report).get("/").send().text(), "done");
/// ```
pub fn blocking<H: Handler>(handler: H) -> Blocking<H> {
    Blocking { inner: handler }
}

impl<H: Handler> Handler for Blocking<H> {
    fn handle(&self, request: &mut Request) -> Response {
        self.inner.handle(request)
    }

    /// What the inner handler plans, but on the pool; a refusal stays one.
    fn plan(&self, request: &mut Request) -> Plan {
        let mut plan = self.inner.plan(request);
        if let Place::Loop = plan.place {
            plan.place = Place::Pool;
        }
        plan
    }

    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        self.inner.refused(refusal, answer)
    }
}
