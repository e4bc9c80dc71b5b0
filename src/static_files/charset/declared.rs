//! The charset that a text says of itself. HTML is scanned as the HTML standard says (13.2.3.2, "prescan a byte stream to
//! determine its encoding"), so that we and the browser find the same; CSS as css-syntax-3 says (section 3.2).

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

use super::super::media_type::Text;
use super::Charset;

/// Both standards look no further, in bytes.
const SCANNED_BYTES: usize = 1024;

/// What the text says, if it is of a kind that can say it and names a charset that there is.
pub(super) fn charset(text: &[u8], kind: Text) -> Option<Charset> {
    let text = &text[..text.len().min(SCANNED_BYTES)];
    let Charset(encoding) = match kind {
        Text::Html => Scan { rest: text }.meta()?,
        Text::Css => named(until(text.strip_prefix(b"@charset \"")?, b'"')?)?,
        Text::Other => return None,
    };
    Some(Charset(match encoding {
        // It was read as ASCII, so this cannot be.
        _ if encoding == UTF_16LE || encoding == UTF_16BE => UTF_8,
        _ if encoding == X_USER_DEFINED => WINDOWS_1252,
        _ => encoding,
    }))
}

fn named(label: &[u8]) -> Option<Charset> {
    Charset::named(std::str::from_utf8(label).ok()?)
}

fn until(text: &[u8], end: u8) -> Option<&[u8]> {
    text.iter().position(|byte| *byte == end).map(|end| &text[..end])
}

/// The part of an HTML text that is still to be scanned.
struct Scan<'a> {
    rest: &'a [u8],
}

/// Name in lower case, and value.
type Attribute<'a> = (Vec<u8>, &'a [u8]);

impl<'a> Scan<'a> {
    /// The charset of the first `<meta>` that names one.
    fn meta(&mut self) -> Option<Charset> {
        while let Some(&first) = self.rest.first() {
            if self.rest.starts_with(b"<!--") {
                // The dashes of `<!-->` count twice.
                self.rest = &self.rest[2..];
                self.skip_past(b"-->");
            } else if self.is_tag(b"<meta") {
                self.rest = &self.rest[b"<meta".len()..];
                if let Some(charset) = self.meta_attributes() {
                    return Some(charset);
                }
            } else if self.is_some_tag() {
                self.skip_while(|byte| !is_space(byte) && byte != b'>');
                while self.attribute().is_some() {}
            } else if first == b'<' && matches!(self.rest.get(1), Some(b'!' | b'/' | b'?')) {
                self.skip_past(b">");
            } else {
                self.rest = &self.rest[1..];
            }
        }
        None
    }

    /// `<meta charset="X">`, or `<meta http-equiv="Content-Type" content="text/html; charset=X">`.
    fn meta_attributes(&mut self) -> Option<Charset> {
        let (mut seen, mut is_pragma) = (Vec::new(), false);
        let (mut of_charset, mut of_content) = (None, None);
        while let Some((name, value)) = self.attribute() {
            match &*name {
                _ if seen.contains(&name) => {}
                b"http-equiv" => is_pragma = value.eq_ignore_ascii_case(b"content-type"),
                b"content" => of_content = in_content(value),
                b"charset" => of_charset = Some(value),
                _ => {}
            }
            seen.push(name);
        }
        match of_charset {
            Some(label) => named(label),
            None => of_content.filter(|_| is_pragma),
        }
    }

    /// The next attribute of a tag; `None` at the tag's end, which is left behind.
    fn attribute(&mut self) -> Option<Attribute<'a>> {
        self.skip_while(|byte| is_space(byte) || byte == b'/');
        if matches!(self.rest.first(), None | Some(b'>')) {
            return None;
        }
        // A name may begin with `=`, and end with white space before it.
        let is_end = |byte| is_space(byte) || matches!(byte, b'/' | b'>' | b'=');
        let length = 1 + self.rest[1..].iter().take_while(|byte| !is_end(**byte)).count();
        let name = self.take(length).to_ascii_lowercase();
        self.skip_while(is_space);
        if self.rest.first() != Some(&b'=') {
            return Some((name, &[]));
        }
        self.take(1);
        self.skip_while(is_space);
        let value = match self.rest.first().copied() {
            Some(quote @ (b'"' | b'\'')) => {
                self.take(1);
                let value = until(self.rest, quote).map(|value| self.take(value.len()));
                let Some(value) = value else {
                    self.rest = &[];
                    return None;
                };
                self.take(1);
                value
            }
            _ => self.take(self.rest.iter().take_while(|byte| !is_space(**byte) && **byte != b'>').count()),
        };
        Some((name, value))
    }

    /// Whether this tag begins here, in any case.
    fn is_tag(&self, tag: &[u8]) -> bool {
        let name = self.rest.get(..tag.len()).is_some_and(|name| name.eq_ignore_ascii_case(tag));
        name && self.rest.get(tag.len()).is_some_and(|byte| is_space(*byte) || *byte == b'/')
    }

    fn is_some_tag(&self) -> bool {
        let name = self.rest.strip_prefix(b"</").or_else(|| self.rest.strip_prefix(b"<"));
        name.is_some_and(|name| name.first().is_some_and(u8::is_ascii_alphabetic))
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn skip_while(&mut self, is_skipped: impl Fn(u8) -> bool) {
        let count = self.rest.iter().take_while(|byte| is_skipped(**byte)).count();
        self.take(count);
    }

    /// All up to these bytes and themselves; all that there is where they do not come.
    fn skip_past(&mut self, end: &[u8]) {
        let place = self.rest.windows(end.len()).position(|window| window == end);
        self.rest = place.map_or(&[], |place| &self.rest[place + end.len()..]);
    }
}

