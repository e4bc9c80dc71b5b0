//! What kind of content a client sends, and what kinds it takes.

use super::Request;

impl Request {
    /// Whether the client takes content of that media type (RFC 9110 section 12.5.1). Without an `Accept`, it takes all.
    ///
    /// ```
    /// use qibu::{Request, Response, testing::TestClient};
    ///
    /// let client = TestClient::new(|request: &mut Request| match request.accepts("text/html") {
    ///     true => Response::html("<h1>hello</h1>"),
    ///     false => Response::text("hello"),
    /// });
    /// assert_eq!(client.get("/").header("accept", "text/html, */*;q=0.1").send().text(), "<h1>hello</h1>");
    /// assert_eq!(client.get("/").header("accept", "text/*, text/html;q=0").send().text(), "hello");
    /// ```
    pub fn accepts(&self, media_type: &str) -> bool {
        let mut fields = self.header_values("accept").peekable();
        if fields.peek().is_none() {
            return true;
        }
        let ranges = fields.flat_map(|field| field.split(|byte| *byte == b','));
        let matching = ranges.filter_map(|range| {
            let range = std::str::from_utf8(range).ok()?;
            Some((precision(range, media_type)?, Weight::of(range)))
        });
        // The most precise range decides: `text/*, text/html;q=0` is no HTML.
        matching.max_by_key(|(precision, _)| *precision).is_some_and(|(_, weight)| weight == Weight::Some)
    }

    /// Whether the client names HTML, as browsers do where a page is to be looked at. Who takes anything, as curl and the scripts
    /// of pages do, does not name it.
    pub(crate) fn names_html(&self) -> bool {
        self.header_bytes("accept").is_some_and(names_html) // browsers send one field
    }

    /// The media type that the client says its body has, without parameters and in lower case; empty where it says none.
    pub fn media_type(&self) -> String {
        essence(self.header("content-type").unwrap_or_default()).to_ascii_lowercase()
    }
}

fn names_html(accept: &[u8]) -> bool {
    accept
        .split(|byte| *byte == b',')
        .filter_map(|range| std::str::from_utf8(range).ok())
        .any(|range| essence(range).eq_ignore_ascii_case("text/html") && Weight::of(range) == Weight::Some)
}

#[derive(PartialEq)]
enum Weight {
    None,
    Some,
}

impl Weight {
    /// RFC 9110 §12.4.2: a weight of 0 means "not at all"; without one it is 1.
    fn of(range: &str) -> Self {
        let weight = range.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
        });
        match weight {
            Some(weight) if weight.starts_with('0') && weight.bytes().all(|byte| b"0.".contains(&byte)) => Self::None,
            _ => Self::Some,
        }
    }
}

/// How precisely a range such as `text/*` names the media type; `None` if it does not.
fn precision(range: &str, media_type: &str) -> Option<u8> {
    let range = essence(range);
    let (range_type, range_subtype) = range.split_once('/')?;
    let (own_type, own_subtype) = media_type.split_once('/')?;
    if range == "*/*" {
        Some(0)
    } else if !range_type.eq_ignore_ascii_case(own_type) {
        None
    } else if range_subtype == "*" {
        Some(1)
    } else {
        range_subtype.eq_ignore_ascii_case(own_subtype).then_some(2)
    }
}

/// Without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}
