//! What is said of an answer that is nothing but its status: a line of text for programs, a page for browsers.
//!
//! Who names HTML in `Accept`, as a browser does where something is to be looked at, gets the page: it fits the screen, says
//! in a sentence what is the matter, and leads somewhere. It is made of nothing that a client sent, loads nothing and runs
//! nothing. Everybody else gets the text, `404 Not Found`.

use std::sync::{LazyLock, OnceLock};

use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};

use super::fields::{Fields, SharedFields};
use super::response::OF_TEXT;
use super::{Body, Request, Response};

/// The link to the icon in a page of our own: a browser that finds none asks for `/favicon.ico`. It is the seven of our name,
/// drawn, since not every system has the letter. A policy must permit `img-src data:`.
pub(crate) const ICON: &str = "data:image/svg+xml,\
    %3Csvg xmlns='http:%2F%2Fwww.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
    %3Cpath d='M3 15.5 29 11M13 3v21q0 4 4 4h11v-6' fill='none' stroke='%233b78c2' stroke-width='4'/%3E%3C/svg%3E";

const STYLE: &str = include_str!("status_page.css");

/// Nothing is loaded but the icon, and no style counts but ours, by its digest.
const POLICY: &str = "default-src 'none'; img-src data:; \
    style-src 'sha256-rWGYzVWEXIkPzarQowj44yi9nJ2fU0X1se+PPVgadEk='; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The fields of the text where there is a page, too (RFC 9110 section 12.5.5),
static OF_CHOSEN_TEXT: LazyLock<SharedFields> = LazyLock::new(|| {
    SharedFields::of([(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")), (VARY, CHOSEN_BY)])
});
/// and of the page.
static OF_PAGE: LazyLock<SharedFields> = LazyLock::new(|| {
    SharedFields::of([
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (VARY, CHOSEN_BY),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ])
});

const CHOSEN_BY: HeaderValue = HeaderValue::from_static("accept");

impl Response {
    /// The status and its name as text, as in `404 Not Found`.
    pub fn status_page(status: StatusCode) -> Self {
        if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Self::new(status); // RFC 9110 §15: these have no content
        }
        Self::of(status, Fields::Fixed(&OF_TEXT), text(status))
    }

    /// The same for who asked: a browser that would show it gets a page. Of a status that is an error.
    pub(crate) fn status_page_for(request: &Request, status: StatusCode) -> Self {
        match request.names_html() {
            true => Self::of(status, Fields::Fixed(&OF_PAGE), page(status, &Explanation::of(status)).into()),
            false => Self::of(status, Fields::Fixed(&OF_CHOSEN_TEXT), text(status)),
        }
    }

    /// The same with a sentence of its own, such as "this server does not answer for this host".
    pub(crate) fn explained_to(request: &Request, status: StatusCode, sentence: &str) -> Self {
        if request.names_html() {
            let explanation = Explanation { sentence: &escaped(sentence), link: Link::None };
            Self::of(status, Fields::Fixed(&OF_PAGE), page(status, &explanation).into())
        } else {
            Self::of(status, Fields::Fixed(&OF_CHOSEN_TEXT), format!("{}: {sentence}\n", name(status)).into())
        }
    }
}

/// The text of a status. Those that refuse, 400 to 599, are sent often, so each of them is made once.
fn text(status: StatusCode) -> Body {
    static REFUSALS: [OnceLock<String>; 200] = [const { OnceLock::new() }; 200];
    let make = || name(status) + "\n";
    match usize::from(status.as_u16()).checked_sub(400).and_then(|index| REFUSALS.get(index)) {
        Some(text) => text.get_or_init(make).as_str().into(),
        None => make().into(),
    }
}

/// As in `404 Not Found`.
fn name(status: StatusCode) -> String {
    format!("{} {}", status.as_str(), status.canonical_reason().unwrap_or(""))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn page(status: StatusCode, explanation: &Explanation<'_>) -> String {
    let name = name(status);
    let mut sentence = explanation.sentence.to_owned();
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let link = match explanation.link {
        Link::Top => "<p><a href=\"/\">Go to the front page</a></p>",
        Link::Again => "<p><a href=\"\">Try again</a></p>",
        Link::None => "",
    };
    format!(
        "<!DOCTYPE html>\n\
         <html lang=\"en\">\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name}</title>\n\
         <link rel=\"icon\" href=\"{ICON}\">\n\
         <style>{STYLE}</style>\n\
         </head>\n\
         <body>\n\
         <main>\n\
         <h1>{name}</h1>\n\
         <p>{sentence}.</p>\n\
         {link}\n\
         </main>\n\
         </body>\n\
         </html>\n"
    )
}

/// What a person can make of a status.
struct Explanation<'a> {
    /// HTML that begins in lower case and has no full stop.
    sentence: &'a str,
    link: Link,
}

/// Where to go from here.
enum Link {
    Top,
    /// What is wrong may be over in a moment.
    Again,
    None,
}

impl Explanation<'static> {
    fn of(status: StatusCode) -> Self {
        let (sentence, link) = match status {
            StatusCode::BAD_REQUEST => ("this address cannot be read", Link::Top),
            StatusCode::FORBIDDEN => ("the server may not read what is at this address", Link::Top),
            StatusCode::NOT_FOUND => ("there is nothing at this address", Link::Top),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                ("what is at this address can be looked at, but nothing can be sent to it", Link::Top)
            }
            StatusCode::SERVICE_UNAVAILABLE => ("the server has too much to do at the moment", Link::Again),
            _ if status.is_server_error() => ("something has gone wrong in the server; its log says what", Link::Again),
            _ => ("the server does not answer this request", Link::None),
        };
        Self { sentence, link }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever changes the style gets the new digest from here.
    #[test]
    fn the_policy_knows_the_style() {
        use sha2::Digest;
        let digest = data_encoding::BASE64.encode(&sha2::Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("style-src 'sha256-{digest}';")), "status_page.css: {digest}");
    }
}
