//! One version of a file and all that is said of it, ready to answer requests: steps 4 to 6.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::X_CONTENT_TYPE_OPTIONS};

use super::conditional::{self, Validators, Verdict};
use super::media_type;
use super::range::{self, Selection};
use crate::message::{Body, Request, Response};

/// Up to so many bytes, reading a file costs less than `sendfile` and a second packet.
const READ_AT_MOST_BYTES: u64 = 32 * 1024;

/// A file as it was at one moment.
#[derive(Debug)]
pub(super) struct Representation {
    validators: Validators,
    /// The fields of the 200.
    fields: HeaderMap,
    length: u64,
    content: Content,
}

/// Where the bytes are.
#[derive(Debug)]
enum Content {
    Memory(Bytes),
    File(Arc<File>),
}

impl Representation {
    /// Reads a small file; keeps a large one open. Fails with `UnexpectedEof` if it has become shorter meanwhile.
    pub(super) fn of(path: &Path, mut file: File, metadata: &Metadata) -> io::Result<Self> {
        let (validators, length) = (Validators::of(metadata, SystemTime::now()), metadata.len());
        let mut fields = HeaderMap::with_capacity(6);
        fields.insert(CONTENT_TYPE, media_type::of(path));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        fields.insert(ETAG, validators.tag.clone());
        if let Some(modified) = &validators.modified {
            fields.insert(LAST_MODIFIED, modified.text.clone());
        }
        fields.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let content = if length > READ_AT_MOST_BYTES {
            Content::File(Arc::new(file))
        } else {
            let mut bytes = vec![0; usize::try_from(length).expect("at most READ_AT_MOST_BYTES")];
            file.read_exact(&mut bytes)?;
            Content::Memory(bytes.into())
        };
        Ok(Self { validators, fields, length, content })
    }

    /// Answers a GET or HEAD request.
    pub(super) fn answer(&self, request: &Request) -> Response {
        match conditional::evaluate(request, &self.validators) {
            Verdict::Proceed => self.send(request),
            Verdict::NotModified => self.not_modified(),
            Verdict::PreconditionFailed => Response::status_page(StatusCode::PRECONDITION_FAILED),
        }
    }

    /// RFC 9110 §15.4.5: the fields that the client's own copy needs, and no others.
    fn not_modified(&self) -> Response {
        let mut response = Response::new(StatusCode::NOT_MODIFIED);
        for name in [CACHE_CONTROL, ETAG] {
            if let Some(value) = self.fields.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }

    fn send(&self, request: &Request) -> Response {
        let mut response = Response::new(StatusCode::OK);
        let part = match range::select(request, &self.validators, self.length) {
            Selection::Unsatisfiable => {
                return Response::status_page(StatusCode::RANGE_NOT_SATISFIABLE)
                    .with_header(CONTENT_RANGE.as_str(), format!("bytes */{}", self.length));
            }
            Selection::Whole => {
                *response.headers_mut() = self.fields.clone();
                0..self.length
            }
            Selection::Part(part) => {
                *response.headers_mut() = self.fields.clone();
                let range = format!("bytes {}-{}/{}", part.start, part.end - 1, self.length);
                response = response.with_status(StatusCode::PARTIAL_CONTENT).with_header(CONTENT_RANGE.as_str(), range);
                part
            }
        };
        response.with_body(self.body(request, part))
    }

    fn body(&self, request: &Request, part: Range<u64>) -> Body {
        match &self.content {
            Content::Memory(bytes) => {
                let place = |at| usize::try_from(at).expect("it lies in memory");
                bytes.slice(place(part.start)..place(part.end)).into()
            }
            // For HEAD the protocol needs the length alone.
            Content::File(file) => {
                debug_assert!(matches!(*request.method(), Method::GET | Method::HEAD));
                Body::file(file.clone(), part)
            }
        }
    }

    /// What it costs to keep, in bytes; `None` for one that holds a file open.
    pub(super) fn memory(&self) -> Option<usize> {
        match &self.content {
            Content::Memory(bytes) => Some(bytes.len() + size_of::<Self>() + ESTIMATED_FIELD_BYTES),
            Content::File(_) => None,
        }
    }
}

/// The map of fields and the texts in it, roughly.
const ESTIMATED_FIELD_BYTES: usize = 1024;
