//! Which part of a file is wanted (RFC 9110 section 14).

use std::ops::Range;

use http::Method;

use super::conditional::{Validators, date};
use crate::message::Request;

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selection {
    Whole,
    /// These bytes; never empty.
    Part(Range<u64>),
    /// 416: the file has no byte of what was asked for.
    Unsatisfiable,
}

/// Looks at Range and If-Range. RFC 9110 §14.2: Range is defined for GET only, and may be ignored.
pub(super) fn select(request: &Request, current: &Validators, length: u64) -> Selection {
    match only(request, "range").map(std::str::from_utf8) {
        Some(Ok(range)) if *request.method() == Method::GET && is_current(request, current) => parse(range, length),
        _ => Selection::Whole,
    }
}

/// The value of a field that is no list: given twice, it says nothing.
fn only<'a>(request: &'a Request, name: &str) -> Option<&'a [u8]> {
    let mut values = request.header_values(name);
    values.next().filter(|_| values.next().is_none())
}

/// RFC 9110 §13.1.5: with If-Range, a part is sent only if the client's other parts are of this version. Both kinds of
/// validators are compared strongly.
fn is_current(request: &Request, current: &Validators) -> bool {
    if request.header_bytes("if-range").is_none() {
        return true;
    }
    let Some(condition) = only(request, "if-range") else { return false };
    if condition.starts_with(b"\"") || condition.starts_with(b"W/") {
        return condition == current.tag.as_bytes();
    }
    match (&current.modified, date(request, "if-range")) {
        (Some(modified), Some(date)) => modified.is_strong && modified.time == date,
        _ => false,
    }
}

/// One range. A set of several is answered whole, as RFC 9110 §14.2 allows; so is what is no range.
fn parse(range: &str, length: u64) -> Selection {
    let spec = match range.split_once('=') {
        Some((unit, spec)) if unit.eq_ignore_ascii_case("bytes") => spec,
        _ => return Selection::Whole,
    };
    let Some((first, last)) = spec.split_once('-') else { return Selection::Whole };
    let part = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.is_empty() => first..length,
        (None, Some(suffix)) if first.is_empty() => length.saturating_sub(suffix)..length,
        _ => return Selection::Whole,
    };
    if part.is_empty() { Selection::Unsatisfiable } else { Selection::Part(part) }
}

/// `1*DIGIT`; a number that is too large for any file is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_clamped_to_the_file() {
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-9", 0..10),
            ("bytes=990-", 990..1000),
            ("bytes=990-5000", 990..1000),
            ("bytes=990-99999999999999999999", 990..1000),
            ("bytes=-5", 995..1000),
            ("bytes=-5000", 0..1000),
            ("BYTES=000-009", 0..10),
        ] {
            assert_eq!(parse(range, 1000), Selection::Part(part), "{range}");
        }
    }

    #[test]
    fn what_the_file_does_not_have_is_unsatisfiable() {
        for (range, length) in [("bytes=1000-", 1000), ("bytes=5000-6000", 1000), ("bytes=-0", 1000), ("bytes=0-", 0)] {
            assert_eq!(parse(range, length), Selection::Unsatisfiable, "{range} of {length}");
        }
        assert_eq!(parse("bytes=18446744073709551616-", 1000), Selection::Unsatisfiable);
    }

    #[test]
    fn what_is_no_range_is_answered_whole() {
        for range in [
            "0-9",
            "lines=0-9",
            "bytes=a-b",
            "bytes=9-5",
            "bytes=5",
            "bytes=-",
            "bytes=",
            "bytes=,",
            "bytes=--5",
            "bytes=1-2-3",
            "bytes=0x0-0x9",
            "bytes=0-9,20-29",
            "bytes=+1-2",
        ] {
            assert_eq!(parse(range, 1000), Selection::Whole, "{range}");
        }
    }

    #[test]
    fn the_edges_of_u64_do_not_overflow() {
        let edge = u64::MAX;
        assert_eq!(parse(&format!("bytes=0-{edge}"), edge), Selection::Part(0..edge));
        assert_eq!(parse(&format!("bytes={edge}-{edge}"), edge), Selection::Unsatisfiable);
        assert_eq!(parse(&format!("bytes=-{edge}"), edge), Selection::Part(0..edge));
    }
}
