//! What is kept while something is waited for: the rest of a body, or an answer. Each of these is the data of one state.
//!
//! Pattern: State (the data of some).

use std::mem;
use std::ops::ControlFlow;
use std::time::Instant;

use http::HeaderMap;

use super::HttpSettings;
use super::exchange::{Exchange, Reuse};
use super::incoming::Incoming;
use crate::connection::Connection;
use crate::handler::{Place, pour, resolve};
use crate::message::{
    BodySink, ExchangeId, Fate, Note, ProtocolError, Request, RequestBody, Response, WORTH_WAKING_BYTES,
};

/// A request whose body has not come to its end.
pub(super) struct ReadingBody {
    pub(super) request: Box<Request>,
    pub(super) place: Place,
    pub(super) exchange: Exchange,
    pub(super) incoming: Incoming,
    pub(super) destination: Destination,
}

/// Where a body goes that comes before its handler runs.
pub(super) enum Destination {
    Memory(Vec<u8>),
    Sink(Box<dyn BodySink>),
}

/// How far a body has come.
pub(super) enum Progress {
    /// There is more to come.
    Partial,
    /// The handler shall begin with this; the rest comes while it runs.
    Enough(Vec<u8>),
    /// Nothing more is wanted of it, or there is no more.
    Ended,
}

/// Why the rest of a body is not taken.
pub(super) enum Interruption {
    Refused(ProtocolError),
    /// What should take it has panicked.
    Broken,
}

impl From<ProtocolError> for Interruption {
    fn from(error: ProtocolError) -> Self {
        Self::Refused(error)
    }
}

/// A request whose answer comes from another thread.
pub(super) struct Waiting {
    pub(super) exchange: Exchange,
    pub(super) missing: Missing,
    pub(super) since: Instant,
}

/// What has not come yet.
pub(super) enum Missing {
    /// The answer. The handler has returned this; it holds the changes that its decorators want to make to the answer.
    Answer { pending: Response },
    /// The handler runs on the worker pool. It may have put the answer off, and the answer may have been faster.
    Return { early: Option<Response>, fate: Option<Fate> },
}

impl ReadingBody {
    /// Takes what has arrived of the body.
    pub(super) fn take(
        &mut self,
        new_socket: &mut Connection,
        settings: &HttpSettings,
    ) -> Result<Progress, Interruption> {
        let is_begun_early = matches!(self.place, Place::Stream);
        match &mut self.destination {
            Destination::Memory(collected) => {
                self.incoming.receive(new_socket, settings, |bytes| collected.extend_from_slice(bytes))?;
                if !self.incoming.is_done() && is_begun_early && collected.len() >= WORTH_WAKING_BYTES {
                    return Ok(Progress::Enough(mem::take(collected)));
                }
            }
            Destination::Sink(sink) => {
                let mut taking = Ok(ControlFlow::Continue(()));
                self.incoming.receive(new_socket, settings, |piece| {
                    if let (Ok(ControlFlow::Continue(())), false) = (&taking, piece.is_empty()) {
                        taking = pour(&mut **sink, piece);
                    }
                })?;
                if taking.map_err(|()| Interruption::Broken)?.is_break() {
                    return Ok(Progress::Ended);
                }
            }
        }
        match self.incoming.is_done() {
            true => Ok(Progress::Ended),
            // RFC 9112 §8: the rest will not come.
            false if new_socket.is_eof() => Err(ProtocolError::IncompleteBody.into()),
            false => Ok(Progress::Partial),
        }
    }

    /// The request with its body, for its handler. What is not taken of the body stands where the next request should.
    pub(super) fn complete(self, new_socket: &Connection) -> (Box<Request>, Place, Exchange) {
        let Self { mut request, place, exchange, incoming, destination } = self;
        let reuse = if incoming.is_done() { exchange.reuse } else { Reuse::Close };
        let trailers = if incoming.is_done() { incoming.into_trailers() } else { HeaderMap::new() };
        let body = match destination {
            Destination::Memory(collected) => RequestBody::whole(collected.into(), trailers),
            Destination::Sink(sink) => RequestBody::taken(sink, trailers),
        };
        request.set_body(body, new_socket.arrival());
        (request, place, Exchange { reuse, ..exchange })
    }
}

impl Missing {
    /// Nobody waits any more: what is answered instead, with the changes that decorators want to make to any answer, if
    /// they are known.
    pub(super) fn replace(&mut self, answer: Response) -> Response {
        match self {
            Self::Answer { pending } => resolve(pending, answer),
            Self::Return { fate, .. } => answer.with_fate(fate.take()),
        }
    }

    /// Takes a note; gives the answer if it is complete with it.
    pub(super) fn take(&mut self, id: ExchangeId, note: Note) -> Option<Response> {
        match (&mut *self, note) {
            (Self::Answer { pending }, Note::Reply { exchange, response }) if exchange == id => {
                Some(resolve(pending, response))
            }
            (Self::Return { early, .. }, Note::Reply { exchange, response }) if exchange == id => {
                early.get_or_insert(response);
                None
            }
            (Self::Return { early, fate }, Note::Returned { exchange, response }) if exchange == id => {
                let mut response = response.with_fate(fate.take());
                match (response.is_later(exchange), early.take()) {
                    (false, _) => Some(response),
                    (true, Some(answer)) => Some(resolve(&mut response, answer)),
                    (true, None) => {
                        *self = Self::Answer { pending: response };
                        None
                    }
                }
            }
            _ => None, // of an earlier request, which was answered otherwise
        }
    }
}
