//! Cross-origin isolation: what a page must promise before browsers let it share memory between threads
//! (`SharedArrayBuffer`, WebAssembly threads) and measure time exactly.
//!
//! Pattern: Decorator (it changes the answer).

use http::{HeaderName, HeaderValue};

use crate::handler::{Handler, Middleware};
use crate::message::{Request, Response};

/// Isolates the pages of a site, so that `crossOriginIsolated` is true in them: every answer says
/// `Cross-Origin-Opener-Policy: same-origin`, `Cross-Origin-Embedder-Policy: require-corp` and
/// `Cross-Origin-Resource-Policy: same-origin`. A field that the handler has set itself stays.
///
/// What a page loads from other sites must then say that it may be loaded, by `Cross-Origin-Resource-Policy` or CORS.
/// Browsers heed this on `localhost` and over HTTPS.
///
/// ```
/// use qibu::{HandlerExt, Isolation, Request, testing::TestClient};
///
/// let page = |_: &mut Request| "seven steps";
/// let answer = TestClient::new(page.with(Isolation::new())).get("/").send();
/// assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
/// assert_eq!(answer.header("cross-origin-embedder-policy"), Some("require-corp"));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Isolation {}

const FIELDS: [(HeaderName, HeaderValue); 3] = [
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-embedder-policy"), HeaderValue::from_static("require-corp")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

impl Isolation {
    /// Isolates all that the handler answers.
    pub fn new() -> Self {
        Self {}
    }
}

impl Middleware for Isolation {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        next.handle(request).map(|mut response| {
            for (name, value) in FIELDS {
                response.headers_mut().entry(name).or_insert(value);
            }
            response
        })
    }
}
