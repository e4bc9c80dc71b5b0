//! Leaving HTTP/1.1 for another protocol on the same connection (RFC 9110 section 7.8).
//!
//! ```text
//!  GET, Upgrade: echo ──► handler ──► Response::upgrade ──► 101 ──► Next::Become(the new session)
//! ```
//!
//! The response carries whatever opens the new session through the decorators to the HTTP session, which sends the head and
//! hands over the connection with all that has arrived behind the request. [`Response`] is a plain value of a lower layer,
//! so its constructor stands here, where sessions are known.
//!
//! Pattern: State (one session becomes another), Factory Method.

use http::header::{CONNECTION, EXPECT, UPGRADE};
use http::{Method, StatusCode, Version};

use super::Session;
use crate::connection::Connection;
use crate::message::{Body, Request, Response, Upgrade};

/// Makes the session that comes after HTTP.
pub(super) type Opening = Box<dyn FnOnce(&mut Connection) -> Box<dyn Session> + Send>;

impl Response {
    /// 101 Switching Protocols: when this answer is sent, the connection belongs to the session that `open` makes. It may
    /// send first, and is called at once with what has arrived behind the request.
    ///
    /// A request that did not ask for `protocol` in its `Upgrade` field, or cannot be upgraded (only an HTTP/1.1 GET without
    /// a body can), is answered with 426 Upgrade Required instead.
    ///
    /// ```
    /// use std::{io, net::SocketAddr};
    /// use qibu::{Connection, Http, Next, Request, Response, Session, testing::TestConn};
    ///
    /// struct Echo;
    ///
    /// impl Session for Echo {
    ///     fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
    ///         let received = new_socket.recv();
    ///         new_socket.send(&received);
    ///         Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
    ///     }
    /// }
    /// let server = Http::new(|request: &mut Request| Response::upgrade(request, "echo", |_| Echo));
    /// let mut client = TestConn::open(server).unwrap();
    /// client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nfirst words");
    /// let answer = client.recv();
    /// assert!(answer.starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
    /// assert!(answer.ends_with(b"\r\n\r\nfirst words"));
    /// ```
    pub fn upgrade<S: Session + 'static>(
        request: &Request,
        protocol: &str,
        open: impl FnOnce(&mut Connection) -> S + Send + 'static,
    ) -> Self {
        if !is_upgrade(request, protocol) {
            // RFC 9110 §15.5.22: say what to upgrade to.
            return Self::status_page(StatusCode::UPGRADE_REQUIRED).with_header(UPGRADE.as_str(), protocol);
        }
        let opening: Opening = Box::new(|new_socket| Box::new(open(new_socket)));
        let upgrade = Upgrade { exchange: request.exchange(), opening: Box::new(opening) };
        Self::new(StatusCode::SWITCHING_PROTOCOLS)
            .with_header(UPGRADE.as_str(), protocol)
            .with_body(Body::upgrade(upgrade))
    }
}

/// The new session, or why there is none.
pub(super) fn open(upgrade: Upgrade, new_socket: &mut Connection) -> std::io::Result<Box<dyn Session>> {
    let opening = upgrade.opening.downcast::<Opening>().map_err(|_| std::io::Error::other("nothing that opens"))?;
    Ok(opening(new_socket))
}

/// RFC 9110 §7.8: never to a protocol that was not asked for, and never for HTTP/1.0. A body would have to be read first.
/// Upgrade may always be ignored, and is for who says `close` too, which is one answer and the end (RFC 9112 §9.6), and for
/// who expects something before a 101.
pub(super) fn is_upgrade(request: &Request, protocol: &str) -> bool {
    let has_body = request.header("transfer-encoding").is_some()
        || request.header("content-length").is_some_and(|length| length.bytes().any(|digit| digit != b'0'));
    request.version() == Version::HTTP_11
        && request.method() == Method::GET
        && !has_body
        && names(request, CONNECTION.as_str(), "upgrade")
        && !names(request, CONNECTION.as_str(), "close")
        && request.header_bytes(EXPECT.as_str()).is_none()
        && names(request, UPGRADE.as_str(), protocol)
}

/// Whether a field that is a list has this element, in any case.
fn names(request: &Request, field: &str, element: &str) -> bool {
    let elements = request.header_values(field).flat_map(|value| value.split(|byte| *byte == b','));
    elements.map(<[u8]>::trim_ascii).any(|known| known.eq_ignore_ascii_case(element.as_bytes()))
}
