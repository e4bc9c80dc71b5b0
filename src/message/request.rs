//! What was asked: the head as it came, and the body.
//!
//! The head is kept as one buffer with the places of the names and values in it; [`Request::header`] reads those.
//! The `HeaderMap` that other crates like is built when somebody asks for it: a plain answer pays for no map.

#[cfg(any(feature = "form", feature = "json"))]
mod expect;
#[cfg(feature = "form")]
mod form;
mod id;
mod media_type;
mod raw_head;
mod routing;
mod values;

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version};
use smallvec::SmallVec;

pub(crate) use self::id::Id;
pub(crate) use self::raw_head::{FieldLine, RawHead, Span, is_named};
use self::routing::Routing;
pub(crate) use self::routing::{Outcome, Outside, Pattern, RouterId};
use super::{Address, Arrival, Body, ClientKey, Error, ExchangeId, Reply, RequestBody, Response, Sent, Watchers};

/// One request, as its handler sees it.
///
/// ```
/// use qibu::{Request, testing::TestClient};
///
/// let client = TestClient::new(|request: &mut Request| {
///     format!("{} {} as {}", request.method(), request.path(), request.header("user-agent").unwrap_or("nobody"))
/// });
/// let answer = client.get("/a%20b?c=d").header("User-Agent", "a doctest").send();
/// assert_eq!(answer.text(), "GET /a%20b as a doctest");
/// ```
pub struct Request {
    method: Method,
    version: Version,
    head: RawHead,
    /// Built on first use; from then on it is what counts.
    map: OnceCell<Box<HeaderMap>>,
    body: RequestBody,
    extensions: Extensions,
    peer: SocketAddr,
    /// `None` where it is the peer, as far as we know.
    client: Option<IpAddr>,
    security: Security,
    address: Address,
    exchange: ExchangeId,
    arrival: Arrival,
    routing: Routing,
    /// What the plan has found, for the handler.
    found: Cell<Option<Arc<dyn Any + Send + Sync>>>,
    watchers: Watchers,
    passes: Passes,
}

/// Which decorators have let a request through while it was planned, each by a number of its own. Hardly any server has more
/// than two that look.
type Passes = SmallVec<[usize; 2]>;

/// Where a request comes from.
pub(crate) struct Origin {
    pub(crate) peer: SocketAddr,
    /// Who is to have its answer, on the loop of the request's address.
    pub(crate) client: ClientKey,
    pub(crate) exchange: ExchangeId,
    pub(crate) arrival: Arrival,
}

/// Whether what the client sends can be read on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    Plain,
    Encrypted,
}

impl Request {
    /// One that asks for nothing yet: see [`Self::begin`].
    pub(crate) fn blank(peer: SocketAddr, address: Address, arrival: Arrival) -> Self {
        Self {
            method: Method::GET,
            version: Version::HTTP_11,
            head: RawHead::default(),
            map: OnceCell::new(),
            body: RequestBody::default(),
            extensions: Extensions::new(),
            peer,
            client: None,
            security: Security::Plain,
            address,
            exchange: 0,
            arrival,
            routing: Routing::default(),
            found: Cell::default(),
            watchers: Watchers::default(),
            passes: Passes::new(),
        }
    }

    /// Its [`RawHead`] is there, and means this.
    pub(crate) fn begin(&mut self, method: Method, version: Version, origin: Origin) {
        (self.method, self.version) = (method, version);
        (self.peer, self.client, self.security) = (origin.peer, None, Security::Plain);
        self.address.set_client(origin.client);
        (self.exchange, self.arrival) = (origin.exchange, origin.arrival);
    }

    /// It is over: forgets what was asked, and keeps the memory for another of the same loop. Each field is named here, so
    /// that none can be overlooked; the others are those that [`Self::begin`] sets.
    pub(crate) fn clear(&mut self) {
        let Self {
            method: _,
            version: _,
            peer: _,
            client: _,
            security: _,
            address: _,
            exchange: _,
            arrival: _,
            head,
            map,
            body,
            extensions,
            routing,
            found,
            watchers,
            passes,
        } = self;
        head.clear();
        map.take();
        body.clear();
        extensions.clear();
        routing.clear();
        found.take();
        *watchers = Watchers::default();
        passes.clear();
    }

