//! How fast a peer must read what it asked for: something in time, and enough on average.

use std::time::{Duration, Instant};

use crate::connection::{due, too_slow_at};

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

    /// Since then there was nothing that it could take: that is not its slowness.
    pub(super) fn excuse(&mut self, since: Instant, now: Instant) {
        self.began += now.saturating_duration_since(since);
    }

    pub(super) fn is_stalled(&self, now: Instant, pace: Pace) -> bool {
        now >= self.stalled_at(pace)
    }

    /// When the peer must have read anything.
    pub(super) fn stalled_at(&self, pace: Pace) -> Instant {
        due(self.since, pace.timeout)
    }

    /// When the peer must have read some more, of which so many bytes were sent.
    pub(super) fn deadline(&self, sent: u64, pace: Pace) -> Instant {
        let stalled = self.stalled_at(pace);
        too_slow_at(self.began, sent - self.sent_before, pace.rate).map_or(stalled, |slow| slow.min(stalled))
    }
}
