//! As what a file answers. One file may be sent for many paths, and what is said of it differs:
//!
//! | role | asked for | sent | status | kept in memory as |
//! |---|---|---|---|---|
//! | itself | `/a.txt`; `/docs/` | `a.txt`; `docs/index.html` | 200, 206, 304 | the path, if it is spelled as in our links |
//! | clean | `/about` | `about.html` | the same | the path, while there is no `about` |
//! | single page | `/orders/7` | `index.html` | the same | `/index.html` |
//! | stand-in | `/nothing` | `404.html` | 404 | `/404.html` |
//!
//! A page that stands in is kept under its own name, in the same form as if it had been asked for itself: the paths that lead to
//! it are without number.
//!
//! Pattern: Strategy.

use std::borrow::Cow;

use http::StatusCode;

use super::representation::Representation;
use super::resolve::{Root, Target};
use super::variant::Variant;
use super::{INDEX, single_page};
use crate::message::{Request, Response};

#[derive(Debug, Clone, Copy)]
pub(super) enum Role<'a> {
    /// What was asked for; of a folder, its `index.html`.
    Itself,
    /// A page whose extension was left out; there is nothing under the name without it.
    Clean(&'a Target),
    /// The one page of an application.
    SinglePage,
    /// A page that says why there is nothing.
    StandIn(StatusCode),
}

impl Role<'_> {
    pub(super) fn answer(self, representation: &Representation, request: &Request) -> Response {
        match self {
            Self::Itself | Self::Clean(_) => representation.answer(request),
            Self::SinglePage => single_page::vary(representation.answer(request)),
            Self::StandIn(status) => representation.stand_in(status),
        }
    }

    /// Under which path the file is kept. Other spellings than those of our own links are answered too, but not kept: there
    /// are too many.
    pub(super) fn kept_as<'r>(self, request: &'r Request, target: &Target) -> Option<Cow<'r, str>> {
        let asked = request.path();
        let is_kept = match self {
            Self::Itself => target.to_url().strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest == INDEX),
            Self::Clean(name) => name.to_url() == asked,
            Self::SinglePage | Self::StandIn(_) => return Some(target.to_url().into()),
        };
        is_kept.then_some(Cow::Borrowed(asked))
    }

    /// What else must stay as it is for the variant to be true.
    pub(super) fn condition(self, variant: Variant, root: &Root) -> Variant {
        match self {
            Self::Clean(name) => variant.unless_there_is(root, name),
            _ => variant,
        }
    }
}
