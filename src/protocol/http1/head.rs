//! Bytes to request head. The only file that names httparse.
//!
//! httparse splits lines and checks characters. What the lines mean for the message (where it ends, whether the
//! connection goes on, for which host it is) is decided here, and what is ambiguous is refused, never repaired: two
//! servers that repair differently are what request smuggling is made of.
//!
//! Pattern: Adapter (of httparse, which no other file names).

use std::mem::MaybeUninit;

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};

use super::HttpSettings;
use super::body::Framing;
use super::exchange::Reuse;
use super::target;
use crate::message::{FieldLine, ProtocolError, RawHead};

/// The most field lines that can be kept, whatever the setting.
pub(crate) const MAX_FIELDS: usize = 256;

/// What a request head means.
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) version: Version,
    pub(super) framing: Framing,
    pub(super) reuse: Reuse,
    pub(super) expectation: Expectation,
}

/// Whether the client waits for a word before it sends its body (RFC 9110 section 10.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expectation {
    Nothing,
    Continue,
}

/// Parses the head at the start of `input` and copies it into `raw`, which is empty; gives what it means with its length, or
/// `None` if more bytes are needed.
pub(super) fn parse(
    input: &[u8],
    settings: &HttpSettings,
    raw: &mut RawHead,
) -> Result<Option<(Head, usize)>, ProtocolError> {
    // What lies behind the limit has no say, or the answer would depend on how the bytes were cut.
    let input = &input[..input.len().min(settings.head_limit)];
    let is_cut = input.len() == settings.head_limit;
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(input, &mut fields) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if is_cut => return Err(too_large(input, settings)),
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::Version) => return parse_other_version(input, settings, raw),
        Err(error) => return Err(refusal(error)),
    };
    if request.headers.len() > settings.field_limit {
        return Err(ProtocolError::TooManyFields { limit: settings.field_limit });
    }
    let start = request.method.map_or(0, |method| offset(method.as_bytes(), input));
    lines_end_properly(&input[..length], start, request.headers)?;
    Ok(Some((understand(&input[..length], &request, raw)?, length)))
}

/// Whether a head of which the first `seen` bytes were not enough may be complete now: an empty line has come. It
/// saves parsing all of a slow head again for each of its bytes.
pub(super) fn may_be_complete(input: &[u8], seen: usize) -> bool {
    let from = seen.saturating_sub(3).min(input.len());
    memchr::memchr_iter(b'\n', &input[from..])
        .any(|at| matches!(&input[from + at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
}

/// The trailer section of a chunked body (RFC 9112 section 7.1.2), which ends with an empty line.
pub(super) fn parse_trailers(section: &[u8]) -> Result<HeaderMap, ProtocolError> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let Ok(httparse::Status::Complete((length, fields))) = httparse::parse_headers(section, &mut fields) else {
        return Err(ProtocolError::MalformedTrailer);
    };
    lines_end_properly(&section[..length], 0, fields).map_err(|_| ProtocolError::MalformedTrailer)?;
    let mut map = HeaderMap::new();
    for field in fields {
        // RFC 9110 §6.5.1: what frames or routes a message is never taken from a trailer.
        match (HeaderName::from_bytes(field.name.as_bytes()), HeaderValue::from_bytes(field.value)) {
            (Ok(CONTENT_LENGTH | TRANSFER_ENCODING | HOST), _) => {}
            (Ok(name), Ok(value)) => {
                map.append(name, value);
            }
            _ => return Err(ProtocolError::MalformedTrailer),
        }
    }
    Ok(map)
}

#[cold]
fn too_large(input: &[u8], settings: &HttpSettings) -> ProtocolError {
    let limit = settings.head_limit;
    let has_whole_request_line = memchr::memchr(b'\n', &input[..limit.min(input.len())]).is_some_and(|at| at > 1);
    if has_whole_request_line { ProtocolError::HeadTooLarge { limit } } else { ProtocolError::TargetTooLong { limit } }
}

fn refusal(error: httparse::Error) -> ProtocolError {
    match error {
        httparse::Error::TooManyHeaders => ProtocolError::TooManyFields { limit: MAX_FIELDS },
        _ => ProtocolError::MalformedHead,
    }
}

/// The request line ends in something that is not HTTP/1.0 or HTTP/1.1; or perhaps it has not ended yet.
#[cold]
fn parse_other_version(
    input: &[u8],
    settings: &HttpSettings,
    raw: &mut RawHead,
) -> Result<Option<(Head, usize)>, ProtocolError> {
    let start = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let Some(length) = memchr::memchr(b'\n', &input[start..]) else {
        let is_too_long = input.len() >= settings.head_limit;
        return if is_too_long { Err(too_large(input, settings)) } else { Ok(None) };
    };
    let line = input[start..start + length].strip_suffix(b"\r").ok_or(ProtocolError::BareLineEnd)?;
    let mut words = line.split(|byte| *byte == b' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        // RFC 9110 §2.5: a higher minor version is processed as the highest that we know.
        (Some(_), Some(_), Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9']), None) => {
            let mut as_1_1 = input.to_vec();
            as_1_1[start + line.len() - 1] = b'1';
            parse(&as_1_1, settings, raw)
        }
        (Some(_), Some(_), Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor]), None)
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(ProtocolError::UnsupportedVersion)
        }
        _ => Err(ProtocolError::MalformedHead),
    }
}

