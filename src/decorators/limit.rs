//! `limit(handler, bytes)`: so much of a request's body is taken, and no more.
//!
//! Pattern: Decorator (as the textbook has it, a struct that owns what it decorates; it changes nothing but the plan).

use crate::handler::{Handler, Plan};
use crate::message::{Refusal, Request, Response};

/// A handler that takes bodies up to a limit; made by [`limit`].
#[derive(Debug)]
pub struct Limit<H> {
    inner: H,
    bytes: u64,
}

/// Takes request bodies of at most `bytes` bytes, whatever the server's setting is; a longer one gets 413, and is not
/// read where its length is announced. A limit that the handler plans itself counts where it is smaller.
///
/// ```
/// use qibu::{Request, limit, testing::TestClient};
///
/// let client = TestClient::new(limit(|request: &mut Request| request.text().map(str::to_owned), 5));
/// assert_eq!(client.post("/").body("seven").send().text(), "seven");
/// assert_eq!(client.post("/").body("seven steps").send().status(), 413);
/// ```
pub fn limit<H: Handler>(handler: H, bytes: u64) -> Limit<H> {
    Limit { inner: handler, bytes }
}

impl<H: Handler> Handler for Limit<H> {
    fn handle(&self, request: &mut Request) -> Response {
        self.inner.handle(request)
    }

    fn plan(&self, request: &mut Request) -> Plan {
        let plan = self.inner.plan(request);
        let bytes = plan.body_limit.map_or(self.bytes, |planned| planned.min(self.bytes));
        plan.body_limit(bytes)
    }

    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        self.inner.refused(refusal, answer)
    }
}
