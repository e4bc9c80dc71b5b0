//! `streaming(handler)`: this one reads the body while it arrives.
//!
//! Pattern: Decorator (it changes nothing but the plan).

use super::{Handler, Plan};
use crate::handler::Place;
use crate::message::{Refusal, Request, Response};

/// A handler that reads the body while it arrives; made by [`streaming`].
#[derive(Debug)]
pub struct Streaming<H> {
    inner: H,
}

/// Lets a handler read the body while it arrives, with [`Request::body`](crate::Request::body): for uploads that are too
/// large for memory. It runs on the worker pool, and is started when the body has arrived or 256 KiB of it have, so a slow
/// client that sends little holds no thread. While the handler does not read, the client is slowed down. Such handlers have
/// half of the workers at most; the others stay free for what waits for no client.
///
/// The limit of the body is still the server's (`body_limit`, 2 MiB) unless the plan says otherwise.
///
/// ```
/// use qibu::{Plan, Request, Response, Result, streaming, testing::TestClient};
///
/// fn save(request: &mut Request) -> Result<&'static str> {
///     let mut file = std::io::sink(); // a file, as a rule
///     std::io::copy(request.body(), &mut file)?;
///     Ok("saved")
/// }
/// assert_eq!(TestClient::new(streaming(save)).post("/").body("some bytes").send().text(), "saved");
/// ```
pub fn streaming<H: Handler>(handler: H) -> Streaming<H> {
    Streaming { inner: handler }
}

impl<H: Handler> Handler for Streaming<H> {
    fn handle(&self, request: &mut Request) -> Response {
        self.inner.handle(request)
    }

    /// What the inner handler plans, but with the body as it arrives; a refusal stays one.
    fn plan(&self, request: &mut Request) -> Plan {
        let mut plan = self.inner.plan(request);
        if let Place::Loop | Place::Pool = plan.place {
            plan.place = Place::Stream;
        }
        plan
    }

    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        self.inner.refused(refusal, answer)
    }
}
