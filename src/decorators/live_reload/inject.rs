//! The script that is added to pages, and what else of the answer changes by it.

use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LOCATION,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, EXPIRES, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE,
    VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::insert::Script;
use super::{SCRIPT_PATH, policy};
use crate::decorators::vary;
use crate::handler::Handler;
use crate::message::{Request, Response};

/// What is added to a page of this version.
pub(super) struct Snippet {
    version: String,
}

/// What browsers ask for when they want to show it: a page, by itself or within another.
const PAGES: [&str; 6] = ["document", "iframe", "frame", "fencedframe", "embed", "object"];

/// Whether the answer may become a page. What a script fetches is data to it, HTML or not, and stays as it is.
pub(super) fn is_for_a_page(request: &Request) -> bool {
    request.header("sec-fetch-dest").is_none_or(|destination| PAGES.contains(&destination))
}

/// The next handler's answer; if it is a page, with the script in it.
pub(super) fn answer(request: &mut Request, next: &dyn Handler, snippet: Snippet) -> Response {
    snippet.translate_expected_tags(request);
    let known = take_known_tags(request);
    if is_navigation(request) {
        request.headers_mut().remove(ACCEPT_ENCODING);
    }
    answer_whole(request, next).map(move |response| {
        let response = if is_page(&response) { snippet.add_to(response) } else { response };
        if known.iter().any(|tags| is_known(tags, &response)) { not_modified(&response) } else { response }
    })
}

/// Whether a page is most likely what will come; browsers say so by one field or the other.
fn is_navigation(request: &Request) -> bool {
    request.header("sec-fetch-dest").is_some() || request.names_html()
}

/// What the client has already. The next handler must not decide by it, since it does not know the tags of our pages; and it
/// knows those of pages without the script, which a browser may have from before.
fn take_known_tags(request: &mut Request) -> Vec<HeaderValue> {
    if request.header_bytes("if-none-match").is_none() && request.header_bytes("if-modified-since").is_none() {
        return Vec::new();
    }
    let fields = request.headers_mut();
    let known = fields.get_all(IF_NONE_MATCH).iter().cloned().collect();
    fields.remove(IF_NONE_MATCH);
    fields.remove(IF_MODIFIED_SINCE);
    known
}

/// A page is needed whole and uncompressed; where that was not foreseen it is asked for once more. RFC 9110 §14.2 and §12.5.3
/// let us ignore that a part or a coding was asked for.
fn answer_whole(request: &mut Request, next: &dyn Handler) -> Response {
    let response = next.handle(request);
    let is_cut = response.status() == StatusCode::PARTIAL_CONTENT || response.headers().contains_key(CONTENT_ENCODING);
    if !(is_cut && is_html(response.headers())) {
        return response;
    }
    for name in [ACCEPT_ENCODING, RANGE, IF_RANGE] {
        request.headers_mut().remove(name);
    }
    let whole = next.handle(request);
    if whole.status().is_server_error() { response } else { whole } // who cannot say it twice has said it
}

fn is_html(fields: &HeaderMap) -> bool {
    let media_type = text(fields, CONTENT_TYPE).split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("text/html")
}

/// Whether a browser would show it as a page, and the script can be added. Error pages count.
fn is_page(response: &Response) -> bool {
    let fields = response.headers();
    let is_whole = response.status() != StatusCode::PARTIAL_CONTENT && !fields.contains_key(CONTENT_ENCODING);
    let is_download = text(fields, CONTENT_DISPOSITION)
        .trim_start()
        .get(..10)
        .is_some_and(|start| start.eq_ignore_ascii_case("attachment"));
    let has_body = !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    is_html(fields) && is_whole && !is_download && has_body
}

