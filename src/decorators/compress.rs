//! Answers in fewer bytes, for those who can read them: gzip, brotli or zstd (RFC 9110 section 8.4).
//!
//! What is coded: text and what else gains by it, from a kilobyte on. What is not: parts (206), what is coded already, what
//! says `no-transform`, and event streams, whose events are small and must come at once. A stretch of a file goes by
//! `sendfile` as it is; [`StaticFiles`](crate::StaticFiles) codes its files itself, and keeps them coded.
//!
//! | the body is | it is coded | and sent |
//! |---|---|---|
//! | bytes, up to 32 KiB | at once, where the handler runs | with its length |
//! | more bytes, or a reader | by workers, while the client takes it | in chunks |
//! | a channel | piece by piece, on the loop, each one flushed | in chunks |
//!
//! Coded bytes are not those that a strong `ETag` names, so it becomes a weak one; the handler still knows it by its opaque
//! part, and answers 304.
//!
//! Pattern: Decorator (it changes the answer).

use std::io::{self, Read};

use bytes::Buf;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG};
use http::{HeaderValue, StatusCode};

use super::vary;
use crate::coding::{self, Coded, Coding, Encoder, Pieces, Wanted};
use crate::handler::{Handler, Middleware};
use crate::message::{Body, Coder, Kind, Request, Response};

/// Compresses answers for clients that take it (feature `compress`; without it, nothing is changed).
///
/// A page that shows both a secret and what the request said can be made to tell the secret by its length (BREACH); leave
/// such pages uncompressed: `Cache-Control: no-transform`.
///
/// ```
/// use qibu::{Compress, HandlerExt, Request, testing::TestClient};
///
/// let page = |_: &mut Request| "seven steps ".repeat(1000);
/// let client = TestClient::new(page.with(Compress::new()));
/// let answer = client.get("/").header("Accept-Encoding", "gzip").send();
/// assert_eq!(answer.header("content-encoding"), Some("gzip"));
/// assert!(answer.bytes().len() < 200);
/// assert_eq!(client.get("/").send().bytes().len(), 12_000);
/// ```
#[derive(Debug, Clone)]
pub struct Compress {
    min_bytes: u64,
}

impl Compress {
    /// Compresses what gains by it, from 1 KiB on.
    pub fn new() -> Self {
        Self { min_bytes: coding::MIN_BYTES }
    }

    /// Bodies that are known to be shorter are left alone, in bytes.
    #[must_use]
    pub fn min_size(mut self, bytes: u64) -> Self {
        self.min_bytes = bytes;
        self
    }
}

impl Default for Compress {
    fn default() -> Self {
        Self::new()
    }
}

impl Middleware for Compress {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        // RFC 9111 §5.2.1.6
        let is_fixed = request.header_values("cache-control").any(says_no_transform);
        let coding = if is_fixed { None } else { Wanted::of(request).iter().next() };
        let known_tags: Vec<Vec<u8>> = request.header_values("if-none-match").map(<[u8]>::to_vec).collect();
        let min_bytes = self.min_bytes;
        next.handle(request).map(move |mut response| {
            if response.status() == StatusCode::NOT_MODIFIED {
                return as_known(response, &known_tags);
            }
            if is_fit(&response) && response.body().len().is_none_or(|length| length >= min_bytes) {
                // RFC 9110 §12.5.5: another client gets another form.
                vary::add(&mut response, "accept-encoding");
                if let Some(coding) = coding {
                    encode(&mut response, coding);
                }
            }
            response
        })
    }
}

/// Whether this answer may be coded at all.
fn is_fit(response: &Response) -> bool {
    let headers = response.headers();
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    coding::gains(media_type)
        && !is_event_stream(media_type)
        && response.status() != StatusCode::PARTIAL_CONTENT
        && !headers.contains_key(CONTENT_RANGE)
        && !headers.contains_key(CONTENT_ENCODING)
        && !headers.get_all(CACHE_CONTROL).into_iter().any(|value| says_no_transform(value.as_bytes()))
}

fn is_event_stream(media_type: &str) -> bool {
    media_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// RFC 9111 §5.2.2.6
fn says_no_transform(cache_control: &[u8]) -> bool {
    cache_control.split(|byte| *byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(b"no-transform"))
}

/// Codes the body, if it is of a kind that is coded and gains by it.
fn encode(response: &mut Response, coding: Coding) {
    let body = response.take_body();
    let (body, is_coded) = match body.kind.shared() {
        Kind::Bytes(plain) if plain.len() <= coding::AT_ONCE_BYTES => match coding::compress(coding, &plain) {
            Ok(Some(coded)) => (coded.into(), true),
            Ok(None) | Err(_) => (plain.into(), false),
        },
        Kind::Bytes(plain) => match Encoder::new(coding) {
            Ok(encoder) => (read_through(encoder, plain.reader(), Pieces::Joined), true),
            Err(_) => (plain.into(), false),
        },
        Kind::Reader(plain) => match Encoder::new(coding) {
            Ok(encoder) => (read_through(encoder, plain, Pieces::Flushed), true),
            Err(_) => (Body { kind: Kind::Reader(plain) }, false),
        },
        Kind::Channel(mut receiver) if receiver.keep_alive.is_none() && receiver.coder.is_none() => {
            let encoder = Encoder::new(coding).ok();
            let is_coded = encoder.is_some();
            receiver.coder = encoder.map(|encoder| Box::new(Stream(encoder)) as Box<dyn Coder>);
            (Body { kind: Kind::Channel(receiver) }, is_coded)
        }
        kind => (Body { kind }, false),
    };
    *response.body_mut() = body;
    if is_coded {
        let headers = response.headers_mut();
        headers.insert(CONTENT_ENCODING, coding.field_value());
        if let Some(weak) = headers.get(ETAG).and_then(weakened) {
            headers.insert(ETAG, weak);
        }
    }
}

/// RFC 9110 §8.8.3.3: other bytes, so no longer the same strong tag. `None` for what is weak already.
fn weakened(tag: &HeaderValue) -> Option<HeaderValue> {
    let weak = [b"W/", tag.as_bytes()].concat();
    tag.as_bytes().starts_with(b"\"").then(|| HeaderValue::from_bytes(&weak).ok()).flatten()
}

/// RFC 9110 §15.4.5: a 304 names the form that the client has. It has the coded one if it knows the tag as a weak one.
fn as_known(mut response: Response, known_tags: &[Vec<u8>]) -> Response {
    let weak = response.headers().get(ETAG).and_then(weakened);
    if let Some(weak) = weak {
        vary::add(&mut response, "accept-encoding");
        let weak_bytes = weak.as_bytes();
        if known_tags.iter().any(|list| list.windows(weak_bytes.len()).any(|part| part == weak_bytes)) {
            response.headers_mut().insert(ETAG, weak);
        }
    }
    response
}

/// A channel's pieces, on their way to the client.
struct Stream(Encoder);

impl Coder for Stream {
    /// Flushed, since nobody knows when the next piece comes.
    fn piece(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        let mut coded = self.0.encode(piece)?;
        coded.extend(self.0.flush()?);
        Ok(coded)
    }

    fn end(self: Box<Self>) -> io::Result<Vec<u8>> {
        self.0.finish()
    }
}

fn read_through(encoder: Encoder, plain: impl Read + Send + 'static, pieces: Pieces) -> Body {
    Body::reader(Coded::new(encoder, plain, pieces), None)
}
