//! Where in a document the script goes: in front of all that could swallow it, and behind all that must come first.
//!
//! A page that is saved while it is written may end anywhere: within a `<script>`, a comment, an attribute. Whatever follows
//! such an end is part of it, so the script goes to the beginning; behind the doctype, since a browser that finds it later
//! takes the page for one of the last century (quirks mode); and into the head, where its tag is written, since a script in
//! front of `<head>` would begin a head without the attributes of that one.
//!
//! ```text
//!  byte order mark · white space, comments · <!doctype> · white space, comments · <html> · white space, comments · <head> · …
//!  └─ here, or behind the last of the three tags that is there ──────────────────┘
//! ```
//!
//! This is how the HTML standard reads a document (sections 13.2.5 and 13.2.6.4.1 to 13.2.6.4.4), but for what it does with
//! errors that nobody makes.

/// A place in what has come of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Certain(usize),
    /// What comes next could be the next tag; if nothing does, this is the place.
    SoFar(usize),
}

const DOCTYPE: &[u8] = b"<!doctype";
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The tags in question, in the order in which they come; each is left out by some.
const TAGS: [&[u8]; 3] = [DOCTYPE, b"<html", b"<head"];

/// Finds the place in a document of which this much has come, in a charset that writes ASCII as ASCII.
pub(super) fn find(document: &[u8]) -> Place {
    let mut at = if document.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let (mut scanned, mut tags) = (at, &TAGS[..]);
    if document.len() < BYTE_ORDER_MARK.len() {
        return Place::SoFar(at);
    }
    loop {
        let rest = document[scanned..].trim_ascii_start(); // HTML's white space is ASCII's
        scanned = document.len() - rest.len();
        let length = if let Some(index) = tags.iter().position(|tag| begins(rest, tag)) {
            let length = if tags[index] == DOCTYPE { past(rest, b">") } else { tag_length(rest) };
            if let Some(length) = length {
                at = scanned + length;
                tags = &tags[index + 1..];
            }
            length
        } else if rest.starts_with(b"<!--") {
            comment_length(rest)
        } else if is_cut_off(rest) {
            None
        } else if rest.starts_with(b"<?") || rest.starts_with(b"<!") {
            past(rest, b">") // to browsers a comment, too: `<?xml …?>`
        } else {
            return Place::Certain(at);
        };
        match length {
            Some(_) if tags.is_empty() => return Place::Certain(at),
            Some(length) => scanned += length,
            None => return Place::SoFar(at),
        }
    }
}

/// Whether a tag of that name begins here, and not one whose name only begins so: `<header>`.
fn begins(text: &[u8], tag: &[u8]) -> bool {
    let (Some(start), Some(next)) = (text.get(..tag.len()), text.get(tag.len())) else { return false };
    start.eq_ignore_ascii_case(tag) && (tag == DOCTYPE || next.is_ascii_whitespace() || b"/>".contains(next))
}

/// Whether what comes next could make this one of the tags, or a comment.
fn is_cut_off(text: &[u8]) -> bool {
    let starts_like = |whole: &[u8]| whole.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text));
    TAGS.into_iter().any(starts_like) || starts_like(b"<!--")
}

/// The length up to the end of the first `end`, if that has come.
fn past(text: &[u8], end: &[u8]) -> Option<usize> {
    text.windows(end.len()).position(|window| window == end).map(|at| at + end.len())
}

/// `<!-->` and `<!--->` are whole comments, and `--!>` ends one, too.
fn comment_length(text: &[u8]) -> Option<usize> {
    const START: usize = b"<!--".len();
    let inner = &text[START..];
    let ends: [&[u8]; 2] = [b"-->", b"--!>"];
    let abrupt = [&b">"[..], b"->"].into_iter().find(|end| inner.starts_with(end)).map(<[u8]>::len);
    abrupt.or_else(|| ends.into_iter().filter_map(|end| past(inner, end)).min()).map(|length| START + length)
}

/// The length of a tag: a `>` within a quoted value is not its end.
fn tag_length(text: &[u8]) -> Option<usize> {
    let (mut quote, mut last) = (None, b'<');
    for (at, &byte) in text.iter().enumerate() {
        match quote {
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if byte == b'>' => return Some(at + 1),
            None if last == b'=' && b"\"'".contains(&byte) => quote = Some(byte),
            None => {}
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place is where the bar is, however much has come; at first it may be uncertain.
    fn assert_place(marked: &str, certain: bool) {
        let at = marked.find('|').expect("it is marked");
        let document = marked.replacen('|', "", 1);
        let (whole, bytes) = (find(document.as_bytes()), document.as_bytes());
        assert_eq!(whole, if certain { Place::Certain(at) } else { Place::SoFar(at) }, "{marked}");
        for length in 0..bytes.len() {
            match find(&bytes[..length]) {
                Place::Certain(early) => assert_eq!(early, at, "{marked} when {length} bytes have come"),
                Place::SoFar(early) => assert!(early <= at && early <= length, "{marked}"),
            }
        }
    }

    #[test]
    fn it_is_behind_the_tags_that_come_first() {
        for marked in [
            "|<p>fragment",
            "|plain text",
            "\u{FEFF}|<p>fragment",
            "<!doctype html>|<p>x",
            "<!DOCTYPE html>|\n<title>x</title>",
            "<!doctype html>\n<html>|\n<title>x",
            "<!doctype html><html lang=en><head>|<meta charset=utf-8>",
            "<!doctype html>\n<!-- a > b -->\n<HTML lang=\"a>b\" class = 'c>d' data-x=e\"f>\n<head >|\n<title>",
            "\u{FEFF} \n<!-- <!doctype html> --><!doctype html>|<p>",
            "<!--><!doctype html>|<p>text",
            "<!---><!doctype html>|<p>text",
            "<!----><!doctype html>|<p>text",
            "<!-- a --!><!doctype html>|<p>text",
            "<?xml version=\"1.0\"?>\n<!doctype html>|<body>text",
            "<html><head/>|<body>text",
            "<head>|<title>x",
            "<!doctype html><head>|<html>text",
            "<!doctype html><html>|<!doctype html><body>text",
            "<!doctype html>|<header>text",
            "<!doctype html>|<htmlx>text",
            "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">|<body>x",
            "|</p><!doctype html>",
            "|<!-- a --><p>text in quirks mode",
            "<!doctype html>|<!-- todo --><script>var a=1;",
            "<!doctype html>|<plaintext>",
        ] {
            assert_place(marked, true);
        }
    }

    #[test]
    fn a_document_that_ends_early_has_one_too() {
        for marked in [
            "|",
            "|<",
            "|<!doctype html",
            "<!doctype html>|",
            "<!doctype html>|<!-- todo",
            "<!doctype html>|\n<html lang=\"en>\n<head>",
            "<!doctype html>|<ht",
            "<!doctype html><html>|<head",
            "\u{FEFF}|",
        ] {
            assert_place(marked, false);
        }
    }
}
