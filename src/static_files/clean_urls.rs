//! Clean URLs: `/about` is `about.html`, for sites whose links leave the extension out.
//!
//! What there is under the very name goes first: a file `about`, or a folder `about/`. `/about.html` is served as before, and
//! `/about/` leads to `/about`, so that relative links in the page are right.
//!
//! Pattern: Null Object (off, it names no page).

use std::ffi::OsString;

use super::resolve::Target;

/// Whether a page may be asked for without its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum CleanUrls {
    #[default]
    Off,
    On,
}

const EXTENSION: &str = ".html";

impl CleanUrls {
    /// The page that this name may stand for.
    pub(super) fn page(self, target: &Target) -> Option<Target> {
        let mut name = match self {
            Self::Off => return None,
            Self::On => OsString::from(target.path.file_name()?),
        };
        name.push(EXTENSION);
        Some(target.sibling(&name).without_slash())
    }
}
