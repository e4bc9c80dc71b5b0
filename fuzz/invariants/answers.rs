//! A strict reader of HTTP/1.1 answers (RFC 9112): what this server may send, and not a byte more.
//!
//! To know where an answer ends one must know what was asked (RFC 9112 section 6.3): HEAD has no body. So whoever calls
//! says that of each answer.

use super::grammar::{self, Field};
use super::text;

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// With names in lower case.
    pub(crate) fields: Vec<Field>,
    /// Decoded from its chunks.
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<Field>,
    /// Whether its end was known before the connection's.
    pub(crate) end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Framed,
    /// The end of the connection is its end.
    OfConnection,
}

/// Whether the request was HEAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    ForHead,
    ForAll,
}

/// What the bytes begin with.
#[derive(Debug)]
pub(crate) enum Read<'a> {
    Whole(Answer, &'a [u8]),
    /// The bytes end too early.
    Cut,
}

impl Answer {
    /// The only field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value);
        let value = values.next();
        assert_eq!(values.next(), None, "there is a second {name}: {self:?}");
        value
    }

    pub(crate) fn is_interim(&self) -> bool {
        self.status < 200 && !self.switches()
    }

    pub(crate) fn closes(&self) -> bool {
        self.connection().any(|option| option == b"close")
    }

    /// RFC 9110 section 7.6.1: a list, perhaps on several lines.
    fn connection(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.fields.iter().filter(|(name, _)| name == "connection");
        lines.flat_map(|(_, value)| value.split(|byte| *byte == b',')).map(grammar::trim)
    }

    /// What follows it is no HTTP (RFC 9110 section 15.2.2).
    pub(crate) fn switches(&self) -> bool {
        self.status == 101
    }
}

/// Reads the answer at the start of `bytes`. Panics if it is not one.
pub(crate) fn read(bytes: &[u8], asked: impl FnOnce(&Answer) -> Asked) -> Read<'_> {
    let Some((status_line, behind)) = grammar::line(bytes) else { return Read::Cut };
    let status = status(status_line).unwrap_or_else(|| panic!("no status line: {}", text(status_line)));
    if !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        return Read::Cut;
    }
    let Some((fields, behind)) = grammar::section(behind) else { panic!("malformed fields: {}", text(behind)) };
    let mut answer = Answer { status, fields, body: Vec::new(), trailers: Vec::new(), end: End::Framed };
    check_head(&answer);
    if answer.switches() {
        answer.end = End::OfConnection;
        answer.body = behind.to_vec();
        return Read::Whole(answer, b"");
    }
    if answer.is_interim() || matches!(status, 204 | 304) || asked(&answer) == Asked::ForHead {
        return Read::Whole(answer, behind);
    }
    if answer.field("transfer-encoding").is_some() {
        return read_chunks(answer, behind);
    }
    let Some(length) = content_length(&answer) else {
        assert!(answer.closes(), "nothing tells where its body ends: {answer:?}");
        answer.end = End::OfConnection;
        answer.body = behind.to_vec();
        return Read::Whole(answer, b"");
    };
    let Some(body) = behind.get(..length) else { return Read::Cut };
    answer.body = body.to_vec();
    Read::Whole(answer, &behind[length..])
}

fn read_chunks(mut answer: Answer, behind: &[u8]) -> Read<'_> {
    let Some(chunked) = grammar::dechunk(behind) else {
        check_cut_chunks(behind);
        return Read::Cut;
    };
    assert_eq!(chunked.extension_bytes, 0, "we know no extensions");
    answer.body = chunked.body;
    answer.trailers = chunked.trailers;
    Read::Whole(answer, chunked.rest)
}

/// Chunks that are not all there must at least be chunks as far as they go.
fn check_cut_chunks(mut rest: &[u8]) {
    while let Some((size, behind)) = grammar::line(rest) {
        let size = std::str::from_utf8(size).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.unwrap_or_else(|| panic!("no chunk size: {}", text(rest)));
        if size == 0 {
            return; // a trailer section that is cut
        }
        let Some(after) = behind.get(size..) else { return };
        assert!(
            after.starts_with(b"\r\n") || b"\r\n".starts_with(after),
            "no line end behind a chunk: {}",
            text(after)
        );
        rest = after.get(2..).unwrap_or_default();
    }
}

/// `HTTP-version SP 3DIGIT SP [ reason-phrase ]` (RFC 9112 section 4).
fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.1 ")?;
    let (digits, reason) = rest.split_at_checked(3)?;
    let reason = reason.strip_prefix(b" ")?;
    let is_valid = digits.iter().all(u8::is_ascii_digit) && grammar::is_field_value(reason);
    std::str::from_utf8(digits).ok().filter(|_| is_valid)?.parse().ok().filter(|status| (100..600).contains(status))
}

fn check_head(answer: &Answer) {
    let framing = (answer.field("content-length").is_some(), answer.field("transfer-encoding"));
    match framing {
        // RFC 9112 §6.1, RFC 9110 §8.6: never both, and neither where there is never a body.
        (true, Some(_)) => panic!("framed twice: {answer:?}"),
        (true, None) | (false, Some(_)) if answer.status < 200 || answer.status == 204 => {
            panic!("it must not be framed: {answer:?}")
        }
        (false, Some(coding)) => assert_eq!(coding, b"chunked", "{answer:?}"),
        (true, None) => assert!(content_length(answer).is_some(), "{answer:?}"),
        (false, None) => {}
    }
    if answer.is_interim() {
        assert_eq!(answer.status, 100, "an interim answer that nobody asked for");
        return;
    }
    let is_upgrade = answer.field("upgrade").is_some();
    assert!(is_upgrade || !answer.switches(), "RFC 9110 §7.8: to what? {answer:?}");
    // RFC 9110 §6.6.1, §5.6.7: an IMF-fixdate.
    let date = answer.field("date").unwrap_or_else(|| panic!("no date: {answer:?}"));
    assert!(date.len() == 29 && date.ends_with(b" GMT"), "{answer:?}");
    // RFC 9110 §7.8: Upgrade is for this connection alone.
    assert_eq!(answer.connection().any(|option| option == b"upgrade"), is_upgrade, "{answer:?}");
    let is_known = |option: &[u8]| matches!(option, b"close" | b"keep-alive" | b"upgrade");
    assert!(answer.connection().all(is_known), "{answer:?}");
}

fn content_length(answer: &Answer) -> Option<usize> {
    let value = answer.field("content-length")?;
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| is_number)?.parse().ok()
}
