//! What kind of file it is, by its name alone: the system's own tables are not asked, since they differ.

use std::path::Path;

use http::HeaderValue;

use super::charset::Charset;
use crate::coding;

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

impl MediaType {
    pub(super) fn of(path: &Path) -> Self {
        let name = match mime_guess::from_path(path).first_raw() {
            // RFC 9239 made it the one name for scripts.
            Some("application/javascript") => "text/javascript",
            Some(name) => name,
            None if has_text_name(path) => "text/plain",
            None => "application/octet-stream",
        };
        let is_module = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mjs"));
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
            ("a.vtt", "text/vtt; charset=utf-8"),
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
