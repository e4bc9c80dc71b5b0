//! Conversations: what a server and a client say to each other, without a socket.
//!
//! A [`Protocol`] belongs to the server and opens one [`Session`] per client. The tutorial's echo server is a session,
//! and HTTP is another ([`Http`]): the server does not know the difference.
//!
//! A session is driven. It is called when bytes have come, when its output has run empty, when a note from another
//! thread or a deadline is there, and it answers with a [`Next`]. It never blocks, and never waits without a deadline
//! unless the conversation has no end by nature.
//!
//! Pattern: Strategy ([`Protocol`], [`Session`]), Factory Method ([`Protocol::open`]), State ([`Next::Become`]), Adapter
//! (closures are protocols).

pub(crate) mod http1;
mod upgrade;
#[cfg(feature = "websocket")]
pub(crate) mod websocket;

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

pub use http1::{Http, HttpSettings};

use crate::connection::Connection;
use crate::message::Note;

/// Which conversation a server holds with each of its clients.
///
/// A closure that makes a session is a protocol: `WebServer::with_protocol("127.0.0.1:8090", || Echo)`.
pub trait Protocol: Send + Sync + 'static {
    /// Makes the session of a client that has just been accepted. It may send first: a greeting goes out at once. An
    /// error closes the connection, and so does a panic.
    fn open(&self, new_socket: &mut Connection) -> io::Result<Box<dyn Session>>;

    /// Whether a session has nothing to do before its client has said something. Then the system may keep a new client to
    /// itself until it has, for about a second at most, and client and first bytes come together: one event in place of
    /// two. Linux does so (`TCP_DEFER_ACCEPT`). If the server ends meanwhile, such a client learns of it when it speaks. By
    /// default a session may speak first, and hears of its client at once.
    fn client_begins(&self) -> bool {
        false
    }

    /// What a client is told that is one too many, before its connection is closed.
    fn overloaded(&self) -> &[u8] {
        b""
    }
}

impl<F, S> Protocol for F
where
    F: Fn() -> S + Send + Sync + 'static,
    S: Session + 'static,
{
    fn open(&self, _: &mut Connection) -> io::Result<Box<dyn Session>> {
        Ok(Box::new(self()))
    }
}

/// One client's conversation. It lives and dies on one event loop, so it needs no lock and must not block. If it panics, in
/// whichever method, its client loses the connection, and nobody else anything.
///
/// Each of its calls may end it with an error: the connection is reset, and the log has a warning with the reason, or a line at
/// level debug where the kind of the error is one for which the peer may be to blame (`InvalidData`, `UnexpectedEof`,
/// `TimedOut`, `BrokenPipe`, `ConnectionReset`, `ConnectionAborted`).
///
/// ```
/// use std::{io, net::SocketAddr};
/// use qibu::{Connection, Next, Session, testing::TestConn};
///
/// struct Echo;
///
/// impl Session for Echo {
///     fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
///         let received = new_socket.recv(); // 5
///         new_socket.send(&received); // 6
///         Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait }) // 7
///     }
/// }
/// let mut client = TestConn::open(|| Echo).unwrap();
/// assert_eq!(client.send(b"over, over!").recv(), b"over, over!");
/// ```
pub trait Session {
    /// Steps 5 to 7: bytes have arrived, or the peer has finished ([`Connection::is_eof`]). Leave what cannot be used
    /// yet in the input; more will be put behind it.
    ///
    /// A peer that has finished may still read (`nc -N`, say), or may have gone for good: the two look the same. Who has nothing
    /// more to say to it says [`Next::Close`], and who still waits for the answer says [`Next::Wait`].
    fn handle_client_request(&mut self, new_socket: &mut Connection, ip_port: SocketAddr) -> io::Result<Next>;

    /// The output has run empty: produce more, or take up input that was left because the output was full.
    fn on_drained(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        let _ = new_socket;
        Ok(Next::Wait)
    }

    /// Another thread has something for this client; see [`Connection::address`].
    fn on_note(&mut self, new_socket: &mut Connection, note: Note) -> io::Result<Next> {
        let _ = (new_socket, note);
        Ok(Next::Wait)
    }

    /// [`Self::deadline`] has passed.
    fn on_deadline(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        let _ = new_socket;
        Ok(Next::Close)
    }

    /// The server is shutting down: finish what must be finished, then close.
    fn on_shutdown(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        let _ = new_socket;
        Ok(Next::Close)
    }

    /// Until when something must happen; asked after every call. Moving it later costs nothing.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Whether more bytes are wanted now. `false` leaves them in the system's buffers, so that the peer slows down. So is its end:
    /// while a session wants nothing it is not told of that, and is kept.
    fn wants_input(&self) -> bool {
        true
    }

    /// How many of the bytes that come next are taken at once, whatever they are, as what is left of a body is: more of them
    /// are read together, up to 128 KiB. Of other bytes, no more than 64 KiB are read before the session has looked at them.
    fn expected_bytes(&self) -> u64 {
        0
    }
}

/// What shall become of the connection.
#[non_exhaustive]
pub enum Next {
    /// Keep it; call me when something happens.
    ///
    /// When the peer has finished ([`Connection::is_eof`]), no more bytes can come, but a note can while somebody has an
    /// [`address`](Connection::address) of this client, and a [`deadline`](Session::deadline) can pass: then, too, it is kept.
    /// Where there is neither, nothing can happen any more: what is queued is sent, and the connection is closed. So a
    /// session that leaves its address somewhere and has no deadline must end with [`Self::Close`], or it stays for as long
    /// as its address does.
    Wait,
    /// Send what is queued, then close.
    Close,
    /// From now on this client speaks another protocol; the new session is called at once with what has arrived.
    Become(Box<dyn Session>),
}
