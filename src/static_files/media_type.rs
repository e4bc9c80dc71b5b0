//! What kind of file it is, by its name: the system's own tables are not asked, since they differ. Source code is plain
//! text, which browsers show; in case of doubt, as with `.ts`, the first bytes tell.

use std::fs::File;
use std::io;
use std::path::Path;

use http::HeaderValue;

use super::charset::Charset;
use super::source_code::{is_source, may_be_film};
use crate::coding;
use crate::disk::{self, Patience};

/// A media type, and who says how its characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MediaType {
    name: &'static str,
    pub(super) characters: Characters,
}

/// Who says how the characters of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Characters {
    /// We do, in `Content-Type`, or browsers would guess.
    Text(Text),
    /// Its standard does: it is UTF-8.
    Utf8,
    /// Nobody needs to: it has none; or it is XML, which says it itself, and a charset in `Content-Type` would overrule it;
    /// or JSON, which has no such parameter (RFC 8259 section 11).
    Own,
}

/// How a text can name its charset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// `<meta charset>`.
    Html,
    /// `@charset`.
    Css,
    /// It cannot.
    Other,
}

/// Text that has no extension by custom. `LICENSE-MIT` is text, too.
const TEXT_NAMES: [&str; 20] = [
    "AUTHORS",
    "CHANGELOG",
    "CHANGES",
    "CONTRIBUTING",
    "CONTRIBUTORS",
    "COPYING",
    "COPYRIGHT",
    "Containerfile",
    "Dockerfile",
    "HISTORY",
    "INSTALL",
    "LICENCE",
    "LICENSE",
    "MAINTAINERS",
    "Makefile",
    "NEWS",
    "NOTICE",
    "README",
    "TODO",
    "VERSION",
];

/// So many bytes tell whether a file is text (WHATWG MIME Sniffing, section 5.2).
const TELLING_BYTES: usize = 1445;

impl MediaType {
    /// By the name alone.
    pub(super) fn of(path: &Path) -> Self {
        let name = match mime_guess::from_path(path).first_raw() {
            // RFC 9239 made it the one name for scripts.
            Some("application/javascript") => "text/javascript",
            Some(name) if is_certain(name) => name,
            _ if is_source(path) => source_type(path),
            Some("application/x-tgif") => "model/obj", // `.obj` is rather what IANA knows by this name
            Some(name) => name,
            None if has_extension(path, "ipynb") => "application/json",
            None if has_text_name(path) => "text/plain",
            None => "application/octet-stream",
        };
        Self::named(name, path)
    }

    /// Of a file of that length, by its name, and by its first bytes where that may be the name of a film, too. Fails as
    /// [`disk::read`] does.
    pub(super) fn of_file(path: &Path, file: &mut File, length: u64, patience: Patience) -> io::Result<Self> {
        if may_be_film(path) {
            let mut bytes = [0; TELLING_BYTES];
            let start = &mut bytes[..usize::try_from(length).unwrap_or(TELLING_BYTES).min(TELLING_BYTES)];
            disk::read(file, start, patience)?;
            if !is_text(start) {
                return Ok(Self::named("video/mp2t", path)); // RFC 3555 section 4.2.5
            }
        }
        Ok(Self::of(path))
    }

    fn named(name: &'static str, path: &Path) -> Self {
        let is_module = has_extension(path, "mjs");
        let characters = match name {
            "text/xml" => Characters::Own,
            "text/html" => Characters::Text(Text::Html),
            "text/css" => Characters::Text(Text::Css),
            // A module, as any script that another one imports, and subtitles.
            _ if is_module || name == "text/vtt" => Characters::Utf8,
            _ if name.starts_with("text/") => Characters::Text(Text::Other),
            _ => Characters::Own,
        };
        Self { name, characters }
    }

    pub(super) fn name(self) -> &'static str {
        self.name
    }

    /// Whether a file of this kind gets smaller by compression.
    pub(super) fn is_compressible(self) -> bool {
        coding::gains(self.name)
    }

    /// The value of `Content-Type` for a file that is written so.
    pub(super) fn field_value(self, charset: Charset) -> HeaderValue {
        let bare = HeaderValue::from_static(self.name);
        match self.characters {
            Characters::Own => bare,
            Characters::Utf8 | Characters::Text(_) => {
                HeaderValue::try_from(format!("{}; charset={}", self.name, charset.name())).unwrap_or(bare)
            }
        }
    }
}

