//! Settings of several parts in one text: a folder and where it stands, a redirect, a header field.
//!
//! | setting | text |
//! |---|---|
//! | `mount` | `/docs=../manual` |
//! | `redirect` | `/old/**=/new/**`, or with a status `302:/old=/new` |
//! | `header` | `*.html=Cache-Control: no-store` |
//!
//! Only the shape is looked at here; whether a glob or a field can be is for the library to say, when it is given it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use qibu::StatusCode;
use serde::{Deserialize, Serialize};

/// A further folder, and the path where it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Mount {
    /// `/docs`: with the slash in front, and none behind.
    pub(super) at: String,
    pub(super) folder: PathBuf,
}

/// Where old paths lead now.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Redirect {
    pub(super) status: StatusCode,
    pub(super) from: String,
    pub(super) to: String,
}

/// A header field for the files that a glob fits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Header {
    pub(super) files: String,
    pub(super) name: String,
    pub(super) value: String,
}

impl FromStr for Mount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || format!("{text:?} is no path with a folder, as in /docs=../manual");
        let (at, folder) = text.split_once('=').ok_or_else(shape)?;
        let at = at.strip_suffix('/').unwrap_or(at);
        let mut segments = at.split('/');
        if segments.next() != Some("") || at.is_empty() || segments.any(str::is_empty) || folder.is_empty() {
            return Err(shape());
        }
        if at.contains(['{', '}', '?', '#', '%']) {
            return Err(format!(
                "{at:?} has signs that mean something else in a path; choose a plain one, such as /docs"
            ));
        }
        Ok(Self { at: at.to_owned(), folder: folder.into() })
    }
}

impl FromStr for Redirect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || format!("{text:?} is no redirect, as in /old/**=/new/** or 302:/old=/new");
        let (status, paths) = match text.split_once(':') {
            Some((status, paths)) if !status.contains('/') => (status.parse().map_err(|_| shape())?, paths),
            _ => (StatusCode::MOVED_PERMANENTLY, text),
        };
        let (from, to) = paths.split_once('=').ok_or_else(shape)?;
        Ok(Self { status, from: from.to_owned(), to: to.to_owned() })
    }
}

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || format!("{text:?} is no field for files, as in *.html=Cache-Control: no-store");
        let (files, field) = text.split_once('=').ok_or_else(shape)?;
        let (name, value) = field.split_once(':').ok_or_else(shape)?;
        Ok(Self { files: files.to_owned(), name: name.trim().to_owned(), value: value.trim().to_owned() })
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.at, self.folder.display())
    }
}

impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}={}", self.status.as_u16(), self.from, self.to)
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}: {}", self.files, self.name, self.value)
    }
}

impl TryFrom<String> for Mount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<String> for Redirect {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<String> for Header {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Mount> for String {
    fn from(mount: Mount) -> Self {
        mount.to_string()
    }
}

impl From<Redirect> for String {
    fn from(redirect: Redirect) -> Self {
        redirect.to_string()
    }
}

impl From<Header> for String {
    fn from(header: Header) -> Self {
        header.to_string()
    }
}
