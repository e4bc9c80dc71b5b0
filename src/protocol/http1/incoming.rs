//! How a request's body comes in: decoded, counted, and no slower than it may.

use std::time::Instant;

use http::HeaderMap;

use super::HttpSettings;
use super::body::{Decoder, Framing};
use crate::connection::{Connection, due, time_for, too_slow_at};
use crate::message::ProtocolError;

/// A body on its way to us.
pub(super) struct Incoming {
    decoder: Decoder,
    /// The longest body that is taken, in bytes.
    limit: u64,
    /// How much body has come.
    body: u64,
    /// When it last moved on.
    since: Instant,
    /// When it will have been too slow on average; `None` where it may be as slow as it likes.
    late_at: Option<Instant>,
}

impl Incoming {
    pub(super) fn new(framing: Framing, limit: u64, settings: &HttpSettings, now: Instant) -> Self {
        let late_at = too_slow_at(now, 0, settings.min_body_rate);
        Self { decoder: Decoder::new(framing), limit, body: 0, since: now, late_at }
    }

    /// Gives what has arrived to `take`.
    pub(super) fn receive(
        &mut self,
        new_socket: &mut Connection,
        settings: &HttpSettings,
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
            self.earn(used as u64, new_socket.now(), settings);
        }
        Ok(())
    }

    /// What comes faster than it must earns time, but no more than `body_timeout`: who began fast may not be slow for ever,
    /// least of all where a worker waits for the rest.
    fn earn(&mut self, bytes: u64, now: Instant, settings: &HttpSettings) {
        self.since = now;
        self.late_at = self.late_at.and_then(|late_at| {
            let most = too_slow_at(now, 0, settings.min_body_rate)?.max(due(now, settings.body_timeout));
            Some(late_at.checked_add(time_for(bytes, settings.min_body_rate)?)?.min(most))
        });
    }

    pub(super) fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// So many of the next bytes are body for sure.
    pub(super) fn expected_bytes(&self) -> u64 {
        self.decoder.expected_bytes()
    }

    pub(super) fn into_trailers(self) -> HeaderMap {
        self.decoder.into_trailers()
    }

    /// We have not looked since then: that is not the client's slowness.
    pub(super) fn excuse(&mut self, since: Instant, now: Instant) {
        self.late_at = self.late_at.map(|late_at| late_at + now.saturating_duration_since(since));
        self.since = now;
    }

    /// When it must have gone on: in time, and fast enough on average.
    pub(super) fn deadline(&self, settings: &HttpSettings) -> Instant {
        let stalled = due(self.since, settings.body_timeout);
        self.late_at.map_or(stalled, |late_at| late_at.min(stalled))
    }

    pub(super) fn lateness(&self, now: Instant, settings: &HttpSettings) -> ProtocolError {
        if now >= due(self.since, settings.body_timeout) {
            ProtocolError::BodyTimeout
        } else {
            ProtocolError::BodyTooSlow
        }
    }
}