/// Whether no source code has this type by mistake. Where a `text/x-…` is no source code, a program may wait for it: `.vcf`.
fn is_certain(name: &str) -> bool {
    (name.starts_with("text/") && !name.starts_with("text/x-")) || name.starts_with("image/")
}

/// Text that nothing acts on, but for the scripts of Node.js that say that they are no modules.
fn source_type(path: &Path) -> &'static str {
    if has_extension(path, "cjs") { "text/javascript" } else { "text/plain" }
}

fn has_extension(path: &Path, known: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(known))
}

/// WHATWG MIME Sniffing, section 7.2. The packets of a film have a zero or the like in their heads, and encrypted ones have
/// all bytes there are.
fn is_text(start: &[u8]) -> bool {
    let is_marked = [&b"\xfe\xff"[..], b"\xff\xfe", b"\xef\xbb\xbf"].iter().any(|mark| start.starts_with(mark));
    is_marked || !start.iter().any(|byte| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f))
}

fn has_text_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let first = name.split(['-', '_']).next().unwrap_or(name);
    !name.contains('.') && TEXT_NAMES.iter().any(|known| known.eq_ignore_ascii_case(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_a_charset_and_the_rest_has_none() {
        for (name, media_type) in [
            ("a.html", "text/html; charset=utf-8"),
            ("a.TXT", "text/plain; charset=utf-8"),
            ("a.log", "text/plain; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.csv", "text/csv; charset=utf-8"),
            ("a.md", "text/markdown; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.cjs", "text/javascript; charset=utf-8"),
            ("a.vtt", "text/vtt; charset=utf-8"),
            ("a.ts", "text/plain; charset=utf-8"),
            ("go.mod", "text/plain; charset=utf-8"),
            ("go.sum", "text/plain; charset=utf-8"),
            ("Cargo.lock", "text/plain; charset=utf-8"),
            ("a.sql", "text/plain; charset=utf-8"),
            ("a.rs", "text/plain; charset=utf-8"),
            ("a.vcf", "text/x-vcard; charset=utf-8"),
            ("a.mod", "video/mpeg"),
            ("a.mp4", "video/mp4"),
            ("a.obj", "model/obj"),
            ("a.ipynb", "application/json"),
            ("a.png", "image/png"),
            ("a.svg", "image/svg+xml"),
            ("a.xml", "text/xml"),
            ("a.json", "application/json"),
            ("a.wasm", "application/wasm"),
            ("a.tar.gz", "application/gzip"),
            ("README", "text/plain; charset=utf-8"),
            ("LICENSE-MIT", "text/plain; charset=utf-8"),
            ("docs/Makefile", "text/plain; charset=utf-8"),
            ("READMENOT", "application/octet-stream"),
            ("README.unheard-of", "application/octet-stream"),
            ("a.unheard-of", "application/octet-stream"),
        ] {
            assert_eq!(MediaType::of(Path::new(name)).field_value(Charset::UTF_8), media_type, "{name}");
        }
    }

    #[test]
    fn source_code_is_shown_and_does_nothing() {
        for extension in
            "sh go java rb kt swift tsx ts vue diff patch sql lock ps1 tex rst jsonl php svg.rs html.lock".split(' ')
        {
            let media_type = MediaType::of(Path::new(&format!("a.{extension}")));
            assert_eq!(media_type.name(), "text/plain", "{extension}");
            assert_eq!(media_type.characters, Characters::Text(Text::Other), "{extension}");
            assert!(media_type.is_compressible(), "{extension}");
        }
    }

    #[test]
    fn text_has_no_bytes_that_only_machines_read() {
        for text in
            [&b""[..], b"G", b"let a\r\n\t\x0c\x1b[0m", "let 七 = 1".as_bytes(), b"\xff\xfel\0", b"\xc4\xe3\xba\xc3"]
        {
            assert!(is_text(text), "{text:?}");
        }
        for film in [&b"G\x40\0\x10\0"[..], b"G\x41\x01\x31", b"\0\0\0\0G", b"\x9c\x0b\xe2"] {
            assert!(!is_text(film), "{film:?}");
        }
    }

    #[test]
    fn what_is_utf_8_by_its_standard_is_not_looked_at() {
        for (name, characters) in [
            ("a.mjs", Characters::Utf8),
            ("a.vtt", Characters::Utf8),
            ("a.js", Characters::Text(Text::Other)),
            ("a.htm", Characters::Text(Text::Html)),
            ("a.css", Characters::Text(Text::Css)),
            ("a.json", Characters::Own),
        ] {
            assert_eq!(MediaType::of(Path::new(name)).characters, characters, "{name}");
        }
    }
}
