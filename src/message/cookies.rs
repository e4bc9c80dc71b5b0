//! Cookies (RFC 6265): those that a client brings, and those that it shall keep.
//!
//! What a client sends as `Cookie` is text of its own making and means no more than any other field; a value that must not
//! be changed by its owner has to be signed. Reading never fails: what has no name is left out
//! (tests/comfort.rs tries it with any text).
//!
//! Pattern: Adapter (of the crate cookie), Builder ([`Cookie`]).

use std::fmt;
use std::time::Duration;

use http::HeaderValue;
use http::header::SET_COOKIE;

use super::{Request, Response};

impl Request {
    /// The value of the cookie of that name, as it was sent, without quotes around it. Where there are several, the first:
    /// browsers send the one of the longest path first.
    ///
    /// ```
    /// use qibu::{Request, Response, cookies::Cookie, testing::TestClient};
    ///
    /// let client = TestClient::new(|request: &mut Request| {
    ///     let visits = request.cookie("visits").and_then(|text| text.parse().ok()).unwrap_or(0) + 1;
    ///     Response::text(format!("visit {visits}")).with_cookie(Cookie::new("visits", visits.to_string()))
    /// });
    /// client.get("/").send();
    /// assert_eq!(client.get("/").send().text(), "visit 2");
    /// ```
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All cookies that the client sent, in order.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.header_values("cookie").filter_map(|field| std::str::from_utf8(field).ok());
        let pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.split_once('='));
        let cookies = pairs.map(|(name, value)| (trimmed(name), unquoted(trimmed(value))));
        cookies.filter(|(name, _)| !name.is_empty())
    }
}

/// RFC 6265 §5.4 puts a space before each pair but the first. No other white space is cut off, as `cookie::Cookie::parse`
/// does with all of Unicode's: it would take a cookie that anybody may set, `\u{2003}__Host-id`, for `__Host-id`, which only
/// this host may.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// RFC 6265 §4.1.1: the quotes are not part of the value.
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// A cookie for the client to keep; see [`Response::with_cookie`].
///
/// Without being told, it is kept until the browser is closed, for all paths of this host, out of reach of scripts
/// (`HttpOnly`), and not sent with what other sites post here (`SameSite=Lax`).
///
/// ```
/// use std::time::Duration;
/// use qibu::Response;
/// use qibu::cookies::{Cookie, SameSite};
///
/// let cookie = Cookie::new("theme", "dark").max_age(Duration::from_secs(3600)).same_site(SameSite::Strict).secure();
/// let response = Response::text("ok").with_cookie(cookie);
/// assert_eq!(response.headers()["set-cookie"], "theme=dark; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=3600");
/// ```
#[derive(Clone)]
#[must_use]
pub struct Cookie {
    inner: cookie::Cookie<'static>,
}

/// Whether a cookie goes along with requests that come from another site's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// When a link is followed.
    Lax,
    /// Always; browsers ask for [`Cookie::secure`], too.
    None,
}

impl Cookie {
    /// A cookie of that name and value. The name is a token, and the value plain ASCII without white space, quotes, comma,
    /// semicolon and backslash (RFC 6265 section 4.1.1); anything else must be encoded first.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        let inner = cookie::Cookie::build((name.into(), value.into()));
        Self { inner: inner.path("/").http_only(true).same_site(cookie::SameSite::Lax).build() }
    }

    /// Makes the client forget the cookie of that name; path and domain must be those with which it was set.
    pub fn removal(name: impl Into<String>) -> Self {
        Self::new(name, "").max_age(Duration::ZERO)
    }

    /// How long the client shall keep it, in whole seconds, instead of until the browser is closed.
    pub fn max_age(mut self, age: Duration) -> Self {
        let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.inner.set_max_age(cookie::time::Duration::seconds(age));
        self
    }

    /// Beneath which path it is sent. Default: `/`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.inner.set_path(path.into());
        self
    }

    /// To all hosts of this domain, instead of this host alone.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.inner.set_domain(domain.into());
        self
    }

    /// Over TLS only.
    pub fn secure(mut self) -> Self {
        self.inner.set_secure(true);
        self
    }

    /// Lets scripts of the page read it.
    pub fn readable_by_scripts(mut self) -> Self {
        self.inner.set_http_only(false);
        self
    }

    /// Whether it goes along with requests from other sites. Default: [`SameSite::Lax`].
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.inner.set_same_site(match same_site {
            SameSite::Strict => cookie::SameSite::Strict,
            SameSite::Lax => cookie::SameSite::Lax,
            SameSite::None => cookie::SameSite::None,
        });
        self
    }

    /// The field's value, if each part is what RFC 6265 §4.1.1 allows: a semicolon in one would be the next attribute.
    fn to_header(&self) -> Option<HeaderValue> {
        let is_token = http::HeaderName::from_bytes(self.inner.name().as_bytes()).is_ok();
        let is_value = self.inner.value().bytes().all(is_cookie_octet);
        let attributes = [self.inner.path(), self.inner.domain()];
        let are_sound = attributes.into_iter().flatten().all(|text| text.bytes().all(is_attribute_octet));
        let is_sound = is_token && is_value && are_sound;
        is_sound.then(|| HeaderValue::from_str(&self.inner.to_string()).ok()).flatten()
    }
}

fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

fn is_attribute_octet(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e) && byte != b';'
}

impl fmt::Debug for Cookie {
    /// Without the value, which may be a key to somebody's account.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie").field("name", &self.inner.name()).finish_non_exhaustive()
    }
}

impl Response {
    /// The same with a cookie to keep, beside those that were set before. One that RFC 6265 does not allow is logged and
    /// the answer becomes a 500, as for [`with_header`](Self::with_header).
    #[must_use]
    pub fn with_cookie(mut self, cookie: Cookie) -> Self {
        match cookie.to_header() {
            Some(value) => {
                self.headers_mut().append(SET_COOKIE, value);
                self
            }
            None => self.broken(format_args!("the cookie {:?}", cookie.inner.name())),
        }
    }
}
