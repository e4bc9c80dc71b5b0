//! Several parts of a file in one answer (RFC 9110 section 14.6): each behind a boundary and its own place.
//!
//! ```text
//!  --2f6c0b…            Content-Type, Content-Range    bytes in memory
//!  (a stretch of the file)                             stays where it is, goes by sendfile
//!  --2f6c0b…            …
//!  --2f6c0b…--
//! ```
//!
//! The answer is a list of places, however long the parts are, and its length is known before the first byte is read.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;

use http::HeaderValue;

use crate::message::{Body, Part};

/// The media type of the answer, and what it is made of.
pub(super) struct Multipart {
    pub(super) content_type: HeaderValue,
    pub(super) body: Body,
}

/// `content_type` is the file's own; `part` gives the bytes of a stretch of it.
pub(super) fn compose(
    ranges: &[Range<u64>],
    length: u64,
    content_type: &HeaderValue,
    part: impl Fn(Range<u64>) -> Part,
) -> Multipart {
    let boundary = boundary();
    let mut parts = Vec::with_capacity(2 * ranges.len() + 1);
    let mut line_end = "";
    for range in ranges {
        let mut head = format!("{line_end}--{boundary}\r\ncontent-type: ").into_bytes();
        head.extend_from_slice(content_type.as_bytes());
        head.extend_from_slice(format!("\r\ncontent-range: {}\r\n\r\n", content_range(range, length)).as_bytes());
        parts.push(Part::Bytes(head.into()));
        parts.push(part(range.clone()));
        line_end = "\r\n";
    }
    parts.push(Part::Bytes(format!("\r\n--{boundary}--\r\n").into()));
    let content_type = HeaderValue::try_from(format!("multipart/byteranges; boundary={boundary}"));
    Multipart { content_type: content_type.expect("letters and digits"), body: Body::parts(parts) }
}

/// `bytes 0-99/1000`; the range is not empty (RFC 9110 section 14.4).
pub(super) fn content_range(range: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", range.start, range.end - 1)
}

/// New for each answer, and not to be guessed by whoever writes the file: or a part could end in its middle.
fn boundary() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}
