//! What is kept while something is waited for: the rest of a body, or an answer. Each of these is the data of one state.
//!
//! Pattern: State (the data of some).

use std::mem;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Instant;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use super::HttpSettings;
use super::exchange::{Exchange, Reuse};
use super::handed::Handed;
use super::incoming::Incoming;
use crate::connection::Connection;
use crate::handler::{Place, pour, resolve};
use crate::message::{
    BodySink, ExchangeId, Late, Note, ProtocolError, Reason, Request, RequestBody, Response, WORTH_WAKING_BYTES,
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
    Return { early: Option<Outcome>, handed: Handed },
}

/// What a handler has made of its right to answer later.
pub(super) enum Outcome {
    Sent(Response),
    Dropped,
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
    /// Nobody waits any more, and no worker has taken the request: it is answered with this, and never handled. Else the answer
    /// comes back.
    pub(super) fn refuse(&mut self, reason: Reason, answer: Response) -> Result<Response, Response> {
        match self {
            Self::Answer { .. } => Err(answer),
            Self::Return { handed, .. } => handed.refuse(reason, answer),
        }
    }

    /// Nobody waits any more: what is answered instead, with the changes that decorators want to make to any answer, if
    /// they are known.
    pub(super) fn replace(&mut self, answer: Response) -> Response {
        match self {
            Self::Answer { pending } => resolve(pending, Late::Instead(answer)),
            Self::Return { handed, .. } => answer.with_fate(handed.take_fate()),
        }
    }

    /// There was no answer in time: what is answered instead.
    pub(super) fn time_out(&mut self, peer: SocketAddr, setting: &'static str) -> Response {
        let (reason, too_late) = (Reason::TooLate { setting }, Response::status_page(StatusCode::SERVICE_UNAVAILABLE));
        match self.refuse(reason, too_late) {
            Ok(answer) => {
                log::warn!("503 for {peer}: {reason}");
                answer.with_header(RETRY_AFTER.as_str(), "1")
            }
            Err(too_late) => {
                log::error!("no answer for {peer} in time ({setting})");
                self.replace(too_late)
            }
        }
    }

    /// Takes a note; gives the answer if it is complete with it.
    pub(super) fn take(&mut self, id: ExchangeId, note: Note, peer: SocketAddr) -> Option<Response> {
        match note {
            Note::Reply { exchange, response } if exchange == id => self.hear(Outcome::Sent(response), peer),
            Note::ReplyDropped { exchange } if exchange == id => self.hear(Outcome::Dropped, peer),
            Note::Returned { exchange, response } if exchange == id => self.learn(id, response, peer),
            _ => None, // of an earlier request, which was answered otherwise
        }
    }

    fn hear(&mut self, outcome: Outcome, peer: SocketAddr) -> Option<Response> {
        match self {
            Self::Answer { pending } => Some(resolve(pending, outcome.into_late(peer))),
            Self::Return { early, .. } => {
                early.get_or_insert(outcome);
                None
            }
        }
    }

    /// The handler on the worker pool has returned this.
    fn learn(&mut self, id: ExchangeId, response: Response, peer: SocketAddr) -> Option<Response> {
        let Self::Return { early, handed } = self else { return None };
        let mut response = response.with_fate(handed.take_fate());
        match (response.is_later(id), early.take()) {
            (false, _) => Some(response),
            (true, Some(outcome)) => Some(resolve(&mut response, outcome.into_late(peer))),
            (true, None) => {
                *self = Self::Answer { pending: response };
                None
            }
        }
    }
}

impl Outcome {
    /// Its client waits for it, and gets this.
    fn into_late(self, peer: SocketAddr) -> Late {
        match self {
            Self::Sent(answer) => Late::Reply(answer),
            Self::Dropped => {
                log::error!("a Reply was dropped unsent; {peer} gets 500");
                Late::Instead(Response::status_page(StatusCode::INTERNAL_SERVER_ERROR))
            }
        }
    }
}