/// The standard's "extracting a character encoding from a meta element".
fn in_content(mut content: &[u8]) -> Option<Charset> {
    const WORD: &[u8] = b"charset";
    loop {
        let place = content.windows(WORD.len()).position(|window| window.eq_ignore_ascii_case(WORD))?;
        content = content[place + WORD.len()..].trim_ascii_start();
        if let Some(value) = content.strip_prefix(b"=") {
            content = value.trim_ascii_start();
            break;
        }
    }
    match content.split_first()? {
        (quote @ (b'"' | b'\''), rest) => named(until(rest, *quote)?),
        _ => named(content.split(|byte| is_space(*byte) || *byte == b';').next()?),
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0C | b'\r' | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        charset(text.as_bytes(), Text::Html).map_or_else(String::new, Charset::name)
    }

    #[test]
    fn a_meta_element_names_the_charset_in_all_its_spellings() {
        for text in [
            "<meta charset=gbk>",
            "<!doctype html><html lang='zh'><META CharSet = \"GBK\" />",
            "<meta\ncharset='gb2312'>",
            "<meta/charset=gbk />",
            "<meta name=x charset=gbk charset=big5>",
            "<meta http-equiv=Content-Type content='text/html; charset=gbk'>",
            "<meta content=\"text/html;CHARSET = 'gbk'\" http-equiv='content-type'>",
            "<meta http-equiv=content-type content='charset charset=gbk;x'>",
            "<!-- <meta charset=big5> --><meta charset=gbk>",
            "<!--><meta charset=gbk>",
            "<?xml version='1.0'?><title a='<meta charset=big5>'>x</title><meta charset=gbk>",
            "<meta name=a content=b><meta charset=nonsense><meta charset=gbk>",
            "1 < 2 <3 </ ><meta charset=gbk>",
        ] {
            assert_eq!(html(text), "gbk", "{text}");
        }
    }

    #[test]
    fn what_names_no_charset_says_nothing() {
        for text in [
            "",
            "<",
            "<meta",
            "<meta charset",
            "<meta charset='gbk",
            "<metacharset=gbk>",
            "<!-- <meta charset=gbk>",
            "<p title='<meta charset=gbk>'>",
            "<meta content='text/html; charset=gbk'>",
            "<meta http-equiv=refresh content='text/html; charset=gbk'>",
            "<meta http-equiv=content-type content='text/html; charset=\"gbk'>",
            "<meta charset=hz-gb-2312>",
        ] {
            assert_eq!(html(text), "", "{text}");
        }
        assert_eq!(html(&format!("{}<meta charset=gbk>", " ".repeat(1024))), "", "too far down");
    }

    #[test]
    fn any_bytes_are_scanned_to_an_end() {
        let parts: [&[u8]; 16] = [
            b"<",
            b">",
            b"/",
            b"!",
            b"--",
            b"=",
            b"\"",
            b"'",
            b" ",
            b"<meta ",
            b"charset",
            b"content",
            b"http-equiv",
            b"content-type",
            b"gbk",
            b"\xFF",
        ];
        for seed in 0..20_000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let text: Vec<u8> = (0..random.usize(..40)).flat_map(|_| parts[random.usize(..16)].to_vec()).collect();
            let _ = charset(&text, Text::Html);
        }
    }

    #[test]
    fn what_is_read_as_ascii_is_not_utf_16() {
        assert_eq!(html("<meta charset=utf-16>"), "utf-8");
        assert_eq!(html("<meta charset=utf-16be>"), "utf-8");
        assert_eq!(html("<meta charset=x-user-defined>"), "windows-1252");
    }

    #[test]
    fn a_style_sheet_names_it_in_one_way_only() {
        let css = |text: &str| charset(text.as_bytes(), Text::Css).map_or_else(String::new, Charset::name);
        assert_eq!(css("@charset \"shift_jis\";p{}"), "shift_jis");
        assert_eq!(css("@charset 'shift_jis';"), "");
        assert_eq!(css(" @charset \"shift_jis\";"), "");
        assert_eq!(css("@charset \"shift_jis"), "");
    }
}
