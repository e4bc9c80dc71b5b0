//! Behind a proxy every request comes from the proxy. This decorator tells who asked the proxy.
//!
//! A client can write `X-Forwarded-For` itself, so the fields are read from our end, and only as far as they can be
//! believed: a trusted peer says who asked it; if that was a trusted proxy too, the next element says who asked that one.
//! The first who is not trusted is the client, whatever stands to its left. From a peer that is not trusted the fields
//! are taken away, so that no handler believes them by mistake.
//!
//! ```text
//!   X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.7       peer 10.0.0.1
//!                    forged   the client   trusted ◄───── trusted
//! ```
//!
//! Pattern: Decorator (it changes the request).

use std::io;
use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HOST, HeaderName};
use http::uri::Authority;
use http::{HeaderValue, StatusCode};
use ipnet::IpNet;

use super::forwarded::{Hop, Malformed, customary, standard};
use crate::handler::{Handler, Middleware, Plan};
use crate::message::{Request, Response, Security};

/// Believes what proxies of your own say of the client. Then [`Request::client_addr`], [`Request::is_secure`] and the
/// `Host` field are those of the client's request, for all handlers and decorators inside.
///
/// ```
/// use qibu::{HandlerExt, Request, TrustedProxies, testing::TestClient};
///
/// let who = |request: &mut Request| request.client_addr().to_string();
/// let client = TestClient::new(who.with(TrustedProxies::new(["127.0.0.0/8", "10.0.0.0/8"])?));
/// let answer = client.get("/").header("X-Forwarded-For", "6.6.6.6, 203.0.113.9, 10.0.0.7").send();
/// assert_eq!(answer.text(), "203.0.113.9");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    unix_sockets: Trust,
    source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Trusted,
    Untrusted,
}

/// Which fields the proxies write. The others come from the client and mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// `X-Forwarded-For`, `-Proto`, `-Host`
    Customary,
    /// `Forwarded`
    Standard,
}

/// Marks a request that was looked at, for it is asked for twice, and only the first time shows the peer's own words.
#[derive(Debug, Clone, Copy)]
struct Examined;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

impl TrustedProxies {
    /// Trusts these peers: addresses, networks such as `10.0.0.0/8`, or `unix` for all who come through a unix socket.
    /// Fails if one of them is none of these. They are believed in `X-Forwarded-For`, `-Proto` and `-Host`; each must
    /// write them itself.
    pub fn new<'a>(peers: impl IntoIterator<Item = &'a str>) -> io::Result<Self> {
        let mut proxies = Self { networks: Vec::new(), unix_sockets: Trust::Untrusted, source: Source::Customary };
        for peer in peers {
            match peer {
                "unix" => proxies.unix_sockets = Trust::Trusted,
                _ => proxies.networks.push(network(peer)?),
            }
        }
        Ok(proxies)
    }

    /// Reads `Forwarded` (RFC 7239) instead of the X- fields. Not both: a proxy that writes one lets the other pass as
    /// the client wrote it.
    #[must_use]
    pub fn forwarded(mut self) -> Self {
        self.source = Source::Standard;
        self
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address.to_canonical()))
    }

    fn trusts_peer(&self, peer: SocketAddr) -> bool {
        let is_unix = peer.ip().is_unspecified() && peer.port() == 0;
        if is_unix { self.unix_sockets == Trust::Trusted } else { self.trusts(peer.ip()) }
    }

    /// Puts into the request what is known of the client, and takes away what was not to be believed.
    fn examine(&self, request: &mut Request) -> Result<(), Malformed> {
        let is_first = request.extensions_mut().insert(Examined).is_none();
        if !is_first {
            return Ok(());
        }
        let trusts_peer = self.trusts_peer(request.peer_addr());
        let ours = [X_FORWARDED_FOR, X_FORWARDED_PROTO, X_FORWARDED_HOST];
        match self.source {
            _ if !trusts_peer => {
                remove(request, &ours);
                remove(request, &[FORWARDED]);
            }
            Source::Standard => {
                let hops = standard(request)?;
                remove(request, &ours);
                self.believe(request, &hops);
            }
            Source::Customary => {
                let hops = customary(request);
                remove(request, &[FORWARDED]);
                self.believe(request, &hops);
            }
        }
        Ok(())
    }

    /// Goes from hop to hop, from our end, while the one who speaks is trusted.
    fn believe(&self, request: &mut Request, hops: &[Hop]) {
        let mut last = None;
        for hop in hops.iter().rev() {
            last = Some(hop);
            // What is no address ends the walk: the trusted one who wrote it is the last we know.
            let Some(client) = hop.client else { break };
            request.set_client(client);
            if !self.trusts(client) {
                break;
            }
        }
        let Some(hop) = last else { return };
        if let Some(scheme) = &hop.scheme {
            let is_encrypted = scheme.eq_ignore_ascii_case("https");
            request.set_security(if is_encrypted { Security::Encrypted } else { Security::Plain });
        }
        if let Some(host) = hop.host.as_deref().and_then(host_field) {
            request.headers_mut().insert(HOST, host);
        }
    }
}

impl Middleware for TrustedProxies {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        match self.examine(request) {
            Ok(()) => next.handle(request),
            Err(Malformed) => refusal(),
        }
    }

    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        match self.examine(request) {
            Ok(()) => next.plan(request),
            Err(Malformed) => Plan::refuse(refusal()),
        }
    }
}

/// Nobody shall hide behind a field that cannot be read.
fn refusal() -> Response {
    let status = StatusCode::BAD_REQUEST;
    Response::text(format!("{status}: Forwarded is malformed\n")).with_status(status)
}

fn network(text: &str) -> io::Result<IpNet> {
    let parsed = text.parse().ok().or_else(|| text.parse().ok().map(|address: IpAddr| IpNet::from(address)));
    parsed.ok_or_else(|| {
        let what = format!("TrustedProxies: {text:?} is no address, no network as in 10.0.0.0/8, and not `unix`");
        io::Error::new(io::ErrorKind::InvalidInput, what)
    })
}

/// The map is built only where there is something to remove.
fn remove(request: &mut Request, names: &[HeaderName]) {
    for name in names {
        if request.header_bytes(name.as_str()).is_some() {
            request.headers_mut().remove(name);
        }
    }
}

/// RFC 9110 §7.2: a host and perhaps a port, and nothing else.
fn host_field(text: &str) -> Option<HeaderValue> {
    let authority: Authority = text.parse().ok()?;
    let is_plain = !authority.as_str().contains('@') && !authority.host().is_empty();
    is_plain.then(|| HeaderValue::from_str(authority.as_str()).ok()).flatten()
}