/// RFC 9112 §2.2 lets a recipient take a bare LF for a line end. We do not: peers disagree about it. httparse has found where
/// the lines begin, so their ends need no search.
#[inline]
fn lines_end_properly(head: &[u8], start: usize, fields: &[httparse::Header<'_>]) -> Result<(), ProtocolError> {
    let is_behind_end = |begin: usize| begin == 0 || head[..begin].ends_with(b"\r\n");
    let are_behind_ends = fields.iter().all(|field| is_behind_end(offset(field.name.as_bytes(), head)));
    let ends_properly = head.ends_with(b"\r\n\r\n") || head == b"\r\n"; // the latter a trailer section without fields
    // Empty lines that httparse has skipped have no line behind them that would show how they end.
    let are_skipped = head[..start].chunks(2).all(|line| line == b"\r\n");
    if ends_properly && are_behind_ends && are_skipped { Ok(()) } else { Err(ProtocolError::BareLineEnd) }
}

/// What the field lines say about the message.
#[derive(Default)]
struct Facts<'a> {
    host: Option<Host<'a>>,
    content_length: Option<&'a [u8]>,
    transfer_codings: Vec<&'a [u8]>,
    connection: ConnectionOptions,
    expect: Option<&'a [u8]>,
}

#[derive(Clone, Copy)]
struct Host<'a> {
    /// Which of the field lines it is.
    line: usize,
    value: &'a [u8],
}

/// RFC 9112 section 9.3: `close` wins over `keep-alive`.
#[derive(Default)]
enum ConnectionOptions {
    #[default]
    Nothing,
    KeepAlive,
    Close,
}

fn understand(head: &[u8], request: &httparse::Request<'_, '_>, raw: &mut RawHead) -> Result<Head, ProtocolError> {
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(ProtocolError::MalformedHead);
    };
    let version = if minor == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| ProtocolError::MalformedHead)?;
    // The field lines are what is behind the request line.
    let lines = request.headers.first().map_or(head.len(), |first| offset(first.name.as_bytes(), head));
    let lines = &head[lines..];
    let place = |part: &[u8]| {
        let start = offset(part, lines);
        start..start + part.len()
    };

    let mut facts = Facts::default();
    for field in &*request.headers {
        // RFC 9112 §5.1: httparse has left the white space around the value out.
        facts.note(field.name, field.value, raw.fields.len())?;
        let value = if field.value.is_empty() { 0..0 } else { place(field.value) };
        raw.fields.push(FieldLine { name: place(field.name.as_bytes()).into(), value: value.into() });
    }
    facts.check_host(version)?;

    raw.bytes.extend_from_slice(lines);
    target::keep(&method, target, facts.host.map(|host| host.line), raw)?;
    let framing = facts.framing(version)?;
    Ok(Head {
        framing,
        reuse: facts.reuse(version, framing),
        expectation: facts.expectation(version)?,
        method,
        version,
    })
}

/// Where `part` begins in `whole`, of which it is a part.
fn offset(part: &[u8], whole: &[u8]) -> usize {
    part.as_ptr() as usize - whole.as_ptr() as usize
}

/// What few requests need stands out of line: the rest then finds its values in registers.
impl<'a> Facts<'a> {
    /// Field names are compared in any case (RFC 9110 §5.1); the length says quickly which one it can be, and most are written
    /// as here.
    fn note(&mut self, name: &str, value: &'a [u8], line: usize) -> Result<(), ProtocolError> {
        let is = |known: &str| name == known || name.eq_ignore_ascii_case(known);
        match name.len() {
            // RFC 9112 §3.2: more than one Host is 400.
            4 if is("Host") && self.host.replace(Host { line, value }).is_some() => return Err(ProtocolError::BadHost),
            6 if is("Expect") => self.note_expectation(value),
            10 if is("Connection") => self.note_connection(value),
            // RFC 9112 §6.3 rule 5 would allow equal ones to be merged; a peer may have merged them otherwise.
            14 if is("Content-Length") && self.content_length.replace(value).is_some() => {
                return Err(ProtocolError::BadContentLength);
            }
            17 if is("Transfer-Encoding") => self.note_transfer_codings(value),
            _ => {}
        }
        Ok(())
    }

