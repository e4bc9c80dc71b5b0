//! A request whose handler reads the body while it arrives.
//!
//! ```text
//!   ReadingBody ── so much has come that the handler begins ──► Flowing ── the feed is full ──► Paused
//!                                                               │ ▲  ▲                            │
//!                                    more is coming at once ────┘ │  └── a note: there is room ───┘
//!                                              ▼                  │
//!                                            Held ── it is enough, or all for now
//! ```
//!
//! While the feed is full nothing is read from the client, and its slowness is not counted. What fills a whole read is
//! held back for the next, since waking the handler for each would cost more than all the rest.
//!
//! Pattern: State ([`Flow`]).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::HttpSettings;
use super::exchange::{Exchange, Reuse};
use super::handed::Handed;
use super::incoming::Incoming;
use super::waits::Missing;
use crate::connection::{Connection, MOST_UNREAD_BYTES, due};
use crate::message::{Feed, Note, ProtocolError, Reason, Response};

/// A body on its way through us, and the handler at work on it.
pub(super) struct Uploading {
    pub(super) exchange: Exchange,
    incoming: Incoming,
    feed: Feed,
    flow: Flow,
    missing: Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Flowing,
    /// The last read was full, so more is coming, as a rule: the handler is woken with that, or soon without.
    Held {
        since: Instant,
    },
    /// The handler has enough to read.
    Paused {
        since: Instant,
    },
}

/// Who has let a deadline pass.
pub(super) enum Lateness {
    /// It was only for what was held back.
    Nobody,
    Client(ProtocolError),
    Handler,
}

/// How long what has come is held back for what comes next, at most.
const HOLD: Duration = Duration::from_millis(1);

impl Uploading {
    pub(super) fn new(exchange: Exchange, incoming: Incoming, feed: Feed, handed: Handed) -> Self {
        Self { exchange, incoming, feed, flow: Flow::Flowing, missing: Missing::Return { early: None, handed } }
    }

    /// Takes what has arrived of the body, as far as the handler has room for it.
    pub(super) fn receive(
        &mut self,
        new_socket: &mut Connection,
        settings: &HttpSettings,
    ) -> Result<(), ProtocolError> {
        if self.wants_input() && !new_socket.input().is_empty() {
            let is_full_read = new_socket.input().len() >= MOST_UNREAD_BYTES;
            let feed = &self.feed;
            self.incoming.receive(new_socket, settings, |bytes| feed.put(bytes))?;
            self.flow = self.flow_on(new_socket, is_full_read);
        }
        // RFC 9112 §8: the rest will not come.
        let is_broken = !self.is_done() && new_socket.is_eof() && new_socket.input().is_empty();
        if is_broken { Err(ProtocolError::IncompleteBody) } else { Ok(()) }
    }

    /// How it goes on after a read.
    fn flow_on(&self, new_socket: &Connection, is_full_read: bool) -> Flow {
        if is_full_read && !self.feed.is_worth_waking() {
            return match self.flow {
                Flow::Held { since } => Flow::Held { since },
                Flow::Flowing | Flow::Paused { .. } => Flow::Held { since: new_socket.now() },
            };
        }
        self.feed.hand_over();
        match self.feed.waits_for_room(&new_socket.own_address(), self.exchange.id) {
            true => Flow::Paused { since: new_socket.now() },
            false => Flow::Flowing,
        }
    }

    /// Whether the body has come to its end.
    pub(super) fn is_done(&self) -> bool {
        self.incoming.is_done()
    }

    /// Takes a note; gives the answer if it is complete with it.
    pub(super) fn hear(&mut self, new_socket: &Connection, note: Note) -> Option<Response> {
        match (note, self.flow) {
            (Note::Room { exchange }, Flow::Paused { since }) if exchange == self.exchange.id => {
                self.incoming.excuse(since, new_socket.now());
                self.flow = Flow::Flowing;
                None
            }
            (note, _) => self.missing.take(self.exchange.id, note, new_socket.peer_addr()),
        }
    }

    /// The handler has answered before the body came to its end. What is here already is read and forgotten; if that is
    /// not all, the rest stands where the next request should, and the connection cannot be used again.
    pub(super) fn leave(&mut self, new_socket: &mut Connection, settings: &HttpSettings) -> Exchange {
        let rest = self.incoming.receive(new_socket, settings, |_| {});
        let reuse = if rest.is_ok() && self.is_done() { self.exchange.reuse } else { Reuse::Close };
        Exchange { reuse, ..self.exchange }
    }

    /// The body is complete: what is left to wait for.
    pub(super) fn finish(self) -> (Exchange, Missing) {
        self.feed.finish(self.incoming.into_trailers());
        (self.exchange, self.missing)
    }

    /// The rest of the body will not come: the handler gets to know, and this is answered whatever it makes of it.
    pub(super) fn fail(mut self, error: ProtocolError, answer: Response) -> (Exchange, Response) {
        let answer = self.refuse(error, answer);
        self.feed.fail(error);
        (self.exchange, answer)
    }

    /// The client has made a mistake; this is answered, whatever the handler makes of it.
    pub(super) fn refuse(&mut self, error: ProtocolError, answer: Response) -> Response {
        self.missing.refuse(Reason::Fault(error), answer).unwrap_or_else(|answer| self.missing.replace(answer))
    }

    /// The handler has not taken in time what has come of the body.
    pub(super) fn time_out(&mut self, peer: SocketAddr, settings: &HttpSettings) -> Response {
        self.missing.time_out(peer, self.exchange.limit_setting(settings))
    }

    pub(super) fn wants_input(&self) -> bool {
        !matches!(self.flow, Flow::Paused { .. })
    }

    /// Until when somebody must have done something: the client, or the handler.
    pub(super) fn deadline(&self, settings: &HttpSettings) -> Instant {
        match self.flow {
            Flow::Flowing => self.incoming.deadline(settings),
            Flow::Held { since } => self.incoming.deadline(settings).min(since + HOLD),
            Flow::Paused { since } => due(since, self.exchange.handler_timeout),
        }
    }

    /// Its deadline has passed: who is late?
    pub(super) fn on_deadline(&mut self, now: Instant, settings: &HttpSettings) -> Lateness {
        match self.flow {
            Flow::Paused { .. } => Lateness::Handler,
            Flow::Held { since } if now >= since + HOLD => {
                self.feed.hand_over();
                self.flow = Flow::Flowing;
                Lateness::Nobody
            }
            Flow::Flowing | Flow::Held { .. } => Lateness::Client(self.incoming.lateness(now, settings)),
        }
    }
}
