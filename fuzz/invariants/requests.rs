//! A strict reader of HTTP/1.1 requests (RFC 9112): what each byte of a stream means, read slowly and on whole slices. Not
//! one line of it is the library's, so that the two can be held against each other.
//!
//! What RFC 9112 lets a server choose is chosen here as in the library: what has two meanings is refused.

use super::grammar::{self, Field};

/// A request, complete.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a [u8],
    /// As it was sent.
    pub(crate) target: &'a [u8],
    /// Of HTTP/1.
    pub(crate) minor: u8,
    /// With names in lower case.
    pub(crate) fields: Vec<Field>,
    /// Decoded from its chunks.
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<Field>,
    /// What stands behind it.
    pub(crate) rest: &'a [u8],
    /// Of the longest chunk size.
    pub(crate) size_digits: usize,
}

/// Takes the first request off, by RFC 9112 sections 2, 3, 5 and 6. `None`: malformed, incomplete, or with two meanings.
pub(crate) fn read(bytes: &[u8]) -> Option<Request<'_>> {
    let (first, rest) = grammar::line(without_empty_lines(bytes))?;
    let words: Vec<_> = first.split(|byte| *byte == b' ').collect();
    let [method, target, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'0'..=b'9']] = words[..] else {
        return None;
    };
    let minor = minor - b'0';
    let (fields, rest) = grammar::section(rest)?;
    if !grammar::is_token(method) || !is_target(method, target) || !is_host_right(&fields, minor) {
        return None;
    }
    let mut request =
        Request { method, target, minor, fields, body: Vec::new(), trailers: Vec::new(), rest, size_digits: 0 };
    request.take_body()?;
    Some(request)
}

/// RFC 9112 section 2.2: empty lines before a request are skipped.
pub(crate) fn without_empty_lines(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b"\r\n") {
        bytes = rest;
    }
    bytes
}

impl Request<'_> {
    /// RFC 9112 section 6.3. Both framings at once, or a coding in HTTP/1.0, are what smuggling looks like (section 6.1).
    fn take_body(&mut self) -> Option<()> {
        match (self.list("content-length"), self.list("transfer-encoding")) {
            (None, None) => {}
            (Some(length), None) if !length.is_empty() && length.iter().all(u8::is_ascii_digit) => {
                let length = std::str::from_utf8(&length).ok()?.parse().ok()?;
                let (body, rest) = self.rest.split_at_checked(length)?;
                (self.body, self.rest) = (body.to_vec(), rest);
            }
            (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") && self.minor > 0 => {
                let chunked = grammar::dechunk(self.rest)?;
                (self.body, self.rest, self.trailers) = (chunked.body, chunked.rest, chunked.trailers);
                self.size_digits = chunked.size_digits;
            }
            _ => return None,
        }
        Some(())
    }

    /// The values of all fields of that name, as one list (RFC 9110 section 5.3).
    fn list(&self, name: &str) -> Option<Vec<u8>> {
        let values: Vec<_> = values(&self.fields, name).collect();
        (!values.is_empty()).then(|| values.join(&b','))
    }

    /// RFC 9112 section 9.3: whether another request may follow.
    pub(crate) fn persists(&self) -> bool {
        let options = self.list("connection").unwrap_or_default().to_ascii_lowercase();
        let says = |option: &[u8]| options.split(|byte| *byte == b',').any(|known| grammar::trim(known) == option);
        !says(b"close") && (self.minor > 0 || says(b"keep-alive"))
    }

    /// The authority of the target, or Host (RFC 9112 section 3.3).
    pub(crate) fn authority(&self) -> Option<&[u8]> {
        split_absolute(self.target).map(|(authority, _)| authority).or_else(|| values(&self.fields, "host").next())
    }

    /// The path, and the query where there is a question mark. An empty path means `/` (RFC 9110 section 4.2.3).
    pub(crate) fn path_and_query(&self) -> (Vec<u8>, Option<&[u8]>) {
        let target = split_absolute(self.target).map_or(self.target, |(_, behind)| behind);
        let (path, query) = match target.iter().position(|byte| *byte == b'?') {
            Some(at) => (&target[..at], Some(&target[at + 1..])),
            None => (target, None),
        };
        (if path.is_empty() { b"/".to_vec() } else { path.to_vec() }, query)
    }
}

fn values<'a>(fields: &'a [Field], name: &str) -> impl Iterator<Item = &'a [u8]> {
    fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| &**value)
}

/// RFC 9112 section 3.2. RFC 3986 allows fewer characters, but browsers send `|` and others as they are, and people type
/// UTF-8; none of them can be taken for the end of the target.
fn is_target(method: &[u8], target: &[u8]) -> bool {
    let is_text =
        std::str::from_utf8(target).is_ok() && !target.iter().any(|byte| matches!(byte, 0..=b' ' | b'#' | 0x7f));
    let is_of_a_form = match target {
        b"*" => method == b"OPTIONS",
        [b'/', ..] => true,
        _ => split_absolute(target).is_some_and(|(authority, _)| !authority.is_empty() && is_authority(authority)),
    };
    is_text && is_of_a_form && method != b"CONNECT"
}

/// `http://authority` and what is behind it. Other schemes are for other servers.
fn split_absolute(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let (scheme, rest) = target.split_at_checked(7)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    scheme.eq_ignore_ascii_case(b"http://").then(|| rest.split_at(end))
}

/// RFC 9112 section 3.2: exactly one, which only HTTP/1.0 need not send. It may be empty, but a port needs a host.
fn is_host_right(fields: &[Field], minor: u8) -> bool {
    let hosts: Vec<_> = values(fields, "host").collect();
    match hosts[..] {
        [] => minor == 0,
        [host] => host.is_empty() || is_authority(host),
        _ => false,
    }
}

/// `uri-host [ ":" port ]` (RFC 3986 section 3.2) of at least one character.
fn is_authority(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, ""),
    };
    let is_host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').is_some_and(is_ipv6),
        None => !host.is_empty() && is_registered_name(host),
    };
    is_host && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// RFC 3986 section 3.2.2.
fn is_registered_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
    name.bytes().all(is_plain) && grammar::percent_decode(name.as_bytes()).is_some()
}
