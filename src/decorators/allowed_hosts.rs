//! For which names this server answers: a request for any other gets 421 (RFC 9110 section 15.5.20).
//!
//! A server that listens on this computer alone is still reached by every page that a browser on it shows. What keeps the
//! pages of other sites from reading the answers is that they are of another origin; and *DNS rebinding* gets around that:
//! `evil.example` has a page loaded, then tells the browser that `evil.example` is now 127.0.0.1. The page then reads our
//! files as its own, but it cannot hide its name: `Host` says `evil.example`, in every request.
//!
//! The name is that of the target, where the target has one; the protocol puts it in the place of `Host` (RFC 9112
//! section 3.2.2). A request without a name comes from no browser and passes, and so does one through a unix socket, which no
//! page can reach.
//!
//! Who is turned away is mostly no attacker: a proxy or a tunnel in front of us passes on its own name. So the answer and a
//! warning say what lets the name in, and the warning comes once for each name and not for each request.
//!
//! Pattern: Decorator (it may answer in place of the next handler).

use std::borrow::Cow;
use std::io;
use std::net::Ipv6Addr;
use std::sync::{Mutex, PoisonError};

use http::StatusCode;

use super::passes;
use crate::handler::{Handler, Middleware, Plan};
use crate::message::{Request, Response};

/// Answers only for the names that it is told, and for this computer's own.
///
/// ```
/// use qibu::{AllowedHosts, HandlerExt, Request, testing::TestClient};
///
/// let client = TestClient::new((|_: &mut Request| "hello").with(AllowedHosts::local().name("box.example")?));
/// for name in ["localhost:8080", "app.localhost", "127.0.0.1", "[::1]:8080", "Box.Example"] {
///     assert_eq!(client.get("/").header("Host", name).send().status(), 200);
/// }
/// assert_eq!(client.get("/").header("Host", "evil.example").send().status(), 421);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct AllowedHosts {
    names: Vec<Name>,
    addresses: Addresses,
    called: Cow<'static, str>,
    /// The hosts that were warned of last, the newest at the end.
    told: Mutex<Vec<Box<[u8]>>>,
}

/// So many hosts are remembered, each of which is warned of once.
const MOST_TOLD: usize = 16;

/// A name in lower case.
#[derive(Debug)]
enum Name {
    /// This one.
    Whole(String),
    /// This one, and all below it.
    Below(String),
}

/// Which addresses may stand in the place of a name.
#[derive(Debug)]
enum Addresses {
    OfThisComputer,
    All,
}

impl AllowedHosts {
    /// Answers for `localhost` and all names below it, for 127.0.0.0/8 and for `[::1]`.
    pub fn local() -> Self {
        Self {
            names: vec![Name::Below("localhost".into())],
            addresses: Addresses::OfThisComputer,
            called: "AllowedHosts".into(),
            told: Mutex::default(),
        }
    }

