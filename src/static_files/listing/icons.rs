//! What kind of thing a file is, for its icon: from its name alone.

use std::path::Path;

use super::super::media_type::MediaType;
use super::super::source_code::is_source;

/// What an icon shows; its name is the class that page.css draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Icon {
    File,
    Text,
    Code,
    Picture,
    Sound,
    Film,
    Archive,
    Document,
}

impl Icon {
    pub(super) fn of(name: &[u8]) -> Self {
        // Only the extension counts, and one that is no UTF-8 is none that we know.
        let name = String::from_utf8_lossy(name);
        let path = Path::new(&*name);
        let (kind, subtype) = MediaType::of(path).name().split_once('/').unwrap_or_default();
        match (kind, subtype) {
            ("text", "plain") if is_source(path) => Self::Code,
            ("image", _) => Self::Picture,
            ("audio", _) => Self::Sound,
            ("video", _) => Self::Film,
            ("text", "plain" | "markdown" | "csv" | "tab-separated-values" | "calendar" | "rtf" | "troff") => {
                Self::Text
            }
            ("text", _) => Self::Code,
            ("application", "pdf" | "rtf" | "epub+zip" | "msword" | "postscript") => Self::Document,
            _ if ARCHIVES.contains(&subtype) => Self::Archive,
            _ if DOCUMENTS.iter().any(|family| subtype.starts_with(family)) => Self::Document,
            _ if CODE.contains(&subtype) || subtype.ends_with("+json") || subtype.ends_with("+xml") => Self::Code,
            _ => Self::File,
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Text => "text",
            Self::Code => "code",
            Self::Picture => "picture",
            Self::Sound => "sound",
            Self::Film => "film",
            Self::Archive => "archive",
            Self::Document => "document",
        }
    }
}

/// What browsers can show as a picture.
pub(super) fn is_picture(name: &[u8]) -> bool {
    let Some(dot) = name.iter().rposition(|byte| *byte == b'.') else { return false };
    let extension = &name[dot + 1..];
    PICTURES.iter().any(|known| extension.eq_ignore_ascii_case(known.as_bytes()))
}

const PICTURES: [&str; 11] = ["jpg", "jpeg", "png", "gif", "webp", "avif", "svg", "apng", "bmp", "ico", "jfif"];

const ARCHIVES: [&str; 14] = [
    "zip",
    "gzip",
    "x-gzip",
    "x-tar",
    "x-bzip",
    "x-bzip2",
    "x-7z-compressed",
    "x-rar-compressed",
    "vnd.rar",
    "x-xz",
    "zstd",
    "java-archive",
    "x-iso9660-image",
    "vnd.debian.binary-package",
];

const DOCUMENTS: [&str; 3] = ["vnd.openxmlformats-officedocument", "vnd.oasis.opendocument", "vnd.ms-"];

const CODE: [&str; 8] = ["json", "javascript", "xml", "x-sh", "toml", "x-yaml", "sql", "wasm"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_tells_the_icon() {
        for (name, icon) in [
            ("a", Icon::File),
            ("a.bin", Icon::File),
            ("a.TXT", Icon::Text),
            ("README.md", Icon::Text),
            ("a.html", Icon::Code),
            ("a.rs", Icon::Code),
            ("a.py", Icon::Code),
            ("a.ts", Icon::Code),
            ("go.mod", Icon::Code),
            ("README", Icon::Text),
            ("a.json", Icon::Code),
            ("a.jpeg", Icon::Picture),
            ("a.mp3", Icon::Sound),
            ("a.mp4", Icon::Film),
            ("a.tar.gz", Icon::Archive),
            ("a.pdf", Icon::Document),
            ("a.docx", Icon::Document),
            ("a.xls", Icon::Document),
        ] {
            assert_eq!(Icon::of(name.as_bytes()), icon, "{name}");
        }
        assert_eq!(Icon::of(b"a.\xff"), Icon::File);
    }

    #[test]
    fn pictures_are_what_browsers_show() {
        assert!(is_picture(b"a.JPG") && is_picture(b"\xff.webp"));
        assert!(!is_picture(b"png") && !is_picture(b"a.tiff") && !is_picture(b""));
    }
}
