//! WebSocket (RFC 6455): messages both ways, for as long as both sides like.
//!
//! ```text
//!  GET, Upgrade: websocket ──► handshake ──► 101 ──► WebSocketSession
//!
//!  the client's frames ──► tungstenite ──► Handler::on_message          on the client's loop
//!  any thread ──► Sender ──► queue of so many bytes ──► the client      frames, made once for all who get them
//! ```
//!
//! Each client has a [`Handler`] of its own, which lives on the client's loop and costs no thread. It, and whoever has a clone
//! of its [`Sender`], can send at any time. Nothing grows without a limit: a message, the queue to a slow client, the time in
//! which a quiet client must show that it lives, and the time for saying goodbye.
//!
//! Pattern: State (HTTP's session becomes this one), Observer ([`Handler`], [`Broadcast`]).

mod broadcast;
mod frame;
mod handshake;
mod incoming;
mod message;
mod sender;
mod session;

use std::time::Duration;

use http::header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL};

pub use self::broadcast::Broadcast;
use self::handshake::{Agreement, Origins};
pub use self::message::{Message, Text};
pub use self::sender::Sender;
use self::session::WebSocketSession;
use crate::message::{Request, Response};

/// What happens on one client's WebSocket. Each client has an object of its own; it is called on the client's loop and must
/// not block.
///
/// A closure that takes messages is a handler: `|peer: &ws::Sender, message: ws::Message| { ... }`.
pub trait Handler: Send + 'static {
    /// The client is there.
    fn on_open(&mut self, peer: &Sender) {
        let _ = peer;
    }

    /// The client has sent a message. A panic costs this client its connection (1011), and nobody else anything.
    fn on_message(&mut self, peer: &Sender, message: Message);

    /// The conversation is over, for whatever reason; called once, and last. The code is what was said to or by the client
    /// (RFC 6455 section 7.4): 1000 and 1001 are common, 1005 is a goodbye without a code, and 1006 is none at all: the
    /// connection broke, or the client stopped answering. Not called where this object has panicked before.
    fn on_close(&mut self, code: u16) {
        let _ = code;
    }
}

impl<F: FnMut(&Sender, Message) + Send + 'static> Handler for F {
    fn on_message(&mut self, peer: &Sender, message: Message) {
        self(peer, message);
    }
}

/// The settings of a WebSocket, and the way to it: [`upgrade`](Self::upgrade) is the answer to a request.
///
/// ```
/// use qibu::{Http, Request, testing::TestConn, ws::{self, WebSocket}};
///
/// let echo = WebSocket::new().message_limit(64 * 1024);
/// let server = Http::new(move |request: &mut Request| {
///     echo.upgrade(request, |peer: &ws::Sender, message: ws::Message| {
///         let _ = peer.send(message); // fails where the client has gone
///     })
/// });
/// let mut client = TestConn::open(server).unwrap();
/// client.send(
///     b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
///       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
/// );
/// assert!(client.recv().starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
/// client.send(b"\x81\x82\0\0\0\0hi"); // text of two bytes; the mask is four zeros
/// assert_eq!(client.recv(), b"\x81\x02hi");
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct WebSocket {
    limits: Limits,
    subprotocols: Vec<&'static str>,
    origins: Origins,
}

/// What a session needs to know of the settings.
#[derive(Debug, Clone, Copy)]
struct Limits {
    message_bytes: usize,
    queue_bytes: usize,
    message_rate: u32,
    ping_interval: Duration,
    pong_timeout: Duration,
    idle_timeout: Option<Duration>,
    close_timeout: Duration,
    slow_handler_warning: Duration,
}

impl Default for WebSocket {
    fn default() -> Self {
        let limits = Limits {
            message_bytes: 1024 * 1024,
            queue_bytes: 1024 * 1024,
            message_rate: 240,
            ping_interval: Duration::from_secs(30),
            pong_timeout: Duration::from_secs(30),
            idle_timeout: None,
            close_timeout: Duration::from_secs(5),
            slow_handler_warning: Duration::from_millis(100),
        };
        Self { limits, subprotocols: Vec::new(), origins: Origins::Own { and: Vec::new() } }
    }
}

