//! What a listing says of a name.

use std::fs::Metadata;
use std::io;
use std::time::{Duration, SystemTime};

/// A file or a folder, as it was when we looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::static_files) struct Look {
    pub(in crate::static_files) kind: Kind,
    /// In bytes; of a folder, whatever the system says.
    pub(in crate::static_files) size: u64,
    /// When the content last changed, in seconds since 1970; before that, less than 0.
    pub(in crate::static_files) modified: i64,
}

/// What can be listed. Devices, pipes and sockets cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::static_files) enum Kind {
    Folder,
    File,
}

impl Look {
    pub(super) fn at(metadata: &Metadata) -> io::Result<Self> {
        let kind = match (metadata.is_dir(), metadata.is_file()) {
            (true, _) => Kind::Folder,
            (_, true) => Kind::File,
            _ => return Err(io::ErrorKind::NotFound.into()),
        };
        let modified = metadata.modified().map_or(0, seconds_since_1970);
        Ok(Self { kind, size: metadata.len(), modified })
    }
}

/// Whole seconds, rounded down, as `stat` counts them.
fn seconds_since_1970(time: SystemTime) -> i64 {
    let whole = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => whole(after),
        Err(before) => -whole(before.duration()) - i64::from(before.duration().subsec_nanos() > 0),
    }
}
