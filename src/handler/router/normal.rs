//! Paths in one spelling, so that they can be compared: percent-encoding normalization (RFC 3986 section 6.2.2.2).
//!
//! `/%70rivate` and `/private` are one path. Whoever opens files decodes it, so a router that took them for two would let
//! the one around what is mounted at the other. Browsers, too, send `/%E4%BD%A0` for a link to `/你`.
//!
//! A path is decoded once, and sign by sign, so that no two paths that differ get the same form: text stands for itself, and
//! a slash for the one that was sent. A slash that was encoded is none, and some bytes are no text (RFC 3629): each of those is
//! kept as one private-use character.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;
use percent_encoding::percent_decode_str;

use crate::message::Span;

/// What byte 0 is kept as where it is no text; the other bytes follow it. If somebody sends one of these characters, it is
/// kept as the four bytes that it is.
const BYTES: u32 = 0x10_FF00;

/// With this all characters from [`BYTES`] on begin, and few others.
const FIRST_OF_BYTES: u8 = 0xF4;

/// A path, normalized.
#[derive(Debug)]
pub(super) struct Normal {
    text: String,
    /// For each byte of the text, and for its end: where the path as it was sent says that.
    places: Vec<u32>,
}

/// The path as it was sent, as far as it was read.
struct Sent<'a> {
    path: &'a [u8],
    at: usize,
}

/// The text alone; no copy where it is normal already.
pub(super) fn normalized(path: &str) -> Cow<'_, str> {
    Normal::of(path).map_or(Cow::Borrowed(path), |normal| Cow::Owned(normal.text))
}

impl Normal {
    /// `None` where the path is normal already, as most are.
    pub(super) fn of(path: &str) -> Option<Self> {
        memchr2(b'%', FIRST_OF_BYTES, path.as_bytes())?;
        let mut normal = Self { text: String::with_capacity(path.len()), places: Vec::with_capacity(path.len() + 1) };
        let mut sent = Sent { path: path.as_bytes(), at: 0 };
        // RFC 3986 §2.1; a `%` without two hexadecimal digits behind it stands for itself, as in a parameter's value.
        let bytes: Vec<u8> = percent_decode_str(path).collect();
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(|sign| normal.push_sign(sign, &mut sent));
            chunk.invalid().iter().for_each(|byte| normal.push_byte(*byte, &mut sent));
        }
        normal.places.push(place(sent.at));
        Some(normal)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where a stretch of the text lies in the path as it was sent.
    pub(super) fn sent(&self, stretch: Range<usize>) -> Span {
        Span { start: self.places[stretch.start], end: self.places[stretch.end] }
    }

    fn push_sign(&mut self, sign: char, sent: &mut Sent<'_>) {
        let mut buffer = [0; 4];
        let bytes = sign.encode_utf8(&mut buffer).bytes();
        // RFC 3986 §2.2: an encoded slash parts no segments.
        let is_none = sign == '/' && sent.is_encoded(b'/') || u32::from(sign) >= BYTES;
        if is_none {
            bytes.for_each(|byte| self.push_byte(byte, sent));
        } else {
            self.push(sign, sent.at);
            bytes.for_each(|byte| sent.pass(byte));
        }
    }

    fn push_byte(&mut self, byte: u8, sent: &mut Sent<'_>) {
        let kept = char::from_u32(BYTES + u32::from(byte)).expect("all up to U+10FFFF are characters");
        self.push(kept, sent.at);
        sent.pass(byte);
    }

    fn push(&mut self, sign: char, at: usize) {
        self.text.push(sign);
        self.places.resize(self.text.len(), place(at));
    }
}

impl Sent<'_> {
    /// Whether the byte that comes next, which is known, was sent as three.
    fn is_encoded(&self, byte: u8) -> bool {
        let rest = &self.path[self.at..];
        rest[0] == b'%' && (byte != b'%' || rest.starts_with(b"%25"))
    }

    fn pass(&mut self, byte: u8) {
        self.at += if self.is_encoded(byte) { 3 } else { 1 };
    }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).expect("a head is far below 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_one_form_however_it_is_encoded() {
        for spelling in ["/%70/%E4%BD%A0", "/p/%e4%bd%a0", "/p/你", "/%70/你"] {
            assert_eq!(normalized(spelling), "/p/你", "{spelling}");
        }
        assert_eq!(normalized("/100%2525/%25/%"), "/100%25/%/%", "once");
        assert!(matches!(normalized("/plain/你"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_not_the_same_has_another_form() {
        let different = [
            "/a/b",
            "/a%2Fb",
            "/a%252Fb",
            "/a%252fb",
            "/a\u{10FF2F}b",
            "/a\u{10FF2F}%62/",
            "/\u{10FFFF}",
            "/%FF",
            "/%25FF",
            "/\u{10FF00}",
            "/%00",
            "/%2500",
            "/%C1%A1",
            "/%C1a",
            "/a",
            "/%EF%BF%BD",
            "/%E4%BD",
            "/%BD%E4",
            "/a%5Cb",
        ];
        for (at, one) in different.iter().enumerate() {
            for other in &different[..at] {
                assert_ne!(normalized(one), normalized(other), "{one} {other}");
            }
        }
        assert_eq!(normalized("/%F4%8F%BC%AF"), normalized("/\u{10FF2F}"));
        assert_eq!(normalized("/%ff%2f"), normalized("/%FF%2F"));
    }

    #[test]
    fn each_sign_is_found_where_it_was_sent() {
        let path = "/%61b%2F%E4%BD%A0/你%FF%/%25\u{10FF2F}%zz";
        let normal = Normal::of(path).unwrap();
        let mut sent = Vec::new();
        for (at, sign) in normal.text().char_indices() {
            let Span { start, end } = normal.sent(at..at + sign.len_utf8());
            sent.push(&path.as_bytes()[start as usize..end as usize]);
        }
        let expected: [&[u8]; 19] = [
            b"/",
            b"%61",
            b"b",
            b"%2F",
            b"%E4%BD%A0",
            b"/",
            "你".as_bytes(),
            b"%FF",
            b"%",
            b"/",
            b"%25",
            b"\xF4",
            b"\x8F",
            b"\xBC",
            b"\xAF",
            b"%",
            b"z",
            b"z",
            b"",
        ];
        assert_eq!(sent, expected[..18]);
    }
}
