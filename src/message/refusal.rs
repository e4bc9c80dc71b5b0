//! What the server has refused by itself: a request that no handler is asked to answer.
//!
//! Pattern: Value Object.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;

use super::{ProtocolError, Request, Sent, Watchers};

/// A request that is refused before a handler sees it: its head is no HTTP, its body too long, it comes too slowly, there is no
/// worker for it, or its client has gone before there was one.
/// The decorators around the handler get to know it by [`Middleware::refused`](crate::Middleware::refused).
#[derive(Debug)]
pub struct Refusal<'a> {
    pub(crate) peer: SocketAddr,
    pub(crate) reason: Reason,
    pub(crate) known: Known<'a>,
    /// Where there is no request to watch.
    watchers: Watchers,
}

/// Why the server refuses a request by itself. As text it is a line for a log, which names the setting if it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// What the client did wrong.
    Fault(ProtocolError),
    /// All workers are busy, and their queue is full.
    NoWorker,
    /// It has waited in the workers' queue for as long as its answer might take, and will not be handled.
    TooLate {
        /// What says how long: `handler_timeout` or `Timeout`.
        setting: &'static str,
    },
    /// Its client has gone while it was in the workers' queue, and it will not be handled. The answer, with status 499, is for
    /// those who count and log; nobody gets it.
    Gone,
    /// What takes the body while it comes has panicked.
    Broken,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(error) => error.fmt(f),
            Self::NoWorker => f.write_str("the worker queue is full (worker_queue)"),
            Self::TooLate { setting } => write!(f, "no worker was free for it in time ({setting})"),
            Self::Gone => f.write_str("the client has gone before a worker was free"),
            Self::Broken => f.write_str("what takes the body has panicked"),
        }
    }
}

/// How much of the request was understood.
#[derive(Debug)]
pub(crate) enum Known<'a> {
    /// Nothing: these bytes were to become a head.
    Bytes(&'a [u8]),
    /// The head. Its plan has been asked for.
    Request(&'a mut Request),
}

/// Of a line that nobody understands, so many bytes are enough.
const MOST_LINE_BYTES: usize = 1024;

impl<'a> Refusal<'a> {
    pub(crate) fn new(peer: SocketAddr, reason: Reason, known: Known<'a>) -> Self {
        Self { peer, reason, known, watchers: Watchers::default() }
    }

    /// Tells `witness` what became of the answer.
    pub(crate) fn watch(&mut self, witness: impl FnOnce(Sent) + Send + 'static) {
        self.watchers().add(Box::new(witness));
    }

    pub(crate) fn watchers(&mut self) -> &mut Watchers {
        match &mut self.known {
            Known::Bytes(_) => &mut self.watchers,
            Known::Request(request) => request.watchers(),
        }
    }

    /// Why it is refused.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The address of the client, or of the proxy before it. Clients of a unix socket have `0.0.0.0:0`.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// The request, where its head was understood. Its body is not there.
    pub fn request(&self) -> Option<&Request> {
        match &self.known {
            Known::Bytes(_) => None,
            Known::Request(request) => Some(request),
        }
    }

    /// The first line, as far as it has come, up to 1 KiB; what is no text in it is `\u{fffd}`. It may hold anything but a line
    /// end, so escape it before it reaches a log.
    pub fn request_line(&self) -> Cow<'_, str> {
        match &self.known {
            Known::Bytes(bytes) => {
                let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
                String::from_utf8_lossy(&bytes[..end.min(MOST_LINE_BYTES)])
            }
            Known::Request(request) => {
                format!("{} {} {:?}", request.method(), request.target(), request.version()).into()
            }
        }
    }
}