    /// GET, HEAD, POST …
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// HTTP/1.0 or HTTP/1.1.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The path as it was sent: it begins with `/` (but for `OPTIONS *`) and is still percent-encoded. A mounted handler
    /// sees what its [`Router`](crate::Router) left of it; see [`Self::mount_path`].
    ///
    /// `/%70rivate` is the same path as `/private`, and opens the same file. So let routes and mounts decide who may see what:
    /// they know all spellings of a path, and `path().starts_with("/private")` knows one. [`Self::param`] decodes.
    pub fn path(&self) -> &str {
        match self.head.in_target(self.rest_of_path()) {
            "" => "/",
            path => path,
        }
    }

    /// What stands behind the `?`, as it was sent; `None` where there is no `?`.
    pub fn query_string(&self) -> Option<&str> {
        self.head.target.get(self.head.path_end as usize + 1..)
    }

    /// Path and query together, as sent; for log lines.
    pub fn target(&self) -> &str {
        &self.head.target
    }

    /// The first field of that name (in any case), if it is text. Values in other encodings: [`Self::header_bytes`].
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The first field of that name (in any case), without the white space around it.
    pub fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        match self.map.get() {
            Some(map) => map.get(name).map(HeaderValue::as_bytes),
            None => {
                let mut fields = self.head.fields.iter();
                fields.find(|field| self.head.is_named(field, name)).map(|field| self.head.slice(field.value))
            }
        }
    }

    /// Shows all fields with their names as they were written: who looks for several of them needs one pass.
    pub(crate) fn for_each_header<'a>(&'a self, mut see: impl FnMut(&'a [u8], &'a [u8])) {
        match self.map.get() {
            Some(map) => map.iter().for_each(|(name, value)| see(name.as_str().as_bytes(), value.as_bytes())),
            None => {
                self.head.fields.iter().for_each(|field| see(self.head.slice(field.name), self.head.slice(field.value)))
            }
        }
    }

    /// Whether the name of any field, as it was written, is such a one.
    pub(crate) fn has_header_like(&self, is_it: impl Fn(&[u8]) -> bool) -> bool {
        match self.map.get() {
            Some(map) => map.keys().any(|name| is_it(name.as_str().as_bytes())),
            None => self.head.fields.iter().any(|field| is_it(self.head.slice(field.name))),
        }
    }

    /// All fields of that name, in the order in which they came.
    pub fn header_values<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let (built, raw) = match self.map.get() {
            Some(map) => (Some(map.get_all(name).into_iter()), [].iter()),
            None => (None, self.head.fields.iter()),
        };
        let raw = raw.filter(move |field| self.head.is_named(field, name));
        built.into_iter().flatten().map(HeaderValue::as_bytes).chain(raw.map(|field| self.head.slice(field.value)))
    }

    /// All fields as a map; built on the first call.
    pub fn headers(&self) -> &HeaderMap {
        self.map.get_or_init(|| self.head.to_map().into())
    }

    /// The map, to be changed by a decorator before the next handler sees the request.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.headers();
        self.map.get_mut().expect("built one line above")
    }

    /// The trailer fields that came after a chunked body; while it still arrives there are none. They are never mixed with the header fields (RFC 9110 §6.5.1).
    pub fn trailers(&self) -> &HeaderMap {
        self.body.trailers()
    }

    /// The address of the client, or of the proxy before it. Clients of a unix socket have `0.0.0.0:0`.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// The address of the client itself, where [`TrustedProxies`](crate::TrustedProxies) stands around the handler and a
    /// proxy has told it; else that of the peer.
    pub fn client_addr(&self) -> IpAddr {
        self.client.unwrap_or_else(|| self.peer.ip())
    }

    /// Whether the client's connection is encrypted, as far as we know: to us, or to a trusted proxy.
    pub fn is_secure(&self) -> bool {
        self.security == Security::Encrypted
    }

    pub(crate) fn set_client(&mut self, client: IpAddr) {
        self.client = Some(client);
    }

    pub(crate) fn set_security(&mut self, security: Security) {
        self.security = security;
    }

    /// The body as an `io::Read`, decoded from its chunks. It is in memory, unless the plan is
    /// [`Plan::stream`](crate::Plan::stream): then reading waits for the client.
    pub fn body(&mut self) -> &mut RequestBody {
        &mut self.body
    }

    /// The whole body, decoded from its chunks (what is left of it, where it arrives while it is read). Fails if it could
    /// not be read to its end.
    pub fn bytes(&mut self) -> Result<&Bytes, Error> {
        Ok(self.body.collect()?)
    }

    /// The whole body as text. Fails with 400 if it is not UTF-8.
    pub fn text(&mut self) -> Result<&str, Error> {
        let body = self.bytes()?;
        std::str::from_utf8(body).map_err(|_| Error::new(StatusCode::BAD_REQUEST, "the body is not UTF-8 text"))
    }

    /// Values that decorators leave for handlers.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Values that decorators leave for handlers.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// Puts the answer off: return the response from the handler, and send the reply from any thread when it is known.
    /// No thread waits meanwhile. At most one reply of a request counts, and one that is dropped unsent is a 500.
    ///
    /// Status and fields that are set on the response are set on the reply when it comes; a change with
    /// [`Response::map`] is made to whatever is answered, also to what the server answers itself in place of a reply.
    ///
    /// Nobody is told when the client goes meanwhile, and a reply for one that has gone is dropped. A client that has only
    /// finished sending is there, since it may still read (see [`BodySender::is_closed`](super::BodySender::is_closed)).
    ///
    /// ```
    /// use qibu::{Request, Response, testing::TestClient};
    ///
    /// fn slow(request: &mut Request) -> Response {
    ///     let (reply, pending) = request.later();
    ///     std::thread::spawn(move || reply.send("thought about it"));
    ///     pending
    /// }
    /// assert_eq!(TestClient::new(slow).get("/").send().text(), "thought about it");
    /// ```
    pub fn later(&mut self) -> (Reply, Response) {
        let pending = Response::new(StatusCode::OK).with_body(Body::later(self.exchange));
        (Reply::new(self.address.clone(), self.exchange), pending)
    }

    pub(crate) fn exchange(&self) -> ExchangeId {
        self.exchange
    }

    /// Tells `witness` what became of the request, once: when its answer was sent, or when its client has gone. The answer
    /// need not be that of the handler.
    pub(crate) fn watch(&mut self, witness: impl FnOnce(Sent) + Send + 'static) {
        self.watchers.add(Box::new(witness));
    }

    pub(crate) fn watchers(&mut self) -> &mut Watchers {
        &mut self.watchers
    }

    /// When it came; see [`Arrival`].
    pub(crate) fn arrival(&self) -> Arrival {
        self.arrival
    }

    /// A handler is asked twice, for its plan and for its answer: what the plan has found out can be left here. Whoever takes it
    /// must see that it is what it would have found itself, since decorators may have changed the request meanwhile. It is as
    /// fresh as the request's arrival asks for.
    pub(crate) fn set_found(&self, found: Arc<dyn Any + Send + Sync>) {
        self.found.set(Some(found));
    }

    /// What the plan left, if it is such a thing.
    pub(crate) fn take_found<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.found.take()?.downcast().ok()
    }

    /// What a decorator's plan has found good, and its handling need not look at again.
    pub(crate) fn passes(&self) -> &Passes {
        &self.passes
    }

    /// The same, for the plan.
    pub(crate) fn passes_mut(&mut self) -> &mut Passes {
        &mut self.passes
    }

    /// Whether nobody can have changed a field since the client sent it.
    pub(crate) fn is_as_it_came(&self) -> bool {
        self.map.get().is_none()
    }

    /// To be filled.
    pub(crate) fn head_mut(&mut self) -> &mut RawHead {
        &mut self.head
    }

    /// Its head says that a body follows (RFC 9112 section 6.3); one of no bytes is none.
    pub(crate) fn announce_body(&mut self) {
        self.body = RequestBody::announced();
    }

    /// Whether one follows: for plans, which are made before any of it is looked at.
    pub(crate) fn announces_body(&self) -> bool {
        self.body.is_announced()
    }

    /// Its body is there, or begins to be; it came with this arrival.
    pub(crate) fn set_body(&mut self, body: RequestBody, arrival: Arrival) {
        self.body = body;
        if !arrival.may_use(self.arrival) {
            self.found.take(); // it was fresh for an earlier moment
        }
        self.arrival = arrival;
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("target", &self.target())
            .field("version", &self.version)
            .field("headers", self.headers())
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
