//! What a client wrote, as text that is harmless wherever a log is read: no control character of any kind, nor one that
//! turns the direction of writing, and no quote that would end a field.
//!
//! Pattern: Adapter (of `Display`).

use std::fmt::{self, Write};

/// As Rust writes it: `\u{9b}`, `\"`.
pub(super) struct Text<'a>(pub(super) &'a str);

/// As Apache writes it: all but printable ASCII is `\xhh`, byte by byte.
pub(super) struct Quoted<'a>(pub(super) &'a str);

/// As RFC 8259 section 7 has it, with `\uhhhh` for all that is not printable, and not only for what it must be used for.
pub(super) struct Json<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_debug().fmt(f)
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'"' | b'\\' => write!(f, "\\{}", char::from(byte)),
            b' '..=b'~' => f.write_char(byte.into()),
            _ => write!(f, "\\x{byte:02x}"),
        })
    }
}

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '"' | '\\' => write!(f, "\\{character}"),
            // `escape_debug` leaves alone what is printable, and quotes; none but this is left to see to.
            '\'' => f.write_char(character),
            _ if character.escape_debug().len() == 1 => f.write_char(character),
            _ => character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(f, "\\u{unit:04x}")),
        })
    }
}
