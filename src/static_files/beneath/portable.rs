//! Systems without descriptors of folders: the path that a file has after all links were followed must be beneath the
//! root's. Between that look and the opening a folder could be swapped; so the file's path is looked at once more.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::look::Look;
use crate::disk::Patience;

/// The root folder, by its path.
#[derive(Debug)]
pub(in crate::static_files) struct Beneath {
    path: PathBuf,
}

/// Names that Windows gives to devices, in every folder and with any extension.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

impl Beneath {
    /// Where a relative path lies, for those who only look.
    pub(in crate::static_files) fn absolute(&self, relative: &Path) -> PathBuf {
        self.path.join(relative)
    }

    pub(in crate::static_files) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// This system does not say of a folder where it lies.
    pub(in crate::static_files) fn is_remote(&self) -> bool {
        false
    }

    /// Nor can it look into its memory alone, so it is asked for the file as by those who wait.
    pub(in crate::static_files) fn open(&self, relative: &Path, _: Patience) -> io::Result<File> {
        let before = self.locate(relative)?;
        let file = File::open(&before)?;
        if self.locate(relative)? == before { Ok(file) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    pub(in crate::static_files) fn names(
        &self,
        path: &Path,
        _: &File,
    ) -> io::Result<impl Iterator<Item = io::Result<OsString>> + use<>> {
        Ok(std::fs::read_dir(self.locate(path)?)?.map(|entry| Ok(entry?.file_name())))
    }

    pub(in crate::static_files) fn look(&self, _: &File, path: &Path, name: &OsStr) -> io::Result<Look> {
        Look::at(&std::fs::metadata(self.locate(&path.join(name))?)?)
    }

    fn locate(&self, relative: &Path) -> io::Result<PathBuf> {
        let root = self.path.canonicalize()?;
        let path = root.join(relative).canonicalize()?;
        if path.starts_with(&root) { Ok(path) } else { Err(io::ErrorKind::CrossesDevices.into()) }
    }
}

/// What Windows takes for one plain name: no drive, no stream, no separator, no device, no end that it would cut off.
pub(in crate::static_files) fn file_name(bytes: &[u8]) -> Option<OsString> {
    let name = std::str::from_utf8(bytes).ok()?;
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    let is_port = |prefix: &str| {
        stem.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            && stem.len() == 4
            && stem.ends_with(|last: char| last.is_ascii_digit())
    };
    let is_device = DEVICES.iter().any(|device| stem.eq_ignore_ascii_case(device)) || is_port("COM") || is_port("LPT");
    let has_odd_byte = name.contains(['\\', ':', '*', '?', '"', '<', '>', '|']) || name.chars().any(char::is_control);
    let is_plain = !is_device && !has_odd_byte && !name.ends_with(['.', ' ']);
    is_plain.then(|| name.into())
}

pub(in crate::static_files) fn is_no_plain_file(_: &io::Error) -> bool {
    false
}

pub(in crate::static_files) fn is_exhaustion(_: &io::Error) -> bool {
    false
}

/// There is none that std would tell.
pub(in crate::static_files) fn inode(_: &Metadata) -> u64 {
    0
}

/// Nor whether two names lead to one file.
pub(in crate::static_files) fn is_same(_: &Metadata, _: &Metadata) -> bool {
    false
}

/// Nothing here tells a changed file for certain, so nothing is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::static_files) struct Fingerprint {}

impl Fingerprint {
    pub(in crate::static_files) fn of(_: &Path, _: &Metadata, _: std::time::SystemTime) -> Option<Self> {
        None
    }

    pub(in crate::static_files) fn of_nothing(_: &Path) -> Option<Self> {
        None
    }

    #[cfg(test)]
    pub(in crate::static_files) fn taken_from_an_old_file(_: &Path, _: &Metadata) -> Self {
        Self {}
    }

    pub(in crate::static_files) fn is_true(&self) -> bool {
        false
    }
}
