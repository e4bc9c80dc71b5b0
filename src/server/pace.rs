//! How fast a peer must read what it asked for: something in time, and enough on average.

use std::time::{Duration, Instant};

use crate::connection::too_slow_at;

/// What is asked of every peer of a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// How long it may read nothing.
    pub(crate) timeout: Duration,
    /// How much it must read on average, in bytes per second; 0: as little as it likes.
    pub(crate) rate: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), rate: 240 }
    }
}

/// How one peer has been reading since its output was last empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending {
    began: Instant,
    /// [`Output::sent`](crate::connection::Output::sent) at that moment.
    sent_before: u64,
    /// When the peer last took something.
    since: Instant,
}

impl Sending {
    /// From now on something waits to be read; so many bytes were sent before.
    pub(super) fn begin(now: Instant, sent_before: u64) -> Self {
        Self { began: now, sent_before, since: now }
    }

    /// The peer has taken something.
    pub(super) fn moves(&mut self, now: Instant) {
        self.since = now;
    }

    pub(super) fn is_stalled(&self, now: Instant, pace: Pace) -> bool {
        now >= self.since + pace.timeout
    }

    /// When the peer must have read some more, of which so many bytes were sent.
    pub(super) fn deadline(&self, sent: u64, pace: Pace) -> Instant {
        let stalled = self.since + pace.timeout;
        too_slow_at(self.began, sent - self.sent_before, pace.rate).map_or(stalled, |slow| slow.min(stalled))
    }
}
