//! How a request's body comes in: decoded, counted, and no slower than it may.

use std::time::Instant;

use http::HeaderMap;

use super::HttpSettings;
use super::body::{Decoder, Framing};
use crate::connection::{Connection, too_slow_at};
use crate::message::ProtocolError;

/// A body on its way to us.
pub(super) struct Arrival {
    decoder: Decoder,
    /// The longest body that is taken, in bytes.
    limit: u64,
    /// How much body has come.
    body: u64,
    /// The same with what frames it.
    received: u64,
    began: Instant,
    /// When it last moved on.
    since: Instant,
}

impl Arrival {
    pub(super) fn new(framing: Framing, limit: u64, now: Instant) -> Self {
        Self { decoder: Decoder::new(framing), limit, body: 0, received: 0, began: now, since: now }
    }

    /// Gives what has arrived to `take`.
    pub(super) fn receive(
        &mut self,
        new_socket: &mut Connection,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), ProtocolError> {
        while !self.is_done() && !new_socket.input().is_empty() {
            let step = self.decoder.decode(new_socket.input())?;
            self.body += step.data.len() as u64;
            if self.body > self.limit {
                return Err(ProtocolError::BodyTooLarge { limit: self.limit });
            }
            take(step.data);
            let used = step.used;
            new_socket.consume(used);
            self.received += used as u64;
            self.since = new_socket.now();
        }
        Ok(())
    }

    pub(super) fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    pub(super) fn into_trailers(self) -> HeaderMap {
        self.decoder.into_trailers()
    }

    /// We have not looked since then: that is not the client's slowness.
    pub(super) fn excuse(&mut self, since: Instant, now: Instant) {
        self.began += now.saturating_duration_since(since);
        self.since = now;
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
