//! URL path to open file, or a refusal: the one decision, for every feature, and the only code that opens files.
//!
//! The path is decoded once, and taken apart before that, so that an encoded slash can never become a separator. Each
//! segment is looked at by itself. What is left is opened beneath the root by the system ([`super::beneath`]),
//! which follows links and refuses to leave: there is no check that could be outrun by someone who swaps a folder for a
//! link.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::beneath::{self, Beneath, Fingerprint, Look};
use crate::disk::Patience;
use crate::message::{Request, Response};

/// What is percent-encoded in a path segment: all but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The one folder whose name begins with a dot and that is meant to be seen (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// What a URL path names, beneath the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Relative, of normal components only; empty for the root itself.
    pub(super) path: PathBuf,
    pub(super) slash: Slash,
    visibility: Visibility,
}

/// Whether the path ended in a slash, and so must be a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slash {
    Present,
    Absent,
}

/// Whether a segment begins with a dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visibility {
    Visible,
    Hidden,
}

/// What stands there.
pub(super) enum Found {
    File(File, Metadata),
    Folder(File),
}

/// Why there is no file for a path.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Not percent-encoded as RFC 3986 section 2.1 says, or with a NUL in it.
    Malformed,
    /// Not there, or not for the client to know of.
    NotFound,
    /// There, but this process may not read it.
    Forbidden,
    /// Only the disk can tell, and the caller does not wait for it.
    Cold,
    /// The system has no descriptor left.
    Exhausted(io::Error),
    Failed(io::Error),
}

/// The folder that is served.
#[derive(Debug, Clone)]
pub(super) struct Root {
    beneath: Arc<Beneath>,
    patience: Patience,
    /// Names that are never served, besides those that begin with a dot.
    hidden: Vec<OsString>,
    hidden_files: Vec<HiddenFile>,
}

/// A file that is never served, by whatever name.
#[derive(Debug, Clone)]
struct HiddenFile {
    /// For links that lead to it.
    path: PathBuf,
    /// From the root, in lower case.
    relative: Vec<u8>,
}

impl Target {
    pub(super) fn root() -> Self {
        Self { path: PathBuf::new(), slash: Slash::Present, visibility: Visibility::Visible }
    }

    /// Takes the path of a request apart.
    pub(super) fn parse(path: &str) -> Result<Self, Refusal> {
        let Some(path) = path.strip_prefix('/') else { return Err(Refusal::NotFound) };
        let mut target = Self::root();
        if path.is_empty() {
            return Ok(target);
        }
        let (path, slash) = path.strip_suffix('/').map_or((path, Slash::Absent), |folder| (folder, Slash::Present));
        target.slash = slash;
        for segment in path.split('/') {
            let name = decode(segment)?;
            let is_well_known = target.is_root() && name == WELL_KNOWN;
            if name.as_encoded_bytes().starts_with(b".") && !is_well_known {
                target.visibility = Visibility::Hidden;
            }
            target.path.push(name);
        }
        Ok(target)
    }

    pub(super) fn is_root(&self) -> bool {
        self.path.as_os_str().is_empty()
    }

    pub(super) fn with_slash(self) -> Self {
        Self { slash: Slash::Present, ..self }
    }

    pub(super) fn without_slash(self) -> Self {
        Self { slash: Slash::Absent, ..self }
    }

    /// Something in this folder.
    pub(super) fn child(&self, name: impl AsRef<OsStr>) -> Self {
        Self { path: self.path.join(name.as_ref()), slash: Slash::Absent, visibility: self.visibility }
    }

    /// Whether a name in it is hidden from clients.
    pub(super) fn is_hidden(&self) -> bool {
        self.visibility == Visibility::Hidden
    }

    /// The folders that it lies in, the nearest first; of a hidden one, the root alone, which is never hidden.
    pub(super) fn parents(&self) -> impl Iterator<Item = Self> {
        let folders = self.path.ancestors().skip(1).filter(|folder| !self.is_hidden() || folder.as_os_str().is_empty());
        folders.map(|folder| Self { path: folder.to_owned(), ..Self::root() })
    }

