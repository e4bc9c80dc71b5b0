//! A folder without an `index.html`, told as a page, as JSON or as plain text.
//!
//! ```text
//!  folder ─► entries ─► order ─► head, rows, rows, …, foot ─► client
//!                                 └─ a Form writes each; pieces hands them on ─┘
//! ```
//!
//! Every name is looked at once ([`entries`]) and sorted ([`order`]) as the URL's [`query`] asks. What is kept of it is its
//! bytes and three numbers; the page itself is never held whole: a [`Form`] writes a hundred rows when the client has taken
//! the hundred before ([`pieces`]). Which form it is, the client says by `Accept` ([`negotiate`]).
//!
//! Names come from the disk and may hold anything: `maud` escapes them, links are percent-encoded ([`names`]), and the
//! page's policy lets no script run but our own. The page needs none.
//!
//! Pattern: Strategy ([`Form`]).

mod entries;
mod figures;
mod icons;
mod json;
#[cfg(feature = "markdown")]
mod markdown;
#[cfg(not(feature = "markdown"))]
#[path = "no_markdown.rs"]
mod markdown;
mod names;
mod negotiate;
mod order;
mod page;
mod pieces;
mod plain;
mod query;
mod readme;
mod row;

use std::ffi::OsStr;
use std::fs::File;
use std::hash::{DefaultHasher, Hash};
use std::ops::Range;

use http::header::{CACHE_CONTROL, CONTENT_ENCODING, ETAG, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};

use self::entries::Entries;
use self::names::Crumbs;
use self::pieces::Pieces;
use self::query::Query;
use self::readme::Readme;
use super::conditional::{Conditions, Validators, Verdict};
use super::resolve::{Refusal, Root, Target};
use crate::coding::{Coding, Wanted};
use crate::message::{Request, Response};

/// What a folder holds, in the order that was asked for.
struct Listing {
    crumbs: Crumbs,
    query: Query,
    entries: Entries,
    readme: Option<Readme>,
}

/// One way to write a listing, a piece at a time.
trait Form: Send + Sync {
    fn media_type(&self) -> &'static str;

    /// The `Content-Security-Policy` of this form, if it needs one.
    fn policy(&self) -> Option<&'static str> {
        None
    }

    /// What comes before the rows, and what comes after them.
    fn frame(&self, listing: &Listing) -> Frame;

    /// Some of the rows; of all rows, those with these numbers.
    fn rows(&self, listing: &Listing, range: Range<usize>) -> String;
}

/// All of a listing but its rows.
#[derive(Default)]
struct Frame {
    head: String,
    foot: String,
}

/// Answers a GET or HEAD request for an open folder.
pub(super) fn answer(request: &Request, root: &Root, target: &Target, folder: &File) -> Result<Response, Refusal> {
    let form = negotiate::form(request);
    let listing = Listing::read(request, root, target, folder)?;
    let pieces = Pieces::new(listing, form);
    let wanted = Wanted::of(request).iter().next();
    let validators = Validators::of_tag(pieces.tag(wanted));
    let verdict = Conditions::of(request).map_or(Verdict::Proceed, |conditions| conditions.evaluate(&validators));
    let mut response = match verdict {
        Verdict::Proceed => whole(form, pieces, wanted),
        Verdict::NotModified => Response::new(StatusCode::NOT_MODIFIED),
        Verdict::PreconditionFailed => return Ok(Response::status_page(StatusCode::PRECONDITION_FAILED)),
    };
    let fields = response.headers_mut();
    fields.insert(ETAG, validators.tag);
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    fields.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
    if response.status() == StatusCode::OK {
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(policy) = form.policy() {
            response = response.with_header("content-security-policy", policy);
        }
    }
    Ok(response)
}

fn whole(form: &dyn Form, pieces: Pieces, wanted: Option<Coding>) -> Response {
    let (body, coding) = pieces.into_body(wanted);
    let mut response = Response::bytes(form.media_type(), body);
    if let Some(coding) = coding {
        response.headers_mut().insert(CONTENT_ENCODING, coding.field_value());
    }
    response
}

impl Listing {
    fn read(request: &Request, root: &Root, target: &Target, folder: &File) -> Result<Self, Refusal> {
        let query = Query::parse(request.query_string().unwrap_or_default());
        let (mut entries, mut readme) = (Entries::default(), readme::Choice::default());
        let is_wanted = |name: &OsStr| {
            let name = name.as_encoded_bytes();
            query.lets_through(name) || readme::rank(name).is_some()
        };
        for entry in root.entries(target, folder, is_wanted)? {
            let (name, look) = entry?;
            let bytes = name.as_encoded_bytes();
            readme.consider(&name, look.kind);
            if query.lets_through(bytes) && !entries.push(bytes, look) {
                log::warn!("{} names are listed, and no more, of the folder {}", entries.len(), request.path());
                break;
            }
        }
        order::sort(&mut entries, query.order);
        Ok(Self {
            crumbs: Crumbs::new(request.mount_path(), target),
            query,
            entries,
            readme: readme.open(root, target),
        })
    }

    /// A number that is another one when anything is told differently.
    fn hash(&self, state: &mut DefaultHasher) {
        for entry in self.entries.iter() {
            (entry.name, entry.kind, entry.size, entry.modified).hash(state);
        }
    }
}
