//! Fields that tell a browser what a page is not going to do, so that whoever gets something into the page cannot do it.
//!
//! Pattern: Decorator (it changes the answer).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

use crate::handler::{Handler, Middleware};
use crate::message::{Refusal, Request, Response};

/// Adds security fields to every answer, where the handler has not set them itself:
///
/// | field | default | so that |
/// |---|---|---|
/// | `Content-Security-Policy` | `default-src 'self'`, no plugins, no frames around us | a script from elsewhere, or one written into the page, does not run |
/// | `X-Content-Type-Options` | `nosniff` | text stays text, and is not taken for a script |
/// | `X-Frame-Options` | `DENY` | old browsers do not show us in a frame, either |
/// | `Referrer-Policy` | `strict-origin-when-cross-origin` | other sites do not learn paths |
/// | `Permissions-Policy` | no camera, microphone, location | a script does not even get to ask |
/// | `Cross-Origin-Opener-Policy` | `same-origin` | a page that opened us has no hold on us |
/// | `Strict-Transport-Security` | none; [`Self::hsts`] | |
///
/// ```
/// use qibu::{HandlerExt, Request, Response, SecurityHeaders, testing::TestClient};
///
/// let page = |_: &mut Request| Response::html("<h1>seven steps</h1>");
/// let safe = SecurityHeaders::new()
///     .set("content-security-policy", "default-src 'self'; style-src 'self' 'unsafe-inline'")?
///     .without("permissions-policy");
/// let answer = TestClient::new(page.with(safe)).get("/").send();
/// assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
/// assert_eq!(answer.header("permissions-policy"), None);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SecurityHeaders {
    /// Shared with the answers that come later.
    fields: Arc<HeaderMap>,
    hsts: Option<HeaderValue>,
}

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

const DEFAULTS: [(HeaderName, &str); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "strict-origin-when-cross-origin"),
    (PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=()"),
    (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
];

impl SecurityHeaders {
    /// The fields of the table.
    pub fn new() -> Self {
        let fields = DEFAULTS.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value)));
        Self { fields: Arc::new(fields.collect()), hsts: None }
    }

    /// Sets a field of the table, or any other, to this value. Fails if HTTP does not allow the name or the value.
    pub fn set(mut self, name: &str, value: &str) -> io::Result<Self> {
        let (Ok(field), Ok(text)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) else {
            let what = format!("SecurityHeaders: {name:?} with {value:?} is no header field");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        };
        Arc::make_mut(&mut self.fields).insert(field, text);
        Ok(self)
    }

    /// Leaves a field out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        Arc::make_mut(&mut self.fields).remove(name);
        self
    }

    /// Tells browsers to come by HTTPS only, for this long (RFC 6797). It cannot be taken back before that, so begin with
    /// an hour. Sent on secure connections alone, as section 7.2 asks.
    #[must_use]
    pub fn hsts(mut self, max_age: Duration) -> Self {
        let value = HeaderValue::try_from(format!("max-age={}", max_age.as_secs()));
        self.hsts = Some(value.expect("letters and digits"));
        self
    }
}

impl Default for SecurityHeaders {
    fn default() -> Self {
        Self::new()
    }
}

impl Middleware for SecurityHeaders {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        let (fields, hsts) = (self.fields.clone(), self.hsts.clone().filter(|_| request.is_secure()));
        next.handle(request).map(move |mut response| {
            add(&fields, &mut response);
            let headers = response.headers_mut();
            if let Some(hsts) = hsts {
                headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(hsts);
            }
            response
        })
    }

    fn refused(&self, _: &mut Refusal<'_>, mut answer: Response) -> Response {
        add(&self.fields, &mut answer);
        answer
    }
}

/// What the answer says itself goes first.
fn add(fields: &HeaderMap, answer: &mut Response) {
    for (name, value) in fields {
        answer.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
}
