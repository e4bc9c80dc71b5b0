//! `Vary`: on what else than the target an answer depends (RFC 9110 section 12.5.5), so that a cache does not give one
//! client what was meant for another.

use http::HeaderValue;
use http::header::VARY;

use crate::message::Response;

/// Adds a field's name, unless it is said already.
pub(super) fn add(response: &mut Response, name: &'static str) {
    let said = response.headers().get_all(VARY).into_iter().filter_map(|value| value.to_str().ok());
    let mut names = said.flat_map(|value| value.split(',')).map(str::trim);
    if !names.any(|known| known == "*" || known.eq_ignore_ascii_case(name)) {
        response.headers_mut().append(VARY, HeaderValue::from_static(name));
    }
}
