//! How a name is written: to be read, to be followed, to be piped.
//!
//! A name may hold any bytes but two. As text on a page, what cannot be seen or would turn the text around is shown by a
//! sign; as a link it is percent-encoded, byte by byte, so that it leads to the file whatever it looks like.

use std::fmt::{self, Display, Write};

use super::super::resolve::{Target, encode};

/// A name to be read by people. Bytes that are no UTF-8 become U+FFFD.
pub(super) struct Shown<'a>(pub(super) &'a [u8]);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(self.0).chars().try_for_each(|character| match character {
            _ if character.is_control() || is_deceptive(character) => write!(f, "[U+{:04X}]", u32::from(character)),
            _ => f.write_char(character),
        })
    }
}

/// A name on one line of plain text. What is not text is escaped as in `\n` and `\xff`, and so is `\` itself.
pub(super) struct Escaped<'a>(pub(super) &'a [u8]);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            chunk.valid().chars().try_for_each(|character| match character {
                '\\' => f.write_str("\\\\"),
                _ if character.is_control() || is_deceptive(character) => write!(f, "{}", character.escape_default()),
                _ => f.write_char(character),
            })?;
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

/// Characters that make other text look like what it is not: they turn it around, or end its line.
fn is_deceptive(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// The link from a listing to what it lists.
pub(super) struct Link<'a> {
    pub(super) name: &'a [u8],
    /// What a folder's link has and a file's has not.
    pub(super) end: &'static str,
}

impl Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `./` so that a name such as `a:b` is no scheme.
        write!(f, "./{}{}", encode(self.name), self.end)
    }
}

/// The way from the top down to a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crumbs {
    /// The names, from the top to the folder itself; the first is the top's own.
    names: Vec<String>,
}

/// What the top is called where its URL has no name.
const TOP: &str = "Home";

impl Crumbs {
    /// `mount` is what stands in the URL before the folder's own path.
    pub(super) fn new(mount: &str, target: &Target) -> Self {
        let mount = mount.trim_matches('/').rsplit('/').next().filter(|name| !name.is_empty());
        let top = mount.map_or_else(
            || TOP.to_owned(),
            |name| {
                let bytes: Vec<u8> = percent_encoding::percent_decode_str(name).collect();
                Shown(&bytes).to_string()
            },
        );
        let below = target.path.iter().map(|name| Shown(name.as_encoded_bytes()).to_string());
        Self { names: std::iter::once(top).chain(below).collect() }
    }

    /// The folder's own name.
    pub(super) fn here(&self) -> &str {
        self.names.last().map_or(TOP, String::as_str)
    }

    /// The folders above, from the top, and the link to each. The links are relative, so whatever stands before us, a
    /// mount or a proxy, need not be known.
    pub(super) fn above(&self) -> impl Iterator<Item = (&str, String)> {
        let depth = self.names.len() - 1;
        self.names[..depth].iter().enumerate().map(move |(place, name)| (&**name, "../".repeat(depth - place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown_by_a_sign() {
        for (name, shown) in [
            (&b"a b"[..], "a b"),
            (b"\n\t\x7f", "[U+000A][U+0009][U+007F]"),
            (b"\xff", "\u{fffd}"),
            ("a\u{202e}b\u{85}".as_bytes(), "a[U+202E]b[U+0085]"),
            ("שלום.txt".as_bytes(), "שלום.txt"),
        ] {
            assert_eq!(Shown(name).to_string(), shown);
        }
    }

    #[test]
    fn a_line_of_plain_text_is_one_line_and_can_be_undone() {
        for (name, line) in [
            (&b"a b\"c"[..], "a b\"c"),
            (b"a\nb\r\x1b[31m", "a\\nb\\r\\u{1b}[31m"),
            (b"\\n", "\\\\n"),
            (b"\xff\xc3", "\\xff\\xc3"),
            ("七\u{2028}\u{202e}".as_bytes(), "七\\u{2028}\\u{202e}"),
        ] {
            assert_eq!(Escaped(name).to_string(), line);
        }
    }

    #[test]
    fn the_way_up_is_relative() {
        let target = Target::parse("/a/b%2520/c/").ok().unwrap();
        let links = |mount: &str| {
            let crumbs = Crumbs::new(mount, &target);
            crumbs.above().map(|(name, link)| format!("{name} {link}")).collect::<Vec<_>>()
        };
        assert_eq!(links(""), ["Home ../../../", "a ../../", "b%20 ../"]);
        assert_eq!(links("/x/my%20photos"), ["my photos ../../../", "a ../../", "b%20 ../"]);
    }
}
