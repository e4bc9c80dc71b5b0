//! One form of one version of a file and all that is said of it, ready to answer requests: steps 5 to 7.

use std::fs::File;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LOCATION, CONTENT_RANGE, CONTENT_TYPE};
use http::header::{ETAG, EXPIRES, LAST_MODIFIED, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::cache::Cost;
use super::conditional::{Conditions, Validators, Verdict};
use super::multipart;
use super::range::{self, Selection};
use crate::coding::{self, Coding};
use crate::message::{Body, Fields, FileSlice, Part, Request, Response};

/// A file as it was at one moment, in one content coding.
#[derive(Debug)]
pub(super) struct Representation {
    validators: Validators,
    /// Those of the 200, shared by all of them.
    fields: Fields,
    /// Those of the 304, once one was sent.
    of_not_modified: OnceLock<Fields>,
    content: Content,
}

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum Content {
    Memory(Bytes),
    /// In a file of that length.
    File(Arc<File>, u64),
}

fn owned((name, value): (&HeaderName, &HeaderValue)) -> (HeaderName, HeaderValue) {
    (name.clone(), value.clone())
}

/// The fields of the 200 and of the 304, with the texts in them and their lines, take so many bytes, roughly.
const ESTIMATED_FIELD_BYTES: usize = 1536;

/// A larger file takes so long to send that opening it anew does not count. And one that is removed, but open, still takes
/// its room on the disk.
const KEEP_OPEN_AT_MOST_BYTES: u64 = 1024 * 1024;

impl Representation {
    /// `content_type` says what it is when it is decoded.
    pub(super) fn new(
        content_type: HeaderValue,
        coding: Option<Coding>,
        validators: Validators,
        content: Content,
    ) -> Self {
        let gains = content_type.to_str().is_ok_and(coding::gains);
        let modified = validators.modified.as_ref();
        let mut fields = vec![
            (CONTENT_TYPE, content_type),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (ETAG, validators.tag.clone()),
            (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        fields.extend(modified.map(|modified| (LAST_MODIFIED, modified.text.clone())));
        if gains {
            // RFC 9110 §12.5.5: another client may get another form, so caches must ask again.
            fields.push((VARY, HeaderValue::from_static("accept-encoding")));
        }
        if let Some(coding) = coding {
            fields.push((CONTENT_ENCODING, coding.field_value()));
        }
        Self { validators, fields: fields.into_iter().collect(), of_not_modified: OnceLock::new(), content }
    }

    /// Changes the fields of the 200, before the first answer.
    pub(super) fn change_fields(&mut self, change: impl FnOnce(&mut HeaderMap)) {
        change(self.fields.map_mut());
        self.fields = self.fields.iter().map(owned).collect();
    }

    /// Answers a GET or HEAD request.
    pub(super) fn answer(&self, request: &Request) -> Response {
        let Some(conditions) = Conditions::of(request) else { return self.whole() };
        match conditions.evaluate(&self.validators) {
            Verdict::Proceed if conditions.has_range => self.send(request),
            Verdict::Proceed => self.whole(),
            Verdict::NotModified => self.not_modified(),
            Verdict::PreconditionFailed => Response::status_page(StatusCode::PRECONDITION_FAILED),
        }
    }

    /// Answers for something that is not there: the whole of it, whatever the conditions, since they are about that other
    /// thing (RFC 9110 §13.2.1).
    pub(super) fn stand_in(&self, status: StatusCode) -> Response {
        let mut response = self.whole().with_status(status);
        for name in [ACCEPT_RANGES, ETAG, LAST_MODIFIED] {
            response.headers_mut().remove(name);
        }
        response
    }

    /// RFC 9110 §15.4.5: the fields that the client's own copy needs, and no others.
    fn not_modified(&self) -> Response {
        let fields = self.of_not_modified.get_or_init(|| {
            let is_needed = |name| [CACHE_CONTROL, CONTENT_LOCATION, ETAG, EXPIRES, VARY].contains(name);
            self.fields.iter().filter(|(name, _)| is_needed(name)).map(owned).collect()
        });
        Response::of(StatusCode::NOT_MODIFIED, fields.clone(), Body::empty())
    }

    fn whole(&self) -> Response {
        let body = match &self.content {
            Content::Memory(bytes) => bytes.clone().into(),
            Content::File(file, length) => FileSlice::new(file.clone(), 0..*length).into(),
        };
        Response::of(StatusCode::OK, self.fields.clone(), body)
    }

    fn send(&self, request: &Request) -> Response {
        let length = self.length();
        let (body, (name, value)) = match range::select(request, &self.validators, length) {
            Selection::Whole => return self.whole(),
            Selection::Part(range) => {
                let place = HeaderValue::try_from(multipart::content_range(&range, length));
                let place = place.expect("letters and digits");
                (self.body(range), (CONTENT_RANGE, place))
            }
            Selection::Parts(ranges) => {
                let media_type = &self.fields.map()[CONTENT_TYPE];
                let parts = multipart::compose(&ranges, length, media_type, |range| self.part(range));
                // RFC 9110 §15.3.7.2: each part says its place, and the whole must not.
                (parts.body, (CONTENT_TYPE, parts.content_type))
            }
            Selection::Unsatisfiable => {
                return Response::status_page(StatusCode::RANGE_NOT_SATISFIABLE)
                    .with_header(CONTENT_RANGE.as_str(), format!("bytes */{length}"));
            }
        };
        let mut response = Response::of(StatusCode::PARTIAL_CONTENT, self.fields.clone(), body);
        response.headers_mut().insert(name, value);
        response
    }

    fn length(&self) -> u64 {
        match &self.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::File(_, length) => *length,
        }
    }

    fn body(&self, range: Range<u64>) -> Body {
        match self.part(range) {
            Part::Bytes(bytes) => bytes.into(),
            Part::File(slice) => slice.into(),
        }
    }

    fn part(&self, range: Range<u64>) -> Part {
        match &self.content {
            Content::Memory(bytes) => {
                let place = |at| usize::try_from(at).expect("it lies in memory");
                Part::Bytes(bytes.slice(place(range.start)..place(range.end)))
            }
            Content::File(file, _) => Part::File(FileSlice::new(file.clone(), range)),
        }
    }

    /// What it takes to keep; `None` for one that is not worth a descriptor.
    pub(super) fn cost(&self) -> Option<Cost> {
        let bytes = ESTIMATED_FIELD_BYTES;
        match &self.content {
            Content::Memory(content) => Some(Cost { bytes: bytes + content.len(), files: 0 }),
            Content::File(_, length) => (*length <= KEEP_OPEN_AT_MOST_BYTES).then_some(Cost { bytes, files: 1 }),
        }
    }
}
