//! A line for each answer.
//!
//! The line goes to the `log` crate under the target `qibu::access`, at level info: where it ends up, and whether it is
//! wanted at all, is for the program to say. What the client wrote is escaped, so that it cannot forge lines or steer a
//! terminal.
//!
//! Pattern: Decorator.

use crate::handler::{Handler, Middleware};
use crate::message::{Request, Response};

/// The log target of the lines, to be named in a filter such as `RUST_LOG=qibu::access=info`.
const TARGET: &str = "qibu::access";

/// Logs each answer: client, request, status, length in bytes.
///
/// ```
/// use qibu::{AccessLog, HandlerExt, Request};
///
/// let logged = (|_: &mut Request| "hello").with(AccessLog::new());
/// ```
#[derive(Debug, Default)]
pub struct AccessLog {
    _private: (),
}

impl AccessLog {
    /// The log target of the lines: `qibu::access`.
    pub const TARGET: &'static str = TARGET;

    /// A log of all answers.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Middleware for AccessLog {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        if !log::log_enabled!(target: TARGET, log::Level::Info) {
            return next.handle(request);
        }
        let (client, request_line) = (request.peer_addr().ip(), describe(request));
        next.handle(request).map(move |response| {
            let length = response.body().len().map_or_else(|| "-".to_owned(), |length| length.to_string());
            log::info!(target: TARGET, "{client} {request_line} {} {length}", response.status().as_u16());
            response
        })
    }
}

/// Method and target, with everything escaped that is not plain text.
fn describe(request: &Request) -> String {
    format!("{} {}", request.method(), request.target().escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestClient;

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        let client = TestClient::new(|request: &mut Request| describe(request));
        let line = client.get("/\u{9b}31m").send();
        assert_eq!(line.text(), "GET /\\u{9b}31m");
    }
}
