//! A listing as JSON (RFC 8259): an array of objects.
//!
//! ```json
//! [{"name":"a b.txt","type":"file","size":3,"modified":"1994-11-06T08:49:37Z","url":"./a%20b.txt"},
//!  {"name":"sub","type":"folder","modified":"1994-11-06T08:49:37Z","url":"./sub/"}]
//! ```
//!
//! `name` is to be read: bytes that are no UTF-8 are U+FFFD in it. `url` is to be followed, relative to the folder, and has
//! every byte of the name, percent-encoded. `modified` is null for a year that RFC 3339 cannot say.
//!
//! Pattern: Strategy (a [`Form`]).

use std::fmt::{self, Display, Write};
use std::ops::Range;

use super::super::beneath::Kind;
use super::entries::Entry;
use super::figures::Moment;
use super::names::Link;
use super::row::end_of;
use super::{Form, Frame, Listing};

pub(super) struct Json;

impl Form for Json {
    fn media_type(&self) -> &'static str {
        "application/json"
    }

    fn frame(&self, _: &Listing) -> Frame {
        Frame { head: "[".into(), foot: "]\n".into() }
    }

    fn rows(&self, listing: &Listing, range: Range<usize>) -> String {
        let (mut objects, start) = (String::new(), range.start);
        for (place, entry) in listing.entries.range(range).enumerate() {
            let separator = if start + place == 0 { "" } else { ",\n" };
            let _ = write!(objects, "{separator}{}", Object(entry)); // a String takes everything
        }
        objects
    }
}

struct Object<'a>(Entry<'a>);

impl Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { name, kind, size, modified } = self.0;
        write!(f, "{{\"name\":{}", Text(&String::from_utf8_lossy(name)))?;
        match kind {
            Kind::Folder => f.write_str(",\"type\":\"folder\"")?,
            Kind::File => write!(f, ",\"type\":\"file\",\"size\":{size}")?,
        }
        match Moment::new(modified).to_rfc3339() {
            Some(moment) => write!(f, ",\"modified\":\"{moment}\"")?,
            None => f.write_str(",\"modified\":null")?,
        }
        write!(f, ",\"url\":\"{}\"}}", Link { name, end: end_of(kind) })
    }
}

/// A string with its quotes. RFC 8259 §7: quotes, backslashes and control characters are escaped.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        self.0.chars().try_for_each(|character| match character {
            '"' | '\\' => write!(f, "\\{character}"),
            _ if character.is_control() => write!(f, "\\u{:04x}", u32::from(character)),
            _ => f.write_char(character),
        })?;
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_valid_whatever_the_name() {
        let entry = Entry { name: b"a\"\\\n\x1b\xff.txt", kind: Kind::File, size: 3, modified: 784_111_777 };
        assert_eq!(
            Object(entry).to_string(),
            "{\"name\":\"a\\\"\\\\\\u000a\\u001b\u{fffd}.txt\",\"type\":\"file\",\"size\":3,\
             \"modified\":\"1994-11-06T08:49:37Z\",\"url\":\"./a%22%5C%0A%1B%FF.txt\"}"
        );
        let entry = Entry { name: b"sub", kind: Kind::Folder, size: 4096, modified: i64::MAX };
        assert_eq!(Object(entry).to_string(), r#"{"name":"sub","type":"folder","modified":null,"url":"./sub/"}"#);
    }
}