    /// Something beside it.
    pub(super) fn sibling(&self, name: &OsStr) -> Self {
        Self { path: self.path.with_file_name(name), ..self.clone() }
    }

    /// The path as a URL, encoded anew from its names: it begins with exactly one slash, whatever was asked.
    pub(super) fn to_url(&self) -> String {
        let mut url = String::with_capacity(self.path.as_os_str().len() + 2);
        for name in &self.path {
            url.push('/');
            url.extend(percent_encode(name.as_encoded_bytes(), SEGMENT));
        }
        if self.slash == Slash::Present {
            url.push('/');
        }
        url
    }
}

/// A name as a URL path segment.
pub(super) fn encode(name: &[u8]) -> impl std::fmt::Display {
    percent_encode(name, SEGMENT)
}

/// Decodes one segment, once. What names no single entry of a folder is not found, whatever the system would make of it.
fn decode(segment: &str) -> Result<OsString, Refusal> {
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        // RFC 3986 §2.1: two hexadecimal digits; `percent_decode_str` would leave others as they are.
        let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        if byte == b'%' && !(is_hex(bytes.next()) && is_hex(bytes.next())) {
            return Err(Refusal::Malformed);
        }
    }
    let name = Cow::from(percent_decode_str(segment));
    match &*name {
        b"" | b"." | b".." => Err(Refusal::NotFound),
        name if name.contains(&0) => Err(Refusal::Malformed),
        name if name.contains(&b'/') => Err(Refusal::NotFound),
        name => beneath::file_name(name).ok_or(Refusal::NotFound),
    }
}

