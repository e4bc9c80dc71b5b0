//! Whether what a client is sent next of a file is in the system's memory.
//!
//! ```text
//!             the transport finds it on the disk            a worker has read it
//!   Present ────────────────────────────────────► Ordered ──────────────────────► Present
//!      ▲  └─ the same, and no worker takes it ─► Refused ─┐
//!      └──────────────────────── the moment is over ──────┘
//! ```
//!
//! Until then the client is sent nothing and the loop serves the others. The time in which it must read something
//! (`write_timeout`) goes on, so that a disk that hangs for ever holds no client for ever.
//!
//! Pattern: State.

use std::time::{Duration, Instant};

/// Where the next bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Supply {
    /// Wherever the loop need not wait for them.
    Present,
    /// On the disk; a worker reads them.
    Ordered,
    /// On the disk, and so much is to do that no worker takes it. Then we try again.
    Refused { until: Instant },
}

/// So long we leave the workers alone that are behind.
const PAUSE: Duration = Duration::from_millis(100);

impl Supply {
    pub(super) fn refused(now: Instant) -> Self {
        Self::Refused { until: now + PAUSE }
    }

    /// Time has passed.
    pub(super) fn at(self, now: Instant) -> Self {
        match self {
            Self::Refused { until } if until <= now => Self::Present,
            other => other,
        }
    }

    /// When something is to be done, where else it would be at `deadline`.
    pub(super) fn deadline(self, deadline: Instant) -> Instant {
        match self {
            Self::Refused { until } => until.min(deadline),
            Self::Present | Self::Ordered => deadline,
        }
    }
}
