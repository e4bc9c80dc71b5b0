//! Which form of a listing the client would have (RFC 9110 section 12.5.1).
//!
//! Browsers name `text/html`. Who takes anything, as curl and wget do, gets HTML too, since `wget --recursive` follows its
//! links. Who takes none of our forms gets HTML rather than a 406: the standard leaves that to us, and a page explains more.

use super::Form;
use super::json::Json;
use super::page::Page;
use super::plain::Plain;
use crate::coding::{Quality, quality};
use crate::message::Request;

/// The forms, and what each is called. Of equally wanted ones, the first wins.
const FORMS: [(&str, &dyn Form); 3] = [("text/html", &Page), ("application/json", &Json), ("text/plain", &Plain)];

pub(super) fn form(request: &Request) -> &'static dyn Form {
    let fields: Vec<_> = request.header_values("accept").filter_map(|value| std::str::from_utf8(value).ok()).collect();
    let index = best(&fields);
    FORMS[index].1
}

/// The place of the best form in the list above.
fn best(fields: &[&str]) -> usize {
    let ranges: Vec<_> = fields.iter().flat_map(|field| field.split(',')).filter_map(media_range).collect();
    let mut best = (0, 0);
    for (index, (name, _)) in FORMS.iter().enumerate() {
        // The range that names the form most closely says how much it is wanted.
        let closest = ranges
            .iter()
            .filter_map(|(range, quality)| Some((closeness(range, name)?, *quality)))
            .max_by_key(|range| range.0);
        let quality = closest.map_or(0, |(_, quality)| quality);
        if quality > best.1 {
            best = (index, quality);
        }
    }
    best.0
}

/// How closely a range names a media type: not at all, as one of all, as one of its kind, or itself.
fn closeness(range: &str, name: &str) -> Option<u8> {
    if range.eq_ignore_ascii_case(name) {
        return Some(2);
    }
    let kind = name.split('/').next().unwrap_or_default();
    match range.split_once('/') {
        Some(("*", "*")) => Some(0),
        Some((of, "*")) if of.eq_ignore_ascii_case(kind) => Some(1),
        _ => None,
    }
}

/// `text/html;q=0.5`, with its quality in thousandths. `None` for what is no such thing, or has parameters that none of
/// our forms has.
fn media_range(text: &str) -> Option<(&str, Quality)> {
    let mut parts = text.split(';').map(str::trim);
    let (range, mut weight) = (parts.next()?, 1000);
    for part in parts {
        let (name, value) = part.split_once('=')?;
        if name.eq_ignore_ascii_case("q") {
            weight = quality(value.as_bytes())?;
        } else if !(name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")) {
            return None;
        }
    }
    Some((range, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_says_which_form_it_would_have() {
        for (field, form) in [
            ("", "text/html"),
            ("*/*", "text/html"),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
            ("application/json", "application/json"),
            ("Application/JSON", "application/json"),
            ("application/json, text/plain, */*", "text/html"),
            ("application/json, text/plain;q=0.5, */*;q=0.1", "application/json"),
            ("application/*", "application/json"),
            ("text/plain", "text/plain"),
            ("text/plain; charset=\"UTF-8\"", "text/plain"),
            ("text/*", "text/html"),
            ("text/*, text/html;q=0.3", "text/plain"),
            ("*/*, text/html;q=0", "application/json"),
            ("*/*;q=0.5, text/plain;q=0.6", "text/plain"),
            ("text/html;q=0.5, application/json;q=0.501", "application/json"),
            ("text/html;q=0, application/json;q=0, text/plain;q=0.001", "text/plain"),
            ("text/html;level=1;q=0.9, text/plain;q=0.1", "text/plain"),
            ("image/png", "text/html"),
            ("application/json;q=2, text", "text/html"),
            (", ,application/json,", "application/json"),
        ] {
            assert_eq!(FORMS[best(&[field])].0, form, "{field}");
        }
        assert_eq!(FORMS[best(&["text/html;q=0.1", "text/plain"])].0, "text/plain", "two fields are one list");
    }
}
