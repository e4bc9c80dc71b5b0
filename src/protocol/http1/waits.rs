//! What is kept while something is waited for: the rest of a body, or an answer. Each of these is the data of one state.
//!
//! Pattern: State (the data of some).

use std::time::Instant;

use super::HttpSettings;
use super::exchange::Exchange;
use super::incoming::Incoming;
use crate::connection::Connection;
use crate::handler::{Place, resolve};
use crate::message::{ExchangeId, Note, ProtocolError, Request, Response, WORTH_WAKING_BYTES};

/// A request whose body has not come to its end.
pub(super) struct ReadingBody {
    pub(super) request: Request,
    pub(super) place: Place,
    pub(super) exchange: Exchange,
    pub(super) incoming: Incoming,
    pub(super) collected: Vec<u8>,
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
    Return { early: Option<Response> },
}

impl ReadingBody {
    /// Takes what has arrived of the body.
    pub(super) fn collect(
        &mut self,
        new_socket: &mut Connection,
        settings: &HttpSettings,
    ) -> Result<(), ProtocolError> {
        let collected = &mut self.collected;
        self.incoming.receive(new_socket, settings, |bytes| collected.extend_from_slice(bytes))
    }

    /// Whether the handler shall begin, though there is more to come.
    pub(super) fn is_enough_to_begin(&self) -> bool {
        matches!(self.place, Place::Stream) && self.collected.len() >= WORTH_WAKING_BYTES
    }
}

impl Missing {
    /// Nobody waits any more: what is answered instead, with the changes that decorators want to make to any answer, if
    /// they are known.
    pub(super) fn replace(&mut self, answer: Response) -> Response {
        match self {
            Self::Answer { pending } => resolve(pending, answer),
            Self::Return { .. } => answer,
        }
    }

    /// Takes a note; gives the answer if it is complete with it.
    pub(super) fn take(&mut self, id: ExchangeId, note: Note) -> Option<Response> {
        match (&mut *self, note) {
            (Self::Answer { pending }, Note::Reply { exchange, response }) if exchange == id => {
                Some(resolve(pending, response))
            }
            (Self::Return { early }, Note::Reply { exchange, response }) if exchange == id => {
                early.get_or_insert(response);
                None
            }
            (Self::Return { early }, Note::Returned { exchange, mut response }) if exchange == id => {
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
