//! Response to bytes: status line, fields, and how the end of the body will be known.
//!
//! The fields that frame the message and steer the connection are written here and nowhere else, so no handler can
//! send a length that is not the body's. Each field begins with the end of the line before it, and the head ends with two
//! line ends: what is the same in most answers is written in few pieces.

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, HOST, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, StatusCode, Version};

use super::exchange::{Exchange, Reuse};
use crate::connection::DATE_BYTES;
use crate::message::{Fields, SharedFields};

/// How the client will know where the body ends (RFC 9112 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// This status has no body (RFC 9112 section 6.3, rule 1).
    NoBody,
    Known(u64),
    Chunked,
    /// For HTTP/1.0, which knows no chunks.
    UntilClose,
}

/// RFC 9110 §15: these never have a body, and 1xx and 204 must not speak of one (§8.6).
pub(super) fn has_body(status: StatusCode) -> bool {
    !status.is_informational() && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Writes the head of a final response.
pub(super) fn head(
    out: &mut Vec<u8>,
    exchange: &Exchange,
    status: StatusCode,
    fields: &Fields,
    length: Length,
    date: &[u8; DATE_BYTES],
) {
    status_line(out, status);
    out.extend_from_slice(date);
    match fields {
        Fields::Own(map) => lines(out, map),
        Fields::Shared(shared) => shared_lines(out, shared),
        Fields::Fixed(shared) => shared_lines(out, shared),
    }
    match length {
        Length::Known(length) => {
            out.extend_from_slice(b"\r\ncontent-length: ");
            out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
        }
        Length::Chunked => field(out, "transfer-encoding", b"chunked"),
        Length::NoBody | Length::UntilClose => {}
    }
    match (exchange.reuse, exchange.version) {
        (Reuse::Close | Reuse::Last, _) => field(out, "connection", b"close"),
        // RFC 9112 §9.3: an HTTP/1.0 client must be told that the connection goes on.
        (Reuse::KeepAlive, Version::HTTP_10) => field(out, "connection", b"keep-alive"),
        (Reuse::KeepAlive | Reuse::Switch, _) => {}
    }
    if fields.steering().is_some_and(|fields| fields.contains_key(UPGRADE)) {
        field(out, "connection", b"upgrade"); // RFC 9110 §7.8
    }
    out.extend_from_slice(b"\r\n\r\n");
}

/// The status line, and the start of the one behind it. RFC 9110 §6.6.1: an origin server with a clock sends Date.
fn status_line(out: &mut Vec<u8>, status: StatusCode) {
    if status == StatusCode::OK {
        return out.extend_from_slice(b"HTTP/1.1 200 OK\r\ndate: "); // most are
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
    out.extend_from_slice(b"\r\ndate: ");
}

/// The same bytes in each answer.
fn shared_lines(out: &mut Vec<u8>, fields: &SharedFields) {
    out.extend_from_slice(fields.lines(|map| {
        let mut out = Vec::new();
        lines(&mut out, map);
        out
    }));
}

/// The fields of a handler.
fn lines(out: &mut Vec<u8>, map: &HeaderMap) {
    for (name, value) in map {
        if !is_ours(name) {
            field(out, name.as_str(), value.as_bytes());
        }
    }
}

/// The start of a chunk (RFC 9112 section 7.1); its data and CR LF follow.
pub(super) fn chunk_size(out: &mut Vec<u8>, size: usize) {
    use std::io::Write;
    write!(out, "{size:x}\r\n").expect("writing to memory cannot fail");
}

/// The last chunk and the trailer section.
pub(super) fn last_chunk(out: &mut Vec<u8>, trailers: &HeaderMap) {
    out.push(b'0');
    for (name, value) in trailers {
        if !is_ours(name) && *name != HOST {
            field(out, name.as_str(), value.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n\r\n");
}

/// What frames the message or steers the connection is for us to say, and never for a trailer (RFC 9110 §6.5.1).
fn is_ours(name: &HeaderName) -> bool {
    [CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING].contains(name)
}

fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
}
