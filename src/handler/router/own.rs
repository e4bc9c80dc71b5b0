//! What a router answers by itself.

use http::StatusCode;
use http::header::LOCATION;

use super::methods::Methods;
use crate::message::{Request, Response};

/// Why a router has no handler for a request.
pub(super) enum Own<'a> {
    /// The path has other methods.
    OtherMethod(&'a Methods),
    /// There is such a path with a slash more or less at its end.
    OtherSlash,
    /// It is for the server itself: `OPTIONS *`.
    Server,
    Nothing,
}

impl Own<'_> {
    pub(super) fn answer(&self, request: &Request) -> Response {
        match self {
            Self::OtherMethod(methods) => methods.answer(request.method()),
            Self::OtherSlash => redirect(request),
            Self::Server => Response::new(StatusCode::NO_CONTENT),
            Self::Nothing => Response::status_page(StatusCode::NOT_FOUND),
        }
    }
}

/// To the path with the slash that it needs, and the query that it had. Browsers take `//name` and `/\\name` for another
/// server, so there is one slash at the front, and no backslash.
fn redirect(request: &Request) -> Response {
    let whole = format!("{}{}", request.mount_path(), request.path()).replace('\\', "%5C");
    let path = with_other_slash(&whole).unwrap_or(whole);
    let query = request.query_string().map_or_else(String::new, |query| format!("?{query}"));
    // RFC 9110 §15.4.9: 308 keeps the method and the body.
    Response::status_page(StatusCode::PERMANENT_REDIRECT)
        .with_header(LOCATION.as_str(), format!("/{}{query}", path.trim_start_matches('/')))
}

/// The same path with a slash more or less at its end.
pub(super) fn with_other_slash(path: &str) -> Option<String> {
    match path.strip_suffix('/') {
        Some("") => None,
        Some(shorter) => Some(shorter.to_owned()),
        None => Some(format!("{path}/")),
    }
}
