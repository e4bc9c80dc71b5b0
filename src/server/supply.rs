//! Whether what a client is sent next of a file is in the system's memory.
//!
//! ```text
//!             the transport finds it on the disk            a worker has read it
//!   Present ────────────────────────────────────► Ordered ──────────────────────► Present
//!      ▲  └─ the same, and no worker takes it ─► Refused ─┐
//!      └──────────────────────── the moment is over ──────┘
//! ```
//!
//! Until then the client is sent nothing and the loop serves the others. That it reads nothing meanwhile is not its slowness
//! (`min_write_rate`); but the time in which it must read something (`write_timeout`) goes on, so that a disk that hangs for
//! ever holds no client for ever.
//!
//! Pattern: State.

use std::time::{Duration, Instant};

/// Where the next bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Supply {
    /// Wherever the loop need not wait for them.
    Present,
    /// On the disk; a worker reads them.
    Ordered { since: Instant },
    /// On the disk, and so much is to do that no worker takes it. Then we try again.
    Refused { since: Instant, until: Instant },
}

/// So long we leave the workers alone that are behind.
const PAUSE: Duration = Duration::from_millis(100);

impl Supply {
    pub(super) fn refused(now: Instant) -> Self {
        Self::Refused { since: now, until: now + PAUSE }
    }

    /// Since when the client is not sent what it could read.
    pub(super) fn missing_since(self) -> Option<Instant> {
        match self {
            Self::Present => None,
            Self::Ordered { since } | Self::Refused { since, .. } => Some(since),
        }
    }

    /// Whether it is time to try again.
    pub(super) fn is_due(self, now: Instant) -> bool {
        matches!(self, Self::Refused { until, .. } if until <= now)
    }
}
