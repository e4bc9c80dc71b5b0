//! What is kept while something is waited for: the rest of a body, or an answer. Each of these is the data of one state.

use std::time::Instant;

use super::HttpSettings;
use super::body::Decoder;
use super::exchange::Exchange;
use crate::connection::{Connection, too_slow_at};
use crate::handler::{Place, resolve};
use crate::message::{Note, ProtocolError, Request, Response};

/// A request whose body has not come to its end.
pub(super) struct ReadingBody {
    pub(super) request: Request,
    pub(super) place: Place,
    pub(super) exchange: Exchange,
    pub(super) decoder: Decoder,
    pub(super) collected: Vec<u8>,
    pub(super) limit: u64,
    pub(super) began: Instant,
    /// How much has come, with what frames it.
    pub(super) received: u64,
    /// When the body last moved on.
    pub(super) since: Instant,
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
    pub(super) fn collect(&mut self, new_socket: &mut Connection) -> Result<(), ProtocolError> {
        while !self.decoder.is_done() && !new_socket.input().is_empty() {
            let step = self.decoder.decode(new_socket.input())?;
            if (self.collected.len() + step.data.len()) as u64 > self.limit {
                return Err(ProtocolError::BodyTooLarge { limit: self.limit });
            }
            self.collected.extend_from_slice(step.data);
            let used = step.used;
            new_socket.consume(used);
            self.received += used as u64;
            self.since = new_socket.now();
        }
        Ok(())
    }

    /// When it must have gone on: in time, and fast enough on average.
    pub(super) fn deadline(&self, settings: &HttpSettings) -> Instant {
        let stalled = self.since + settings.body_timeout;
        too_slow_at(self.began, self.received, settings.min_body_rate).map_or(stalled, |slow| slow.min(stalled))
    }

    pub(super) fn lateness(&self, now: Instant, settings: &HttpSettings) -> ProtocolError {
        if now >= self.since + settings.body_timeout { ProtocolError::BodyTimeout } else { ProtocolError::BodyTooSlow }
    }
}

impl Waiting {
    /// Takes a note; gives the answer if it is complete with it.
    pub(super) fn take(&mut self, note: Note) -> Option<Response> {
        match (&mut self.missing, note) {
            (Missing::Answer { pending }, Note::Reply { exchange, response }) if exchange == self.exchange.id => {
                Some(resolve(pending, response))
            }
            (Missing::Return { early }, Note::Reply { exchange, response }) if exchange == self.exchange.id => {
                early.get_or_insert(response);
                None
            }
            (Missing::Return { early }, Note::Returned { exchange, mut response }) if exchange == self.exchange.id => {
                match (response.is_later(exchange), early.take()) {
                    (false, _) => Some(response),
                    (true, Some(answer)) => Some(resolve(&mut response, answer)),
                    (true, None) => {
                        self.missing = Missing::Answer { pending: response };
                        None
                    }
                }
            }
            _ => None, // of an earlier request, which was answered otherwise
        }
    }
}