    /// Answers for this name too, whatever the port; `.example.org` stands for `example.org` and all names below it. Fails
    /// if it is no name of a host: a URL, say.
    pub fn name(mut self, name: &str) -> io::Result<Self> {
        let (whole, is_below) = name.strip_prefix('.').map_or((name, false), |name| (name, true));
        let is_label = |label: &str| {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !label.is_empty() && label.bytes().all(is_part)
        };
        if !whole.split('.').all(is_label) {
            let ascii = if name.is_ascii() {
                ""
            } else {
                "; requests have other letters in ASCII, as in xn--fsqu00a.xn--0zwm56d"
            };
            let message = format!("{name:?} is no name of a host, such as files.example.org or .example.org{ascii}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let whole = whole.to_ascii_lowercase();
        self.names.push(if is_below { Name::Below(whole) } else { Name::Whole(whole) });
        Ok(self)
    }

    /// Answers for every address, as in `http://192.0.2.7/`, and not only for this computer's own. That is safe: who gives an
    /// address asks no DNS that could lie.
    #[must_use]
    pub fn any_address(mut self) -> Self {
        self.addresses = Addresses::All;
        self
    }

    /// What the answer and the log name as the setting that lets a host in: an option of your program, say. Default:
    /// `AllowedHosts`.
    ///
    /// ```
    /// use qibu::{AllowedHosts, HandlerExt, Request, testing::TestClient};
    ///
    /// let hosts = AllowedHosts::local().called("--allow-host");
    /// let answer = TestClient::new((|_: &mut Request| "hello").with(hosts)).get("/").header("Host", "a.example").send();
    /// assert!(answer.text().contains("--allow-host"));
    /// ```
    #[must_use]
    pub fn called(mut self, setting: impl Into<Cow<'static, str>>) -> Self {
        self.called = setting.into();
        self
    }

    /// The answer to who asks for another host.
    fn refusal(&self, request: &Request) -> Option<Response> {
        let host = request.header_bytes("Host").filter(|host| !host.is_empty())?;
        if self.is_allowed(host) || came_by_unix_socket(request) {
            return None;
        }
        let setting = &*self.called;
        let name = without_port(host);
        if self.is_news(name) {
            let (peer, host) = (request.peer_addr(), name.escape_ascii());
            log::warn!(
                "421 for {peer}: this server does not answer for \"{host}\"; let it in if it is yours ({setting})"
            );
        }
        let sentence = format!("this server does not answer for this host ({setting})");
        Some(Response::explained_to(request, StatusCode::MISDIRECTED_REQUEST, &sentence))
    }

    /// Whether nobody has been warned of this host lately; from now on somebody has.
    fn is_news(&self, name: &[u8]) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.iter().any(|known| **known == *name) {
            return false;
        }
        if told.len() == MOST_TOLD {
            told.remove(0);
        }
        told.push(name.into());
        true
    }

    fn is_allowed(&self, host: &[u8]) -> bool {
        let name = without_port(host);
        match Address::of(name) {
            Some(Address::Loopback) => true,
            Some(Address::Other) => matches!(self.addresses, Addresses::All),
            // A dot at the end says that the name is whole; it is the same name (RFC 1034 §3.1).
            None => self.names.iter().any(|allowed| allowed.covers(name.strip_suffix(b".").unwrap_or(name))),
        }
    }
}

impl Name {
    fn covers(&self, host: &[u8]) -> bool {
        // Most clients write it in lower case, too.
        let is = |name: &str, host: &[u8]| name.as_bytes() == host || name.as_bytes().eq_ignore_ascii_case(host);
        match self {
            Self::Whole(name) => is(name, host),
            Self::Below(name) => {
                let below = host.len().checked_sub(name.len() + 1).map(|dot| &host[dot..]);
                is(name, host) || below.and_then(|rest| rest.strip_prefix(b".")).is_some_and(|rest| is(name, rest))
            }
        }
    }
}

/// `[::1]:80` and `localhost:80` have a port; the colons within the brackets are none.
fn without_port(host: &[u8]) -> &[u8] {
    match host.iter().rposition(|byte| !byte.is_ascii_digit()) {
        Some(colon) if host[colon] == b':' => &host[..colon],
        _ => host,
    }
}

/// What stands in the place of a name: `127.0.0.1`, or `[::1]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Address {
    Loopback,
    Other,
}

impl Address {
    fn of(name: &[u8]) -> Option<Self> {
        let is_loopback = match name {
            [b'[', address @ .., b']'] => {
                let address: Ipv6Addr = std::str::from_utf8(address).ok()?.parse().ok()?;
                address.to_canonical().is_loopback()
            }
            [b'0'..=b'9', ..] if is_four_numbers(name) => name.starts_with(b"127."),
            _ => return None,
        };
        Some(if is_loopback { Self::Loopback } else { Self::Other })
    }
}

/// Whether it has the form of an IPv4 address. How large its numbers are does not matter: a host that ends in a number is an
/// address or an error to browsers, and never a name that they ask DNS for (WHATWG URL, "ends in a number").
fn is_four_numbers(name: &[u8]) -> bool {
    let mut dots = 0;
    let are_digits_and_dots = name.iter().all(|byte| {
        dots += usize::from(*byte == b'.');
        matches!(byte, b'0'..=b'9' | b'.')
    });
    are_digits_and_dots && dots == 3 && !name.ends_with(b".")
}

/// Such a client has no address.
fn came_by_unix_socket(request: &Request) -> bool {
    request.peer_addr().port() == 0 && request.peer_addr().ip().is_unspecified()
}

impl Middleware for AllowedHosts {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        // What the plan has looked at is still there, unless somebody has changed it.
        if request.is_as_it_came() && passes::has(request, self) {
            return next.handle(request);
        }
        self.refusal(request).unwrap_or_else(|| next.handle(request))
    }

    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        if let Some(refusal) = self.refusal(request) {
            return Plan::refuse(refusal);
        }
        passes::give(request, self);
        next.plan(request)
    }
}