impl WebSocket {
    /// The default settings, which are safe on the open internet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Longest message from a client, in bytes, in one frame or in many; a longer one gets 1009 and the end. Default: 1 MiB.
    pub fn message_limit(mut self, bytes: usize) -> Self {
        self.limits.message_bytes = bytes;
        self
    }

    /// How many bytes may wait for a client that reads slowly, besides those on their way; then it gets 1013 and the end. What
    /// its handler sends in one call waits until the call is over. One message is always taken. Default: 1 MiB.
    pub fn queue_limit(mut self, bytes: usize) -> Self {
        self.limits.queue_bytes = bytes;
        self
    }

    /// How fast a message must come, in bytes per second on average, after the first 5 seconds; a slower one gets 1008 and
    /// the end. 0 lets it take its time. Default: 240.
    pub fn min_message_rate(mut self, bytes_per_second: u32) -> Self {
        self.limits.message_rate = bytes_per_second;
        self
    }

    /// How long a client may be silent until it is asked for a sign of life; [`Duration::MAX`]: it is never asked, and one whose
    /// end nobody has told us of stays. Default: 30 seconds.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.limits.ping_interval = interval;
        self
    }

    /// How long it may take with that; then it is dropped. Default: 30 seconds.
    pub fn pong_timeout(mut self, limit: Duration) -> Self {
        self.limits.pong_timeout = limit;
        self
    }

    /// How long nobody may say anything but signs of life; then the client gets 1001 and the end. Default: as long as they
    /// like.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.limits.idle_timeout = Some(limit);
        self
    }

    /// How long a client may take to say goodbye, too. Default: 5 seconds.
    pub fn close_timeout(mut self, limit: Duration) -> Self {
        self.limits.close_timeout = limit;
        self
    }

    /// From when on a call of a handler is named in a warning in the log: it holds up all clients of its loop. Default: 100
    /// milliseconds.
    pub fn slow_handler_warning(mut self, limit: Duration) -> Self {
        self.limits.slow_handler_warning = limit;
        self
    }

    /// What is spoken over the WebSocket, the most welcome first: the first that the client offers is agreed on. A client
    /// that offers none of them is let in all the same; see [`Sender::subprotocol`].
    pub fn subprotocols(mut self, names: &[&'static str]) -> Self {
        self.subprotocols = names.to_vec();
        self
    }

    /// Lets pages of another site in, such as `"https://example.org"`; may be said several times. Without it, a browser may
    /// only come from a page whose host and port are those that the request is for. Behind a proxy that changes `Host`,
    /// name the site as people know it. Clients that are no browsers send no Origin, and are let in.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        if let Origins::Own { and } = &mut self.origins {
            and.push(origin.into());
        }
        self
    }

    /// Lets pages of all sites in. They come with the cookies that a visitor has for this server: do not take those for a
    /// login.
    pub fn any_origin(mut self) -> Self {
        self.origins = Origins::Any;
        self
    }

    /// The answer to a request for a WebSocket: 101, and from then on `handler` is called for this client. Anything else
    /// is told what was wrong with it: 400, 403, or 426 where it is no such request.
    pub fn upgrade(&self, request: &Request, handler: impl Handler) -> Response {
        match handshake::check(request, &self.origins, &self.subprotocols) {
            Ok(agreement) => self.accept(request, handler, &agreement),
            Err(answer) => *answer,
        }
    }

    /// RFC 6455 §4.2.2, step 5.
    fn accept(&self, request: &Request, handler: impl Handler, agreement: &Agreement) -> Response {
        let (limits, subprotocol) = (self.limits, agreement.subprotocol);
        let response = Response::upgrade(request, "websocket", move |new_socket| {
            WebSocketSession::new(new_socket, Box::new(handler), limits, subprotocol)
        });
        let response = response.with_header(SEC_WEBSOCKET_ACCEPT.as_str(), &agreement.accept);
        match subprotocol {
            Some(name) => response.with_header(SEC_WEBSOCKET_PROTOCOL.as_str(), name),
            None => response,
        }
    }
}
