//! Any unix: walk down name by name, never letting the system follow a link.
//!
//! A link is read and its target's names are walked instead. `..` in it goes back to the folder that we came from, which
//! we hold open; above the root there is nothing. Whoever swaps a folder for a link meanwhile gains nothing: the open
//! that follows refuses links.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, openat, readlinkat};
use rustix::io::Errno;

use super::system::READ;
use crate::disk::Patience;

/// As many as Linux follows (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// A name still to be walked.
enum Step {
    Down(OsString),
    Up,
}

/// Whether it waits for the disk is not in its hands.
pub(super) fn open(root: BorrowedFd<'_>, relative: &Path, _: Patience) -> io::Result<OwnedFd> {
    let mut steps = VecDeque::new();
    put_first(&mut steps, relative)?;
    let (mut folders, mut links) = (Vec::<OwnedFd>::new(), 0);
    while let Some(step) = steps.pop_front() {
        let here = folders.last().map_or(root, AsFd::as_fd);
        let Step::Down(name) = step else {
            folders.pop().ok_or(io::ErrorKind::CrossesDevices)?;
            continue;
        };
        match readlinkat(here, &name, Vec::new()) {
            Ok(target) => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                put_first(&mut steps, Path::new(&OsString::from_vec(target.into_bytes())))?;
            }
            Err(Errno::INVAL) => folders.push(open_here(here, &name, &steps)?), // no link
            Err(error) => return Err(error.into()),
        }
    }
    match folders.pop() {
        Some(opened) => Ok(opened),
        None => Ok(openat(root, ".", READ, Mode::empty())?),
    }
}

fn open_here(here: BorrowedFd<'_>, name: &OsStr, rest: &VecDeque<Step>) -> io::Result<OwnedFd> {
    let what = if rest.is_empty() { OFlags::empty() } else { OFlags::DIRECTORY };
    Ok(openat(here, name, READ | OFlags::NOFOLLOW | what, Mode::empty())?)
}

fn put_first(steps: &mut VecDeque<Step>, path: &Path) -> io::Result<()> {
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => steps.push_front(Step::Down(name.to_owned())),
            Component::ParentDir => steps.push_front(Step::Up),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Err(io::ErrorKind::CrossesDevices.into()),
        }
    }
    Ok(())
}
