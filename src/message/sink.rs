//! A consumer of a request's body that keeps none of it.
//!
//! The loop gives it each piece as it arrives, out of the very buffer that it was read into: no thread waits, nothing is
//! copied, and nothing is collected. What can be told of a body by looking at it once (its length, a digest, how many
//! lines it has) needs no more.
//!
//! Pattern: Strategy.

use std::any::{Any, type_name_of_val};
use std::fmt;
use std::ops::ControlFlow;

/// Takes the body of a request piece by piece, on the event loop: [`Plan::sink`](crate::Plan::sink). When the body has
/// ended, the handler finds it in [`RequestBody::sink`](crate::RequestBody::sink).
///
/// It must not block: a body that goes to a disk or to another server is for [`streaming`](crate::streaming).
///
/// ```
/// use std::ops::ControlFlow;
/// use qibu::{BodySink, Handler, Plan, Request, Response, testing::TestClient};
///
/// #[derive(Default)]
/// struct Lines(usize);
///
/// impl BodySink for Lines {
///     fn take(&mut self, piece: &[u8]) -> ControlFlow<()> {
///         self.0 += piece.iter().filter(|byte| **byte == b'\n').count();
///         ControlFlow::Continue(())
///     }
/// }
///
/// struct CountLines;
///
/// impl Handler for CountLines {
///     fn plan(&self, _: &mut Request) -> Plan {
///         Plan::inline().sink(Lines::default()).body_limit(1 << 40) // bytes; none of them is kept
///     }
///
///     fn handle(&self, request: &mut Request) -> Response {
///         Response::text(request.body().sink::<Lines>().map_or(0, |lines| lines.0).to_string())
///     }
/// }
/// assert_eq!(TestClient::new(CountLines).post("/").body("a\nb\n").send().text(), "2");
/// ```
pub trait BodySink: Any + Send {
    /// The next piece, in order; never empty. After `Break` it gets no more: the handler is called at once, and the connection
    /// ends with its answer unless the rest of the body is here already.
    fn take(&mut self, piece: &[u8]) -> ControlFlow<()>;
}

/// Where a body goes that nobody wants: it is read, so that the connection can be used again, but not kept.
pub(crate) struct Nowhere;

impl BodySink for Nowhere {
    fn take(&mut self, _: &[u8]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl fmt::Debug for dyn BodySink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(type_name_of_val(self))
    }
}
