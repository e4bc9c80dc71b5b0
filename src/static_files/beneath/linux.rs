//! Linux: `openat2` with `RESOLVE_BENEATH` lets the kernel itself refuse to leave the root; with `RESOLVE_CACHED`, to go to
//! the disk for it.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, ResolveFlags, openat2};
use rustix::io::Errno;

use super::system::READ;
use super::walk;
use crate::disk::Patience;

/// How often the kernel is asked again when folders are renamed while it walks (openat2(2), EAGAIN).
const MOST_TRIES: usize = 16;

/// Whether a kernel before 5.12 has refused `RESOLVE_CACHED`: it is not asked again, and those who cannot wait do.
static CANNOT_TELL: AtomicBool = AtomicBool::new(false);

pub(super) fn open(root: BorrowedFd<'_>, relative: &Path, patience: Patience) -> io::Result<OwnedFd> {
    let asks_memory = patience == Patience::ForMemory && !CANNOT_TELL.load(Ordering::Relaxed);
    if asks_memory {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::CACHED;
        match openat2(root, relative, READ, Mode::empty(), resolve) {
            // A folder that is renamed meanwhile is the same to us: a worker looks again.
            Err(Errno::AGAIN | Errno::INTR) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(Errno::INVAL | Errno::NOSYS | Errno::PERM) => {}
            opened => return Ok(opened?),
        }
    }
    let opened = open_patiently(root, relative);
    if asks_memory && opened.is_ok() {
        CANNOT_TELL.store(true, Ordering::Relaxed);
    }
    opened
}

fn open_patiently(root: BorrowedFd<'_>, relative: &Path) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..MOST_TRIES {
        match openat2(root, relative, READ, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            // A kernel before 5.6, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => return walk::open(root, relative, Patience::ForTheDisk),
            opened => return Ok(opened?),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}
