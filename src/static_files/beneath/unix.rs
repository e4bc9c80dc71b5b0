//! Unix: everything is opened relative to a descriptor of the root folder.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{CWD, Dir, Mode, OFlags, openat};
use rustix::io::Errno;

use super::descend::open as open_beneath;
pub(in crate::static_files) use super::fingerprint::Fingerprint;

/// The root folder, by its path and as it was last found there.
#[derive(Debug)]
pub(in crate::static_files) struct Beneath {
    path: PathBuf,
    opened: RwLock<Option<Arc<Opened>>>,
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
        Self { path: path.to_owned(), opened: RwLock::new(None) }
    }

    /// Opens a relative path for reading. Links are followed while they stay beneath the root.
    pub(in crate::static_files) fn open(&self, relative: &Path) -> io::Result<File> {
        let root = self.root()?;
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        open_beneath(root.folder.as_fd(), relative).map(File::from)
    }

    /// The names in an open folder, without `.` and `..`.
    pub(in crate::static_files) fn names(&self, _: &Path, folder: &File) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(folder)? {
            let entry = entry?;
            match entry.file_name().to_bytes() {
                b"." | b".." => {}
                name => names.push(OsStr::from_bytes(name).to_owned()),
            }
        }
        Ok(names)
    }

    /// What is said of a name in an open folder; of a link, what is said of the place it leads to.
    pub(in crate::static_files) fn metadata(&self, _: &File, path: &Path, name: &OsStr) -> io::Result<Metadata> {
        self.open(&path.join(name))?.metadata()
    }

    /// The root as it is at its path now: a folder that was built anew, or swapped by renaming, is another folder.
    fn root(&self) -> io::Result<Arc<Opened>> {
        let metadata = std::fs::metadata(&self.path)?;
        let identity = (metadata.dev(), metadata.ino());
        let known = self.opened.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(opened) = known
            && opened.identity == identity
        {
            return Ok(opened);
        }
        let folder = openat(CWD, &self.path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let file = File::from(folder);
        let metadata = file.metadata()?;
        let opened = Arc::new(Opened { folder: file.into(), identity: (metadata.dev(), metadata.ino()) });
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = Some(opened.clone());
        Ok(opened)
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
