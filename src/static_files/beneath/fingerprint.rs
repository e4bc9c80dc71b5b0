//! What tells whether a path still leads to the file that was read, unchanged; or still nowhere.

use std::ffi::CString;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::io::Errno;

/// A file changed less than this ago may be changed again without new times: the clock of the system's files has ticks,
/// of 2 seconds at worst (FAT).
const TICK: Duration = Duration::from_secs(2);

/// A path, and what it led to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::static_files) struct Fingerprint {
    path: CString,
    there: There,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum There {
    File(Identity),
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    device: u64,
    inode: u64,
    length: i64,
    modified: (i64, i64),
    /// When content, owner, rights or name last changed; no program can set it back.
    changed: (i64, i64),
}

impl Fingerprint {
    /// Of a file that was just read. `None` if it was changed so lately that it could change again unseen.
    pub(in crate::static_files) fn of(path: &Path, metadata: &Metadata, now: SystemTime) -> Option<Self> {
        let newest = metadata.mtime().max(metadata.ctime());
        let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let is_settled = i64::try_from((now - TICK.min(now)).as_secs()).is_ok_and(|settled| newest < settled);
        is_settled.then(|| Self::taken_from_an_old_file(path, metadata))
    }

    pub(in crate::static_files) fn taken_from_an_old_file(path: &Path, metadata: &Metadata) -> Self {
        let path = CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
        let identity = Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: i64::try_from(metadata.len()).unwrap_or(-1),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        Self { path, there: There::File(identity) }
    }

    /// Of a path that leads nowhere. No clock has a part in that, so it can be told at once.
    pub(in crate::static_files) fn of_nothing(path: &Path) -> Option<Self> {
        Some(Self { path: CString::new(path.as_os_str().as_bytes()).ok()?, there: There::Nothing })
    }

    /// Whether the path leads to the same file as before, unchanged. One system call.
    pub(in crate::static_files) fn is_true(&self) -> bool {
        match (rustix::fs::stat(&*self.path), &self.there) {
            (Ok(stat), There::File(identity)) => Identity::from(stat) == *identity,
            (Err(error), There::Nothing) => error == Errno::NOENT,
            _ => false,
        }
    }
}

/// The widths of these fields differ between systems.
#[allow(trivial_numeric_casts, clippy::unnecessary_cast, reason = "they are needed on other systems")]
impl From<rustix::fs::Stat> for Identity {
    fn from(stat: rustix::fs::Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            length: stat.st_size as i64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }
}