impl Root {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            beneath: Arc::new(Beneath::new(path)),
            patience: Patience::ForTheDisk,
            hidden: Vec::new(),
            hidden_files: Vec::new(),
        }
    }

    /// The same folder for those who must not wait: what the system has not in memory is [`Refusal::Cold`].
    pub(super) fn of_memory(&self) -> Self {
        Self { patience: Patience::ForMemory, ..self.clone() }
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// Whether the folder lies on another machine, or with another program, so that no question to it is answered by the
    /// system alone.
    pub(super) fn is_remote(&self) -> bool {
        self.beneath.is_remote()
    }

    pub(super) fn hide(&mut self, name: OsString) {
        self.hidden.push(name);
    }

    /// Hides a file, which may be a link, if it lies beneath the root.
    pub(super) fn hide_file(&mut self, path: &Path) {
        let root = self.beneath.absolute(Path::new("")).canonicalize();
        let parent = std::path::absolute(path).ok().and_then(|path| path.parent()?.canonicalize().ok());
        let named = parent.zip(path.file_name()).map(|(parent, name)| parent.join(name));
        for place in named.into_iter().chain(path.canonicalize()) {
            if let Some(relative) = root.as_ref().ok().and_then(|root| place.strip_prefix(root).ok()) {
                let relative = relative.as_os_str().as_encoded_bytes().to_ascii_lowercase();
                self.hidden_files.push(HiddenFile { path: place, relative });
            }
        }
    }

    /// Whatever the case: to some file systems it is the same name.
    fn hides_name(&self, name: &OsStr) -> bool {
        self.hidden.iter().any(|hidden| hidden.eq_ignore_ascii_case(name))
    }

    fn hides(&self, path: &Path) -> bool {
        path.iter().any(|name| self.hides_name(name)) || self.hidden_files.iter().any(|file| file.is_named(path))
    }

    /// Opens what the target names, unless it is hidden.
    pub(super) fn find(&self, target: &Target) -> Result<Found, Refusal> {
        if target.is_hidden() || self.hides(&target.path) {
            return Err(Refusal::NotFound);
        }
        match self.find_even_hidden(target)? {
            Found::File(_, metadata) if self.hidden_files.iter().any(|file| file.is(&metadata)) => {
                Err(Refusal::NotFound)
            }
            found => Ok(found),
        }
    }

    /// The same for a name that did not come from the client, or that the user has asked us to serve.
    pub(super) fn find_even_hidden(&self, target: &Target) -> Result<Found, Refusal> {
        let file = self.beneath.open(&target.path, self.patience)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            Ok(Found::Folder(file))
        } else if metadata.is_file() && target.slash == Slash::Absent {
            Ok(Found::File(file, metadata))
        } else {
            Err(Refusal::NotFound) // a FIFO, a socket or a device; or a file with a slash behind it
        }
    }

    /// What tells later whether the target still leads to this file, unchanged; `None` if that cannot be told.
    pub(super) fn fingerprint(&self, target: &Target, metadata: &Metadata) -> Option<Fingerprint> {
        Fingerprint::of(&self.beneath.absolute(&target.path), metadata, SystemTime::now())
    }

    /// What tells later whether the target still leads nowhere; `None` if that cannot be told, or it is only hidden.
    pub(super) fn absence(&self, target: &Target) -> Option<Fingerprint> {
        if target.is_hidden() || self.hides(&target.path) {
            return None;
        }
        Fingerprint::of_nothing(&self.beneath.absolute(&target.path))
    }

    /// What can be reached in an open folder, of the names that are wanted; hidden ones left out, in no order.
    pub(super) fn entries(
        &self,
        target: &Target,
        folder: &File,
        is_wanted: impl Fn(&OsStr) -> bool,
    ) -> io::Result<impl Iterator<Item = io::Result<(OsString, Look)>>> {
        let is_listed = move |name: &OsStr| {
            let is_dotted = name.as_encoded_bytes().starts_with(b".") && !(target.is_root() && name == WELL_KNOWN);
            let is_own = || self.hidden_files.iter().any(|file| file.is_named(&target.path.join(name)));
            !is_dotted && !self.hides_name(name) && !is_own() && is_wanted(name)
        };
        let names = self.beneath.names(&target.path, folder)?;
        Ok(names.filter_map(move |name| match name {
            // What cannot be looked at has gone, or leads out of the root, or is neither file nor folder.
            Ok(name) if is_listed(&name) => {
                self.beneath.look(folder, &target.path, &name).ok().map(|look| Ok((name, look)))
            }
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        }))
    }
}

impl HiddenFile {
    /// Whether the path is its own, or that of what was put away under a longer name: `access.log.1`, `access.log-2026.gz`.
    fn is_named(&self, path: &Path) -> bool {
        let (path, own) = (path.as_os_str().as_encoded_bytes(), self.relative.len());
        path.get(..own).is_some_and(|begin| begin.eq_ignore_ascii_case(&self.relative))
            && path.get(own).is_none_or(|next| !next.is_ascii_alphanumeric())
    }

    /// The file may be another one by now, of the same name.
    fn is(&self, metadata: &Metadata) -> bool {
        self.path.metadata().is_ok_and(|own| beneath::is_same(&own, metadata))
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{CrossesDevices, InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied};
        match error.kind() {
            // `CrossesDevices` is what openat2 says of a path that leaves the root.
            NotFound | NotADirectory | InvalidFilename | CrossesDevices | InvalidInput => Self::NotFound,
            PermissionDenied => Self::Forbidden,
            io::ErrorKind::WouldBlock => Self::Cold,
            _ if beneath::is_no_plain_file(&error) => Self::NotFound,
            _ if beneath::is_exhaustion(&error) => Self::Exhausted(error),
            _ => Self::Failed(error),
        }
    }
}

impl Refusal {
    /// What the client is told; our own troubles are logged, too.
    pub(super) fn answer(&self, request: &Request) -> Response {
        let status = match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Cold | Self::Exhausted(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if let Self::Exhausted(error) | Self::Failed(error) = self {
            log::error!("{} for {}: {error}", status.as_u16(), request.target().escape_debug());
        }
        Response::status_page_for(request, status)
    }
}
