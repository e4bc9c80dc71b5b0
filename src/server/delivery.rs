//! How what a client is sent gets to it: whether we have it, and whether the client takes it.
//!
//! Only one of the two can be late at a time. What we do not have, the client cannot read: that time does not count against
//! its average (`min_write_rate`), while `write_timeout` goes on for both.

use std::net::SocketAddr;
use std::time::Instant;

use super::pace::{Pace, Sending};
use super::supply::Supply;

/// One client's.
pub(super) struct Delivery {
    sending: Sending,
    supply: Supply,
    pace: Pace,
}

impl Delivery {
    pub(super) fn new(now: Instant, pace: Pace) -> Self {
        Self { sending: Sending::begin(now, 0), supply: Supply::Present, pace }
    }

    /// From now on something waits to be read; so many bytes were sent before.
    pub(super) fn begin(&mut self, now: Instant, sent_before: u64) {
        self.sending = Sending::begin(now, sent_before);
    }

    /// The client has taken something.
    pub(super) fn moves(&mut self, now: Instant) {
        self.sending.moves(now);
    }

    /// Whether there is something to send, as far as we know.
    #[inline]
    pub(super) fn is_possible(&self) -> bool {
        self.supply == Supply::Present
    }

    /// What comes next lies on a disk. A worker reads it, or none was free.
    pub(super) fn wait(&mut self, supply: Supply) {
        self.supply = supply;
    }

    /// A worker has read what comes next. The client has all the time again to read something.
    pub(super) fn resume(&mut self, now: Instant) {
        self.end_shortage(now);
        self.sending.moves(now);
    }

    /// Time has passed: where no worker was free, we try again.
    pub(super) fn wait_until(&mut self, now: Instant) {
        if self.supply.is_due(now) {
            self.end_shortage(now);
        }
    }

    /// The client gets the time back in which it could not read.
    fn end_shortage(&mut self, now: Instant) {
        if let Some(since) = self.supply.missing_since() {
            self.sending.excuse(since, now);
        }
        self.supply = Supply::Present;
    }

    /// When the client must have read some more, of which so many bytes were sent, or we try again.
    pub(super) fn deadline(&self, sent: u64) -> Instant {
        let stalled = self.sending.stalled_at(self.pace);
        match self.supply {
            Supply::Present => self.sending.deadline(sent, self.pace),
            Supply::Ordered { .. } => stalled,
            Supply::Refused { until, .. } => until.min(stalled),
        }
    }

    /// It has taken too long, and the log says whose slowness it was.
    pub(super) fn complain(&self, peer: SocketAddr, now: Instant) {
        let setting = if self.sending.is_stalled(now, self.pace) { "write_timeout" } else { "min_write_rate" };
        match self.supply {
            Supply::Present => log::info!("{peer} reads its answer too slowly ({setting})"),
            Supply::Ordered { .. } => log::warn!("no worker has read the file that {peer} is sent in time ({setting})"),
            Supply::Refused { .. } => log::warn!("no worker was free to read the file that {peer} is sent ({setting})"),
        }
    }
}