fn text(fields: &HeaderMap, name: HeaderName) -> &str {
    fields.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

impl Snippet {
    pub(super) fn new(version: String) -> Self {
        Self { version }
    }

    /// In If-Match, our tags become those that the next handler knows.
    fn translate_expected_tags(&self, request: &mut Request) {
        let (ours, theirs) = (format!("+{}\"", self.version), "\"");
        let Some(tags) = request.header(IF_MATCH.as_str()).filter(|tags| tags.contains(&ours)) else { return };
        if let Ok(tags) = HeaderValue::try_from(tags.replace(&ours, theirs)) {
            request.headers_mut().insert(IF_MATCH, tags);
        }
    }

    fn add_to(&self, mut response: Response) -> Response {
        let script = self.script(text(response.headers(), CONTENT_TYPE));
        let body = script.put_into(response.take_body());
        let fields = response.headers_mut();
        fields.remove(ACCEPT_RANGES);
        if let Some(tag) = fields.get(ETAG).and_then(|tag| self.tag(tag)) {
            fields.insert(ETAG, tag);
        }
        let policies = fields.get_all(CONTENT_SECURITY_POLICY).iter();
        let policies: Vec<_> = policies.filter_map(|value| Some(policy::permit_own(value.to_str().ok()?))).collect();
        if let Ok(policies) = HeaderValue::try_from(policies.join(", "))
            && !policies.is_empty()
        {
            fields.insert(CONTENT_SECURITY_POLICY, policies);
        }
        vary::add(&mut response, "sec-fetch-dest");
        response.with_body(body)
    }

    /// One element without a line break, so that an error in the page is still in the line that the editor shows.
    fn script(&self, content_type: &str) -> Script {
        let text = format!("<script src=\"{SCRIPT_PATH}\" data-version=\"{}\" async></script>", self.version);
        Script::new(text, content_type)
    }

    /// Other bytes need another tag (RFC 9110 section 8.8.3).
    fn tag(&self, tag: &HeaderValue) -> Option<HeaderValue> {
        let plain = tag.to_str().ok()?.strip_suffix('"')?;
        HeaderValue::try_from(format!("{plain}+{}\"", self.version)).ok()
    }
}

/// Whether the client has this very answer. RFC 9110 §13.1.2: tags are compared weakly, and `*` is any of them.
fn is_known(tags: &HeaderValue, response: &Response) -> bool {
    let current = response.headers().get(ETAG).and_then(|tag| opaque(tag.to_str().ok()?));
    let (Some((current, _)), Ok(mut rest)) = (current, tags.to_str()) else { return false };
    if response.status() != StatusCode::OK {
        return false;
    }
    if rest.trim() == "*" {
        return true;
    }
    while let Some((tag, after)) = opaque(rest) {
        if tag == current {
            return true;
        }
        rest = after;
    }
    false
}

/// The next tag of a list, without quotes and weakness, and what follows it.
fn opaque(list: &str) -> Option<(&str, &str)> {
    let tag = list.trim_start_matches([',', ' ', '\t']);
    tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.split_once('"')
}

/// RFC 9110 §15.4.5: the fields that the client's own copy needs, and no others.
fn not_modified(response: &Response) -> Response {
    let mut answer = Response::new(StatusCode::NOT_MODIFIED);
    for name in [CACHE_CONTROL, CONTENT_LOCATION, ETAG, EXPIRES, VARY] {
        for value in response.headers().get_all(&name) {
            answer.headers_mut().append(name.clone(), value.clone());
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_is_read_to_its_end() {
        let response = Response::new(StatusCode::OK).with_header("etag", "\"a,b\"");
        for (tags, is_there) in [
            ("\"a,b\"", true),
            ("W/\"a,b\"", true),
            ("\"x\",\"a,b\"", true),
            ("\"x\" , W/\"y\",\"a,b\"", true),
            ("*", true),
            ("\"a\"", false),
            ("a,b", false),
            ("\"a,b", false),
            ("", false),
        ] {
            assert_eq!(is_known(&HeaderValue::from_static(tags), &response), is_there, "{tags}");
        }
    }
}