    /// Several fields are one list, and its empty elements do not count (RFC 9110 §5.6.1.2). One expectation that we
    /// cannot meet is enough.
    #[cold]
    fn note_expectation(&mut self, value: &'a [u8]) {
        for element in list(value).filter(|element| !element.is_empty()) {
            if self.expect.is_none_or(is_continue) {
                self.expect = Some(element);
            }
        }
    }

    #[inline(never)]
    fn note_transfer_codings(&mut self, value: &'a [u8]) {
        self.transfer_codings.extend(list(value));
    }

    #[inline(never)]
    fn note_connection(&mut self, value: &[u8]) {
        for option in list(value) {
            if option.eq_ignore_ascii_case(b"close") {
                self.connection = ConnectionOptions::Close;
            } else if option.eq_ignore_ascii_case(b"keep-alive") && !matches!(self.connection, ConnectionOptions::Close)
            {
                self.connection = ConnectionOptions::KeepAlive;
            }
        }
    }

    /// RFC 9112 §3.2: an HTTP/1.1 request without Host, and any request with a malformed one, is 400.
    fn check_host(&self, version: Version) -> Result<(), ProtocolError> {
        match self.host {
            Some(host) if target::is_authority(host.value) => Ok(()),
            None if version == Version::HTTP_10 => Ok(()),
            _ => Err(ProtocolError::BadHost),
        }
    }

    /// RFC 9112 §6.3: how long the body is.
    fn framing(&self, version: Version) -> Result<Framing, ProtocolError> {
        let Some((last, others)) = self.transfer_codings.split_last() else {
            return self.content_length.map_or(Ok(Framing::Nothing), |value| Ok(Framing::Length(decimal(value)?)));
        };
        // RFC 9112 §6.1: both is what smuggling looks like, and HTTP/1.0 does not know transfer codings.
        if self.content_length.is_some() || version == Version::HTTP_10 {
            return Err(ProtocolError::ConflictingLengths);
        }
        let is_chunked = |coding: &&[u8]| coding.eq_ignore_ascii_case(b"chunked");
        match others {
            // Rule 4: where chunked is not the last coding, or is applied twice, the length is anyone's guess.
            _ if !is_chunked(last) || others.iter().any(is_chunked) => Err(ProtocolError::BadTransferEncoding),
            [] => Ok(Framing::Chunked),
            _ => Err(ProtocolError::UnknownTransferCoding),
        }
    }

    /// RFC 9112 §9.3: HTTP/1.1 persists unless told otherwise, HTTP/1.0 the other way round.
    fn reuse(&self, version: Version, framing: Framing) -> Reuse {
        match self.connection {
            // §9.6: no request comes behind this one. Behind a body there may still be an empty line (§2.2).
            ConnectionOptions::Close if framing == Framing::Nothing => Reuse::Last,
            ConnectionOptions::Close => Reuse::Close,
            ConnectionOptions::Nothing if version == Version::HTTP_10 => Reuse::Close,
            _ => Reuse::KeepAlive,
        }
    }

    /// RFC 9110 §10.1.1; HTTP/1.0 clients know nothing of it.
    fn expectation(&self, version: Version) -> Result<Expectation, ProtocolError> {
        match self.expect {
            None => Ok(Expectation::Nothing),
            Some(_) if version == Version::HTTP_10 => Ok(Expectation::Nothing),
            Some(value) if is_continue(value) => Ok(Expectation::Continue),
            Some(_) => Err(ProtocolError::UnknownExpectation),
        }
    }
}

fn is_continue(expectation: &[u8]) -> bool {
    expectation.eq_ignore_ascii_case(b"100-continue")
}

/// The elements of a list (RFC 9110 section 5.6.1). An empty field has one empty element, so that it is not overlooked.
pub(super) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// RFC 9110 §8.6: `Content-Length = 1*DIGIT`, and nothing else.
fn decimal(value: &[u8]) -> Result<u64, ProtocolError> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(value).ok().filter(|_| is_number).and_then(|text| text.parse().ok());
    number.ok_or(ProtocolError::BadContentLength)
}
