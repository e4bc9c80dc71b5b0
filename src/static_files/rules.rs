//! Header fields for files, by glob: `*.html` shall not be kept, `/assets/**` may be kept for a year.
//!
//! A rule is held against the file that is sent, whatever path led to it: one for `*.html` is for `/about/` and `/about`
//! too, and for the page that stands in where nothing was found. All forms of a file count as the file itself. It is done
//! once, when the [`Representation`] is made, and costs nothing when it is sent again.

use std::io;
use std::path::{Path, PathBuf};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::glob::Glob;
use super::representation::Representation;

/// The fields that are added to files, in the order in which they were said.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    /// Where the folder stands in its site: what the globs see in front of a path.
    prefix: PathBuf,
}

#[derive(Debug)]
struct Rule {
    files: Glob,
    name: HeaderName,
    value: HeaderValue,
}

/// What only the bytes that are sent can say, or the connection that they go over.
const OURS: [HeaderName; 11] = [
    header::ACCEPT_RANGES,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::DATE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

impl Rules {
    pub(super) fn add(&mut self, files: &str, name: &str, value: &str) -> io::Result<()> {
        let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} for {files:?}: {why}"));
        let files = Glob::parse(files)?;
        let field = HeaderName::try_from(name).map_err(|_| wrong("this is no name of a header field"))?;
        if OURS.contains(&field) {
            return Err(wrong("this field says what is sent, and the server alone knows that"));
        }
        let value =
            HeaderValue::from_str(value).map_err(|_| wrong("a value has no line breaks or control characters"))?;
        self.rules.push(Rule { files, name: field, value });
        Ok(())
    }

    pub(super) fn stand_at(&mut self, prefix: &str) {
        self.prefix = PathBuf::from(prefix.trim_matches('/'));
    }

    /// Adds what is said of this file; what is said last counts.
    pub(super) fn apply(&self, path: &Path, representation: &mut Representation) {
        if self.rules.is_empty() {
            return;
        }
        let path = self.prefix.join(path);
        representation.change_fields(|fields| {
            for rule in self.rules.iter().filter(|rule| rule.files.fits(&path)) {
                if rule.name == header::VARY {
                    vary(fields, &rule.value); // beside what we know ourselves
                } else {
                    fields.insert(rule.name.clone(), rule.value.clone());
                }
            }
        });
    }
}

/// Adds to what an answer depends on (RFC 9110 section 12.5.5).
pub(super) fn vary(fields: &mut HeaderMap, more: &HeaderValue) {
    let both = fields.get(header::VARY).map(|known| [known.as_bytes(), b", ", more.as_bytes()].concat());
    let both = both.and_then(|both| HeaderValue::from_bytes(&both).ok());
    fields.insert(header::VARY, both.unwrap_or_else(|| more.clone()));
}
