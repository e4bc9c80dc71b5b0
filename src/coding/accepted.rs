//! Which content codings a client takes (RFC 9110 section 12.5.3).

use super::Coding;
use crate::message::{Request, is_named};

/// The codings that a client takes and likes at least as much as the plain form, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Wanted {
    order: [Option<Coding>; 3],
}

/// A quality value in thousandths (RFC 9110 section 12.4.2).
pub(crate) type Quality = u16;

/// What a client says of the codings, as far as we have read it.
#[derive(Default)]
struct Stated {
    /// In the order of [`Coding::ALL`].
    named: [Option<Quality>; Coding::ALL.len()],
    identity: Option<Quality>,
    others: Option<Quality>,
}

impl Wanted {
    /// What is wanted for this request. Nothing beside a Range, whose numbers mean the plain content to everyone who
    /// writes one.
    pub(crate) fn of(request: &Request) -> Self {
        let (mut stated, mut has_range) = (Stated::default(), false);
        request.for_each_header(|name, value| {
            if is_named(name, b"Accept-Encoding") {
                stated.add(value);
            } else if is_named(name, b"Range") {
                has_range = true;
            }
        });
        if has_range { Self::default() } else { stated.wanted() }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Coding> {
        self.order.into_iter().flatten()
    }

    pub(crate) fn is_nothing(self) -> bool {
        self.order[0].is_none()
    }
}

impl Stated {
    /// One field; several are one list (RFC 9110 section 5.3).
    fn add(&mut self, field: &[u8]) {
        for (name, quality) in field.split(|byte| *byte == b',').filter_map(element) {
            if name == b"*" {
                self.others = Some(quality);
            } else if name.eq_ignore_ascii_case(b"identity") {
                self.identity = Some(quality);
            } else if let Some(index) = Coding::ALL.iter().position(|coding| coding.is_named(name)) {
                self.named[index] = Some(quality);
            }
        }
    }

    fn wanted(&self) -> Wanted {
        let quality = |coding: Coding| self.named[coding as usize].or(self.others).unwrap_or(0);
        let is_liked = |coding: &Coding| quality(*coding) > 0 && quality(*coding) >= self.identity.unwrap_or(0);
        let mut order = Coding::ALL.map(|coding| Some(coding).filter(is_liked));
        order.sort_by_key(|liked| std::cmp::Reverse(liked.map_or(0, quality)));
        Wanted { order }
    }
}

/// `gzip;q=0.5`; `None` for what is no such thing.
fn element(text: &[u8]) -> Option<(&[u8], Quality)> {
    let (name, quality) = match split_at_byte(text, b';') {
        None => (text, 1000),
        Some((name, weight)) => {
            let (q, value) = split_at_byte(weight, b'=')?;
            if !q.trim_ascii().eq_ignore_ascii_case(b"q") {
                return None;
            }
            (name, quality(value.trim_ascii())?)
        }
    };
    let name = name.trim_ascii();
    (!name.is_empty()).then_some((name, quality))
}

/// What stands before the first such byte and what behind it.
fn split_at_byte(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == separator)?;
    Some((&text[..at], &text[at + 1..]))
}

/// `0`, `0.8` or `1.000`, but no more digits.
pub(crate) fn quality(text: &[u8]) -> Option<Quality> {
    let (whole, fraction) = match text {
        [whole] => (whole, &[][..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |place: usize| fraction.get(place).map_or(0, |digit| Quality::from(digit - b'0'));
    let thousandths = 100 * digit(0) + 10 * digit(1) + digit(2);
    match whole {
        b'0' => Some(thousandths),
        b'1' if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(field: &str) -> String {
        let mut stated = Stated::default();
        stated.add(field.as_bytes());
        stated.wanted().iter().map(Coding::token).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_best_that_the_client_takes_comes_first() {
        for (field, order) in [
            ("gzip", "gzip"),
            ("GZip", "gzip"),
            ("x-gzip", "gzip"),
            ("gzip, deflate, br, zstd", "br zstd gzip"),
            ("gzip;q=1.0, br;q=0.8", "gzip br"),
            ("br;q=0.5,zstd;q=0.9,gzip;q=0.7", "zstd gzip br"),
            ("*", "br zstd gzip"),
            ("br;q=0, *", "zstd gzip"),
            ("gzip;q=0.01 , br ; Q = 0.009,zstd;q=0.1", "zstd gzip br"),
            ("gzip;q=1., identity;q=0.5, br;q=0.5", "gzip br"),
        ] {
            assert_eq!(wanted(field), order, "{field}");
        }
    }

    #[test]
    fn what_is_refused_or_liked_less_than_the_plain_file_is_not_served() {
        for field in [
            "",
            "identity",
            "x-zip, frob",
            "gzip;q=0",
            "gzip;q=0.000, identity",
            "identity, *;q=0",
            "xgzip",
            "gzip;q=0.4, identity;q=0.5",
            "gzip;q=a, ;, =, br;q=2",
            "br;q=0.1234",
            "br;q=0.+1, gzip;q=00, zstd;q=.5",
            "br;q=, gzip;, zstd;q",
            "br;q=1;q=1",
            "gz\u{ef}p",
            "gzip;p=1",
        ] {
            assert_eq!(wanted(field), "", "{field}");
        }
    }
}
