//! Which content codings a client takes (RFC 9110 section 12.5.3).

use super::Coding;
use crate::message::Request;

/// The codings that a client takes and likes at least as much as the plain form, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Wanted {
    order: [Option<Coding>; 3],
}

/// A quality value in thousandths (RFC 9110 section 12.4.2).
pub(crate) type Quality = u16;

impl Wanted {
    /// What is wanted for this request. Nothing beside a Range, whose numbers mean the plain content to everyone who
    /// writes one.
    pub(crate) fn of(request: &Request) -> Self {
        let is_plain = request.header_bytes("accept-encoding").is_none() || request.header_bytes("range").is_some();
        if is_plain {
            return Self::default();
        }
        let fields = request.header_values("accept-encoding").filter_map(|value| std::str::from_utf8(value).ok());
        Self::parse(fields)
    }

    fn parse<'a>(fields: impl Iterator<Item = &'a str>) -> Self {
        let mut named = [None; Coding::ALL.len()];
        let (mut identity, mut others) = (None, None);
        for (name, quality) in fields.flat_map(|field| field.split(',')).filter_map(element) {
            match name {
                "*" => others = Some(quality),
                _ if name.eq_ignore_ascii_case("identity") => identity = Some(quality),
                _ => {
                    if let Some(index) = Coding::ALL.iter().position(|coding| coding.is_named(name)) {
                        named[index] = Some(quality);
                    }
                }
            }
        }
        let quality = |index: usize| named[index].or(others).unwrap_or(0);
        let mut indices: Vec<usize> = (0..Coding::ALL.len())
            .filter(|&index| quality(index) > 0 && quality(index) >= identity.unwrap_or(0))
            .collect();
        indices.sort_by_key(|&index| std::cmp::Reverse(quality(index)));
        let mut wanted = Self::default();
        for (place, index) in wanted.order.iter_mut().zip(indices) {
            *place = Some(Coding::ALL[index]);
        }
        wanted
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Coding> {
        self.order.into_iter().flatten()
    }

    pub(crate) fn is_nothing(self) -> bool {
        self.order[0].is_none()
    }
}

/// `gzip;q=0.5`; `None` for what is no such thing.
fn element(text: &str) -> Option<(&str, Quality)> {
    let (name, weight) = text.split_once(';').unwrap_or((text, "q=1"));
    let (q, value) = weight.trim().split_once('=')?;
    let name = name.trim();
    (!name.is_empty() && q.trim().eq_ignore_ascii_case("q")).then_some((name, quality(value.trim())?))
}

/// `0`, `0.8` or `1.000`, but no more digits.
pub(crate) fn quality(text: &str) -> Option<Quality> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: Quality = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(field: &str) -> String {
        Wanted::parse(std::iter::once(field)).iter().map(Coding::token).collect::<Vec<_>>().join(" ")
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
            "gzip;p=1",
        ] {
            assert_eq!(wanted(field), "", "{field}");
        }
    }
}
