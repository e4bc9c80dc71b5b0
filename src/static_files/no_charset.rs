//! Without the feature `charset`, all text is said to be UTF-8.

use std::fs::File;
use std::io;

use super::beneath::Fingerprint;
use super::media_type::Text;
use crate::disk::Patience;

/// There is only this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charset;

#[derive(Debug, Default)]
pub(super) struct Charsets {}

impl Charset {
    pub(super) const UTF_8: Self = Self;

    pub(super) fn named(label: &str) -> Option<Self> {
        matches!(&*label.to_ascii_lowercase(), "utf-8" | "utf8").then_some(Self)
    }

    pub(super) fn name(self) -> String {
        "utf-8".into()
    }
}

impl Charsets {
    pub(super) fn all(_: Charset) -> Self {
        Self {}
    }

    pub(super) fn known(&self, _: Option<&Fingerprint>) -> Option<Charset> {
        Some(Charset)
    }

    pub(super) fn of_bytes(&self, _: &[u8], _: Text, _: Option<&Fingerprint>, _: Patience) -> io::Result<Charset> {
        Ok(Charset)
    }

    pub(super) fn of(&self, _: &mut File, _: u64, _: Text, _: Option<&Fingerprint>) -> io::Result<Charset> {
        Ok(Charset)
    }
}

/// Any bytes as text; what is no character in UTF-8 becomes U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
