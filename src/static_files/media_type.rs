//! What kind of file it is, by its extension alone: the system's own tables are not asked, since they differ.

use std::path::Path;

use http::HeaderValue;

use crate::coding;

/// The media type for `Content-Type`. Text is said to be UTF-8, or browsers would guess.
pub(super) fn of(path: &Path) -> HeaderValue {
    let Some(guess) = mime_guess::from_path(path).first_raw() else {
        return HeaderValue::from_static("application/octet-stream");
    };
    // RFC 9239 made it the one name for scripts.
    let guess = if guess == "application/javascript" { "text/javascript" } else { guess };
    // XML says its encoding itself, and a charset here would overrule it.
    let is_text = guess.starts_with("text/") && guess != "text/xml";
    if !is_text {
        return HeaderValue::from_static(guess);
    }
    HeaderValue::try_from(format!("{guess}; charset=utf-8")).unwrap_or(HeaderValue::from_static(guess))
}

/// Whether a file of this kind gets smaller by compression.
pub(super) fn is_compressible(path: &Path) -> bool {
    mime_guess::from_path(path).first_raw().is_some_and(coding::gains)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_a_charset_and_the_rest_has_none() {
        for (name, media_type) in [
            ("a.html", "text/html; charset=utf-8"),
            ("a.TXT", "text/plain; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.png", "image/png"),
            ("a.svg", "image/svg+xml"),
            ("a.wasm", "application/wasm"),
            ("a.tar.gz", "application/gzip"),
            ("README", "application/octet-stream"),
            ("a.unheard-of", "application/octet-stream"),
        ] {
            assert_eq!(of(Path::new(name)), media_type, "{name}");
        }
    }
}
