//! The one page of an application whose routes are made in the browser (SPA): `/orders/7` is no file, and `index.html` shows it.
//!
//! Only who wants a page to look at gets it. A script, a style or a picture that is missing stays 404: HTML in its place would
//! break the page in a way that nobody can read. Browsers say which of the two it is; for others, the name and `Accept` do.
//! So does a hidden name: whoever tries `/.env` shall see that there is nothing.
//!
//! Pattern: Null Object (off, it is for nobody).

use http::HeaderValue;

use super::resolve::Target;
use super::{INDEX, rules};
use crate::message::{Request, Response};

/// Whether there is such a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum SinglePage {
    #[default]
    Off,
    On,
}

/// What the choice depends on, for caches (RFC 9110 section 12.5.5).
const CHOSEN_BY: HeaderValue = HeaderValue::from_static("sec-fetch-mode, sec-fetch-dest, accept");

impl SinglePage {
    /// The page that answers where nothing was found.
    pub(super) fn page(self, request: &Request, target: &Target) -> Option<Target> {
        let is_for_it = self == Self::On && !target.is_hidden() && is_navigation(request, target);
        is_for_it.then(|| Target::root().child(INDEX))
    }
}

/// Whether it is to be looked at, and not a part of something else (Fetch Metadata, section 2).
fn is_navigation(request: &Request, target: &Target) -> bool {
    let (mode, destination) = (request.header("sec-fetch-mode"), request.header("sec-fetch-dest"));
    if mode.is_some() || destination.is_some() {
        return mode == Some("navigate") || destination == Some("document");
    }
    request.names_html() && target.path.extension().is_none()
}

/// Says that others would have got another answer.
pub(super) fn vary(mut response: Response) -> Response {
    rules::vary(response.headers_mut(), &CHOSEN_BY);
    response
}
