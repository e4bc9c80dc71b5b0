//! How anybody reaches one client of a WebSocket: frames into a bounded queue, which the client's loop empties.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;

use super::{Message, frame};
use crate::message::{BodySender, Closed, TrySendError};

/// Sends to one client, from any thread and for as long as you like. Clones reach the same client.
///
/// What it sends waits in a queue of at most [`WebSocket::queue_limit`](super::WebSocket::queue_limit) bytes. When a client
/// reads too slowly for it, [`send`](Self::send) gives up on that client, [`try_send`](Self::try_send) on the message, and
/// [`send_waiting`](Self::send_waiting) on neither.
#[derive(Clone)]
pub struct Sender {
    frames: BodySender,
    peer: SocketAddr,
    subprotocol: Option<&'static str>,
}

impl Sender {
    pub(super) fn new(frames: BodySender, peer: SocketAddr, subprotocol: Option<&'static str>) -> Self {
        Self { frames, peer, subprotocol }
    }

    /// Sends a message: text from a `&str` or `String`, bytes from `Vec<u8>` or `Bytes`. It never waits: a client whose queue
    /// is full is told 1013 (try again later) and closed. Fails when the client has gone.
    pub fn send(&self, message: impl Into<Message>) -> Result<(), Closed> {
        self.send_frame(frame::of(&message.into()))
    }

    /// Sends a message if there is room, at once in any case; else gives its bytes back.
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        let message = message.into();
        self.frames.try_send(frame::of(&message)).map_err(|error| match error {
            TrySendError::Full(_) => TrySendError::Full(message.into_bytes()),
            TrySendError::Closed => TrySendError::Closed,
        })
    }

    /// Sends a message, waiting while the client is behind: for threads that make more than a client may be able to read.
    /// Do not call it on an event loop (in a [`Handler`](super::Handler) of a WebSocket): there it could wait for itself.
    pub fn send_waiting(&self, message: impl Into<Message>) -> Result<(), Closed> {
        self.frames.send(frame::of(&message.into()))
    }

    /// Asks the client for a sign of life. The server does so by itself when a connection is quiet.
    pub fn ping(&self) -> Result<(), Closed> {
        self.send_frame(frame::ping())
    }

    /// Ends the conversation behind what was sent: with 1000 where all is well, 1008 for a rule that was broken, a code from
    /// 4000 on for reasons of your own (RFC 6455 section 7.4). A code that must not be sent becomes 1000, and a reason is
    /// at most 123 bytes long.
    pub fn close(&self, code: u16, reason: &str) {
        let _ = self.send_frame(frame::close(code, reason)); // who has gone needs no farewell
    }

    /// Whether the client has gone, or the conversation is over.
    pub fn is_closed(&self) -> bool {
        self.frames.is_closed()
    }

    /// The address of the client.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Which of [`WebSocket::subprotocols`](super::WebSocket::subprotocols) was agreed on.
    pub fn subprotocol(&self) -> Option<&'static str> {
        self.subprotocol
    }

    pub(super) fn send_frame(&self, frame: Bytes) -> Result<(), Closed> {
        match self.frames.try_send(frame) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed) => Err(Closed),
            Err(TrySendError::Full(_)) => {
                log::info!("{} reads its WebSocket too slowly (queue_limit)", self.peer);
                self.frames.clone().abort();
                Err(Closed)
            }
        }
    }
}

/// Two senders are equal if they reach the same client.
impl PartialEq for Sender {
    fn eq(&self, other: &Self) -> bool {
        self.frames.is_same(&other.frames)
    }
}

impl Eq for Sender {}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("peer", &self.peer).field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}
