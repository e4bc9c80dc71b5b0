//! Requests to a handler, and its answers.
//!
//! Pattern: Facade (over [`TestConn`]).

#[cfg(feature = "form")]
mod form;
mod jar;
#[cfg(feature = "json")]
mod json;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use percent_encoding::{AsciiSet, utf8_percent_encode};

use self::jar::Jar;
use super::TestConn;
use crate::handler::Handler;
use crate::protocol::Http;

/// Sends requests to a handler, each on a connection of its own. It keeps cookies and sends them back, as a browser does.
/// It follows no redirect: a test looks at it, and asks for its `location` if it wants to. What is not ASCII in a target is
/// percent-encoded, as browsers do; all else is sent as it is written ([`TestConn`] sends any bytes).
///
/// ```
/// use qibu::{Request, testing::TestClient};
///
/// let client = TestClient::new(|request: &mut Request| format!("you want {}", request.path()));
/// let answer = client.get("/news").header("Accept", "text/plain").send();
/// assert_eq!(answer.status(), 200);
/// assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
/// assert_eq!(answer.text(), "you want /news");
/// ```
pub struct TestClient {
    http: Http,
    jar: Mutex<Jar>,
}

impl TestClient {
    /// A client of this handler.
    pub fn new(handler: impl Handler) -> Self {
        Self::with_http(Http::new(handler))
    }

    /// A client of this protocol, with settings of your own.
    pub fn with_http(http: Http) -> Self {
        Self { http, jar: Mutex::default() }
    }

    /// A GET request.
    pub fn get(&self, target: &str) -> TestRequest<'_> {
        self.request("GET", target)
    }

    /// A POST request.
    pub fn post(&self, target: &str) -> TestRequest<'_> {
        self.request("POST", target)
    }

    /// A PUT request.
    pub fn put(&self, target: &str) -> TestRequest<'_> {
        self.request("PUT", target)
    }

    /// A PATCH request.
    pub fn patch(&self, target: &str) -> TestRequest<'_> {
        self.request("PATCH", target)
    }

    /// A DELETE request.
    pub fn delete(&self, target: &str) -> TestRequest<'_> {
        self.request("DELETE", target)
    }

    /// A request with any method.
    pub fn request(&self, method: &str, target: &str) -> TestRequest<'_> {
        let target = utf8_percent_encode(target, &AsciiSet::EMPTY).to_string();
        TestRequest { client: self, method: method.into(), target, fields: Vec::new(), body: None }
    }

    /// Forgets all cookies, as a new browser would have none.
    pub fn forget_cookies(&self) {
        *self.jar() = Jar::default();
    }

    /// A test that panics elsewhere leaves the jar whole.
    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").finish_non_exhaustive()
    }
}

/// A request that [`TestClient`] makes.
#[derive(Debug)]
#[must_use = "it is not sent yet"]
pub struct TestRequest<'a> {
    client: &'a TestClient,
    method: String,
    target: String,
    fields: Vec<(String, String)>,
    body: Option<Bytes>,
}

impl TestRequest<'_> {
    /// Adds a field. `Host: localhost` is sent unless a Host is given, and the cookies that were kept unless a Cookie is.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds a body, sent with its Content-Length.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends it and waits for the whole answer.
    ///
    /// # Panics
    ///
    /// If no complete HTTP answer comes: the test has failed.
    pub fn send(self) -> TestResponse {
        let mut conn = TestConn::connect(&self.client.http).expect("HTTP opens every connection");
        conn.send(&self.to_bytes());
        let wants_body = self.method != "HEAD";
        let mut received = conn.recv();
        loop {
            match TestResponse::parse(&received, wants_body, conn.is_closed()) {
                Some(response) => {
                    let cookies = response.headers("set-cookie");
                    cookies.for_each(|cookie| self.client.jar().keep(cookie, &self.target));
                    return response;
                }
                None if conn.wait_for_mail() => received.extend(conn.recv()),
                None => panic!(
                    "no complete answer to {} {}: {:?}",
                    self.method,
                    self.target,
                    String::from_utf8_lossy(&received)
                ),
            }
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let has = |name: &str| self.fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if !has("host") {
            head += "Host: localhost\r\n";
        }
        if let Some(cookies) = self.client.jar().cookies_for(&self.target).filter(|_| !has("cookie")) {
            head += &format!("Cookie: {cookies}\r\n");
        }
        for (name, value) in &self.fields {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        [head.as_bytes(), b"\r\n", self.body.as_deref().unwrap_or_default()].concat()
    }
}

/// An answer that [`TestClient`] got.
#[derive(Debug)]
pub struct TestResponse {
    status: u16,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl TestResponse {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first field of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// All fields of that name, in any case, in order.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| &**value)
    }

    /// The body, decoded from its chunks.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// If it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8 text")
    }

    /// The first final response in `bytes`; `None` while it is incomplete.
    fn parse(bytes: &[u8], wants_body: bool, is_closed: bool) -> Option<Self> {
        let head_end = find(bytes, b"\r\n\r\n")?;
        let (head, rest) = (std::str::from_utf8(&bytes[..head_end]).ok()?, &bytes[head_end + 4..]);
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        if (100..200).contains(&status) {
            return Self::parse(rest, wants_body, is_closed);
        }
        let fields =
            lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.into(), value.trim().into()));
        let mut response = Self { status, fields: fields.collect(), body: Vec::new() };
        if wants_body && !matches!(status, 204 | 304) {
            response.body = response.read_body(rest, is_closed)?;
        }
        Some(response)
    }

    fn read_body(&self, rest: &[u8], is_closed: bool) -> Option<Vec<u8>> {
        if self.header("transfer-encoding").is_some() {
            return unchunk(rest);
        }
        match self.header("content-length") {
            Some(length) => rest.get(..length.parse().ok()?).map(<[u8]>::to_vec),
            None => is_closed.then(|| rest.to_vec()),
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// What well-formed chunks hold; `None` while the last one is missing.
fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = find(rest, b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line_end]).ok()?, 16).ok()?;
        rest = &rest[line_end + 2..];
        if size == 0 {
            return (rest.starts_with(b"\r\n") || find(rest, b"\r\n\r\n").is_some()).then_some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}
