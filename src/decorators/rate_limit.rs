//! So many requests per client, and no more.
//!
//! Each client has a [token bucket](super::buckets): it may spend what it has saved at once, and then goes at the rate at
//! which tokens come back. A request that comes too early is refused on its head; its body is not read.
//!
//! Pattern: Decorator (it may answer in place of the next handler).

use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::buckets::Buckets;
use super::passes;
use crate::handler::{Handler, Middleware, Plan};
use crate::message::{Request, Response};

/// Limits how many requests each client may make. A client is an IPv4 address or an IPv6 network (/64), behind
/// [`TrustedProxies`](crate::TrustedProxies) the one that they tell. What is too much gets 429 with `Retry-After`.
///
/// ```
/// use std::time::Duration;
/// use qibu::{HandlerExt, RateLimit, Request, testing::TestClient};
///
/// let hello = |_: &mut Request| "hello";
/// let client = TestClient::new(hello.with(RateLimit::new(2, Duration::from_secs(60))));
/// assert_eq!(client.get("/").send().status(), 200);
/// assert_eq!(client.get("/").send().status(), 200);
/// let refused = client.get("/").send();
/// assert_eq!((refused.status(), refused.header("retry-after")), (429, Some("30")));
/// ```
#[derive(Debug)]
pub struct RateLimit {
    buckets: Buckets,
}

/// Some 64 bytes each.
const MOST_CLIENTS: usize = 64 * 1024;

impl RateLimit {
    /// At most `requests` in `period`. They may come all at once; after that, one every `period / requests`. Remembers
    /// 65,536 clients; those that were not seen for the longest time are forgotten. A `period` of more than a year counts as one.
    pub fn new(requests: u32, period: Duration) -> Self {
        Self { buckets: Buckets::new(requests, period, MOST_CLIENTS) }
    }

    /// Fails with the time that the client must wait.
    fn check(&self, request: &mut Request) -> Result<(), Duration> {
        if !passes::has(request, self) {
            let client = request.client_addr();
            self.buckets.take(client, Instant::now()).inspect_err(|_| log::debug!("429 for {client} (RateLimit)"))?;
            passes::give(request, self);
        }
        Ok(())
    }
}

/// RFC 6585 §4, RFC 9110 §10.2.3: whole seconds, and not too early.
pub(super) fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Response::status_page(StatusCode::TOO_MANY_REQUESTS).with_header(RETRY_AFTER.as_str(), seconds.to_string())
}

impl Middleware for RateLimit {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        match self.check(request) {
            Ok(()) => next.handle(request),
            Err(wait) => too_many(wait),
        }
    }

    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        match self.check(request) {
            Ok(()) => next.plan(request),
            Err(wait) => Plan::refuse(too_many(wait)),
        }
    }
}
