//! The charsets of the files that are served: as the user has said, or as found and remembered.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::{PoisonError, RwLock};

use super::super::beneath::Fingerprint;
use super::super::media_type::Text;
use super::{Charset, detect, detect_without_guess, guess, sample};
use crate::disk::Patience;

/// One per folder that is served, shared by all loops.
#[derive(Debug, Default)]
pub(in crate::static_files) struct Charsets {
    /// What the user has said of all files.
    chosen: Option<Charset>,
    /// What was found, by path and version of the file.
    known: RwLock<HashMap<Fingerprint, Charset>>,
}

/// How many are remembered. When there are more, all are forgotten: looking again costs less than a millisecond each.
const MOST_KNOWN: usize = 4096;

impl Charsets {
    /// All text is written in this one.
    pub(in crate::static_files) fn all(charset: Charset) -> Self {
        Self { chosen: Some(charset), ..Self::default() }
    }

    /// The charset of a file of that length. It is read for it, unless this version is known; one that was changed a
    /// moment ago has no version to remember it by. Fails with `UnexpectedEof` if it has become shorter.
    pub(in crate::static_files) fn of(
        &self,
        file: &mut File,
        length: u64,
        text: Text,
        version: Option<&Fingerprint>,
    ) -> io::Result<Charset> {
        if let Some(charset) = self.known(version) {
            return Ok(charset);
        }
        let sample = sample::read(file, length)?;
        let charset = detect(&sample::pieces(&sample, length), text);
        if let Some(version) = version {
            self.remember(version, charset);
        }
        Ok(charset)
    }

    /// The charset of a text that is all there. Only a guess is worth remembering; and it takes so long that who does not wait
    /// for the disk does not wait for it, either, and gets `WouldBlock`.
    pub(in crate::static_files) fn of_bytes(
        &self,
        bytes: &[u8],
        text: Text,
        version: Option<&Fingerprint>,
        patience: Patience,
    ) -> io::Result<Charset> {
        let told = self.chosen.or_else(|| detect_without_guess(&[bytes], text));
        if let Some(charset) = told.or_else(|| self.recall(version?)) {
            return Ok(charset);
        }
        if patience == Patience::ForMemory {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let charset = guess(&[bytes]);
        if let Some(version) = version {
            self.remember(version, charset);
        }
        Ok(charset)
    }

    /// The charset of this version, if the file need not be read for it.
    pub(in crate::static_files) fn known(&self, version: Option<&Fingerprint>) -> Option<Charset> {
        self.chosen.or_else(|| self.recall(version?))
    }

    fn recall(&self, version: &Fingerprint) -> Option<Charset> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(version).copied()
    }

    fn remember(&self, version: &Fingerprint, charset: Charset) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(version.clone(), charset);
    }
}
