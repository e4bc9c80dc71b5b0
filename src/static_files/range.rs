//! Which parts of a file are wanted (RFC 9110 section 14).
//!
//! A set of ranges costs the client a line and could cost the server the file many times over. So a set is answered in parts
//! only if it has few of them and no byte twice; any other set is answered whole, as section 14.2 allows.

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
    /// Each of these, in that order; at least two, none empty, and no byte twice.
    Parts(Vec<Range<u64>>),
    /// 416: the file has no byte of what was asked for.
    Unsatisfiable,
}

/// Longer sets are answered whole.
const MOST_PARTS: usize = 16;

/// Looks at Range and If-Range. RFC 9110 §14.2: Range is defined for GET only, and may be ignored.
pub(super) fn select(request: &Request, current: &Validators, length: u64) -> Selection {
    match only(request, "range").map(std::str::from_utf8) {
        Some(Ok(range)) if *request.method() == Method::GET && is_current(request, current) => parse(range, length),
        _ => Selection::Whole,
    }
}

/// The value of a field that is no list: given twice, it says nothing.
fn only<'a>(request: &'a Request, name: &str) -> Option<&'a [u8]> {
    let value = request.header_bytes(name)?;
    request.header_values(name).nth(1).is_none().then_some(value)
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
    match (&current.modified, date(condition)) {
        (Some(modified), Some(date)) => modified.is_strong && modified.time == date,
        _ => false,
    }
}

/// What is no set of ranges is answered whole (RFC 9110 §14.2), and so is a set that asks for too much.
fn parse(range: &str, length: u64) -> Selection {
    let set = match range.split_once('=') {
        Some((unit, set)) if unit.eq_ignore_ascii_case("bytes") && !set.starts_with([' ', '\t']) => set,
        _ => return Selection::Whole,
    };
    // RFC 9110 §5.6.1.2: empty elements of a list do not count.
    let elements =
        set.split(',').map(|element| element.trim_matches([' ', '\t'])).filter(|element| !element.is_empty());
    let Some(mut ranges) = elements.map(|element| parse_one(element, length)).collect::<Option<Vec<_>>>() else {
        return Selection::Whole;
    };
    if ranges.is_empty() || ranges.len() > MOST_PARTS {
        return Selection::Whole;
    }
    ranges.retain(|range| !range.is_empty()); // RFC 9110 §14.1.1: one that is satisfiable is enough
    match &ranges[..] {
        [] => Selection::Unsatisfiable,
        [range] => Selection::Part(range.clone()),
        _ if have_a_byte_twice(&ranges) => Selection::Whole,
        _ => Selection::Parts(ranges),
    }
}

/// One range of a set, empty where the file has no byte of it. `None` for what is no range.
fn parse_one(element: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = element.split_once('-')?;
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Some(first..last.saturating_add(1).min(length)),
        (Some(first), None) if last.is_empty() => Some(first..length),
        (None, Some(suffix)) if first.is_empty() => Some(length.saturating_sub(suffix)..length),
        _ => None,
    }
}

fn have_a_byte_twice(ranges: &[Range<u64>]) -> bool {
    let mut sorted: Vec<_> = ranges.iter().collect();
    sorted.sort_unstable_by_key(|range| range.start);
    sorted.windows(2).any(|pair| pair[1].start < pair[0].end)
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
            "bytes=+1-2",
            "bytes=0-9,a-b",
            "bytes=0-9;20-29",
        ] {
            assert_eq!(parse(range, 1000), Selection::Whole, "{range}");
        }
    }

    #[test]
    fn several_ranges_are_parts_in_their_order() {
        for (range, parts) in [
            ("bytes=0-9,20-29", &[0..10, 20..30][..]),
            ("bytes=20-29, 0-9", &[20..30, 0..10]),
            ("bytes=,0-0 ,,\t-1, ", &[0..1, 999..1000]),
            ("bytes=0-9,10-19", &[0..10, 10..20]),
            ("bytes=0-9,990-5000,1000-,5000-6000", &[0..10, 990..1000]),
        ] {
            assert_eq!(parse(range, 1000), Selection::Parts(parts.to_vec()), "{range}");
        }
        assert_eq!(parse("bytes=1000-,-5,2000-", 1000), Selection::Part(995..1000), "one that the file has");
        assert_eq!(parse("bytes=1000-,-0,2000-", 1000), Selection::Unsatisfiable, "none that it has");
        assert_eq!(parse("bytes=0-,-1", 0), Selection::Unsatisfiable);
    }

    #[test]
    fn a_set_that_asks_for_too_much_is_answered_whole() {
        let set = |count: u64| {
            let ranges: Vec<_> = (0..count).map(|at| format!("{}-{}", at * 10, at * 10 + 1)).collect();
            format!("bytes={}", ranges.join(","))
        };
        assert!(matches!(parse(&set(16), 1000), Selection::Parts(parts) if parts.len() == 16));
        assert_eq!(parse(&set(17), 1000), Selection::Whole);
        for range in ["bytes=0-9,9-19", "bytes=0-,-1", "bytes=5-6,0-99", "bytes=0-0,0-0"] {
            assert_eq!(parse(range, 1000), Selection::Whole, "{range}");
        }
        assert_eq!(parse(&format!("bytes={}", "0-,".repeat(1000)), 1000), Selection::Whole);
    }

    #[test]
    fn the_edges_of_u64_do_not_overflow() {
        let edge = u64::MAX;
        assert_eq!(parse(&format!("bytes=0-{edge}"), edge), Selection::Part(0..edge));
        assert_eq!(parse(&format!("bytes={edge}-{edge}"), edge), Selection::Unsatisfiable);
        assert_eq!(parse(&format!("bytes=-{edge}"), edge), Selection::Part(0..edge));
    }
}
