//! A request whose handler reads the body while it arrives.
//!
//! ```text
//!   ReadingBody ── so much has come that the handler begins ──► Flowing ── the feed is full ──► Paused
//!                                                                  ▲                              │
//!                                                                  └── a note: there is room ─────┘
//! ```
//!
//! While the feed is full nothing is read from the client, and its slowness is not counted.
//!
//! Pattern: State ([`Flow`]).

use std::time::Instant;

use super::HttpSettings;
use super::exchange::{Exchange, Reuse};
use super::incoming::Incoming;
use super::waits::Missing;
use crate::connection::Connection;
use crate::message::{Feed, Note, ProtocolError, Response};

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
    /// The handler has enough to read.
    Paused {
        since: Instant,
    },
}

impl Uploading {
    pub(super) fn new(exchange: Exchange, incoming: Incoming, feed: Feed) -> Self {
        Self { exchange, incoming, feed, flow: Flow::Flowing, missing: Missing::Return { early: None } }
    }

    /// Takes what has arrived of the body, as far as the handler has room for it.
    pub(super) fn receive(
        &mut self,
        new_socket: &mut Connection,
        settings: &HttpSettings,
    ) -> Result<(), ProtocolError> {
        if self.flow == Flow::Flowing {
            let feed = &self.feed;
            self.incoming.receive(new_socket, settings, |bytes| feed.put(bytes))?;
            if feed.waits_for_room(&new_socket.address(), self.exchange.id) {
                self.flow = Flow::Paused { since: new_socket.now() };
            }
        }
        // RFC 9112 §8: the rest will not come.
        let is_broken = !self.is_done() && new_socket.is_eof() && new_socket.input().is_empty();
        if is_broken { Err(ProtocolError::IncompleteBody) } else { Ok(()) }
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
            (note, _) => self.missing.take(self.exchange.id, note),
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

    /// The rest of the body will not come: the handler gets to know.
    pub(super) fn fail(self, error: ProtocolError) -> Exchange {
        self.feed.fail(error);
        self.exchange
    }

    pub(super) fn wants_input(&self) -> bool {
        self.flow == Flow::Flowing
    }

    /// Until when somebody must have done something: the client, or the handler.
    pub(super) fn deadline(&self, settings: &HttpSettings) -> Instant {
        match self.flow {
            Flow::Flowing => self.incoming.deadline(settings),
            Flow::Paused { since } => since + self.exchange.handler_timeout,
        }
    }

    /// What the client has done wrong; `None` where it is the handler that is late.
    pub(super) fn lateness(&self, now: Instant, settings: &HttpSettings) -> Option<ProtocolError> {
        (self.flow == Flow::Flowing).then(|| self.incoming.lateness(now, settings))
    }
}
