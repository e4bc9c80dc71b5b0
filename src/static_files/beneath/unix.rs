//! Unix: everything is opened relative to a descriptor of the root folder.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, openat};
use rustix::io::Errno;

use super::descend::open as open_beneath;
pub(in crate::static_files) use super::fingerprint::Fingerprint;
use super::look::{Kind, Look};
use crate::disk::{self, Patience};

/// The root folder, by its path and as it was last found there.
#[derive(Debug)]
pub(in crate::static_files) struct Beneath {
    path: PathBuf,
    opened: RwLock<Option<Arc<Opened>>>,
    is_remote: AtomicBool,
}

/// An open folder and its identity.
#[derive(Debug)]
struct Opened {
    folder: OwnedFd,
    identity: (u64, u64),
}

/// Neither blocks nor becomes our terminal, whatever it turns out to be.
pub(super) const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

impl Beneath {
    /// Where a relative path lies, for those who only look.
    pub(in crate::static_files) fn absolute(&self, relative: &Path) -> PathBuf {
        self.path.join(relative)
    }

    pub(in crate::static_files) fn new(path: &Path) -> Self {
        let new = Self { path: path.to_owned(), opened: RwLock::new(None), is_remote: AtomicBool::new(false) };
        // Where it lies is known before the first question; that there is nothing yet, is said to who asks.
        let _ = new.root(Patience::ForTheDisk);
        new
    }

    /// Whether the root was last found on a file system that asks others.
    pub(in crate::static_files) fn is_remote(&self) -> bool {
        self.is_remote.load(Ordering::Relaxed)
    }

    /// Opens a relative path for reading. Links are followed while they stay beneath the root. Fails with `WouldBlock` where
    /// that takes more than `patience`.
    pub(in crate::static_files) fn open(&self, relative: &Path, patience: Patience) -> io::Result<File> {
        let root = self.root(patience)?;
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        open_beneath(root.folder.as_fd(), relative, patience).map(File::from)
    }

    /// The names in an open folder, without `.` and `..`, as they are read.
    pub(in crate::static_files) fn names(
        &self,
        _: &Path,
        folder: &File,
    ) -> io::Result<impl Iterator<Item = io::Result<OsString>> + use<>> {
        let entries =
            Dir::read_from(folder)?.map(|entry| Ok(OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned()));
        Ok(entries.filter(|name| !name.as_ref().is_ok_and(|name| name == "." || name == "..")))
    }

    /// What stands behind a name in an open folder; behind a link, what it leads to.
    pub(in crate::static_files) fn look(&self, folder: &File, path: &Path, name: &OsStr) -> io::Result<Look> {
        let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        // One call for most names. Only a link can lead out, so only a link is opened.
        if FileType::from_raw_mode(stat.st_mode).is_symlink() {
            return Look::at(&self.open(&path.join(name), Patience::ForTheDisk)?.metadata()?);
        }
        Look::try_from(stat)
    }

    /// The root as it is at its path now: a folder that was built anew, or swapped by renaming, is another folder. While we
    /// hold it open, the system keeps its name in memory.
    fn root(&self, patience: Patience) -> io::Result<Arc<Opened>> {
        let metadata = std::fs::metadata(&self.path)?;
        let identity = (metadata.dev(), metadata.ino());
        let known = self.opened.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(opened) = known
            && opened.identity == identity
        {
            return Ok(opened);
        }
        if patience == Patience::ForMemory {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let folder = openat(CWD, &self.path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let file = File::from(folder);
        let metadata = file.metadata()?;
        self.is_remote.store(disk::is_remote(&file), Ordering::Relaxed);
        let opened = Arc::new(Opened { folder: file.into(), identity: (metadata.dev(), metadata.ino()) });
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = Some(opened.clone());
        Ok(opened)
    }
}

/// The widths of these fields differ between systems.
#[allow(trivial_numeric_casts, clippy::unnecessary_cast, reason = "they are needed on other systems")]
impl TryFrom<Stat> for Look {
    type Error = io::Error;

    fn try_from(stat: Stat) -> io::Result<Self> {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Kind::Folder,
            FileType::RegularFile => Kind::File,
            _ => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(Self { kind, size: u64::try_from(stat.st_size).unwrap_or(0), modified: stat.st_mtime as i64 })
    }
}

/// Any bytes but `/` and NUL are a name.
pub(in crate::static_files) fn file_name(bytes: &[u8]) -> Option<OsString> {
    Some(OsStr::from_bytes(bytes).to_owned())
}

/// Opening a socket, a device that is not there, or a link that leads to itself fails in ways of its own.
pub(in crate::static_files) fn is_no_plain_file(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP | Errno::LOOP | Errno::MLINK)
    )
}

/// No descriptor is left, in this process or in the system.
pub(in crate::static_files) fn is_exhaustion(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

/// The number that a file keeps while it lives, for its tag.
pub(in crate::static_files) fn inode(metadata: &Metadata) -> u64 {
    metadata.ino()
}

/// Whether both are of one file, whatever its names.
pub(in crate::static_files) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}
