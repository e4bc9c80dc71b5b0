//! Linux: `openat2` with `RESOLVE_BENEATH` lets the kernel itself refuse to leave the root.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, ResolveFlags, openat2};
use rustix::io::Errno;

use super::system::READ;
use super::walk;

/// How often the kernel is asked again when folders are renamed while it walks (openat2(2), EAGAIN).
const MOST_TRIES: usize = 16;

pub(super) fn open(root: BorrowedFd<'_>, relative: &Path) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..MOST_TRIES {
        match openat2(root, relative, READ, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            // A kernel before 5.6, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => return walk::open(root, relative),
            opened => return Ok(opened?),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}
