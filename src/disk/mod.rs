//! What the system has of a file in its own memory, and how more of it comes there.
//!
//! A read of what is not there waits for a disk, or for another machine; on an event loop, all its clients would wait along.
//! So the loop asks for what is in memory alone ([`Patience::ForMemory`], [`warm_length`]), and lets a worker [`warm`] the
//! rest. Linux can answer that (`preadv2` with `RWF_NOWAIT`); where it cannot, because the file system does not know, and on
//! other systems, everybody waits.

#[cfg(unix)]
#[path = "read_unix.rs"]
mod read;
#[cfg(not(unix))]
#[path = "read_windows.rs"]
mod read;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "portable.rs"]
mod system;

pub(crate) use read::read_at;
pub(crate) use system::{is_remote, read, warm, warm_length};

/// What may be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// As long as it takes: a worker.
    ForTheDisk,
    /// What the system does not have in its memory fails with `WouldBlock`: an event loop. A system that cannot tell lets
    /// it wait.
    ForMemory,
}
