//! Content codings (RFC 9110 section 8.4): the same thing in fewer bytes, for those who can read it.
//!
//! * [`Coding`]: the three that we can make, and their names.
//! * [`Wanted`]: which of them a client takes, best first.
//! * [`compress()`], [`Encoder`], [`Coded`]: bytes to fewer bytes, as a whole, piece by piece, or as they are read.
//! * [`gains`]: whether a kind of content gets smaller at all.
//!
//! Files and lists of folders (`static_files`) and the answers of handlers (`decorators`) are coded by the same rules.
//!
//! Pattern: Strategy (chosen by the client).

mod accepted;
mod coded;
#[cfg(feature = "compress")]
mod compress;
#[cfg(not(feature = "compress"))]
#[path = "no_compress.rs"]
mod compress;

use http::HeaderValue;

pub(crate) use self::accepted::{Quality, Wanted, quality};
pub(crate) use self::coded::{Coded, Pieces};
pub(crate) use self::compress::{Encoder, compress};

/// Shorter bodies fit into a packet or two as they are.
pub(crate) const MIN_BYTES: u64 = 1024;

/// Up to so many bytes are coded at once: about a millisecond.
pub(crate) const AT_ONCE_BYTES: usize = 32 * 1024;

/// A content coding that we can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    Brotli,
    Zstd,
    Gzip,
}

impl Coding {
    /// The smallest first, which is our order where the client has none.
    pub(crate) const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    pub(crate) fn field_value(self) -> HeaderValue {
        HeaderValue::from_static(self.token())
    }

    /// RFC 9110 §8.4.1: names are compared in any case, and `x-gzip` is `gzip`.
    fn is_named(self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.token().as_bytes())
            || (self == Self::Gzip && name.eq_ignore_ascii_case(b"x-gzip"))
    }
}

/// Whether content of this media type gets smaller by compression: text, and the binary kinds that were not compressed
/// already. Parameters such as `; charset=utf-8` do not matter.
pub(crate) fn gains(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let (kind, subtype) = essence.split_once('/').unwrap_or_default();
    let ends_with = |suffix: &str| {
        let at = subtype.len().wrapping_sub(suffix.len());
        subtype.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    kind.eq_ignore_ascii_case("text")
        || ends_with("+xml")
        || ends_with("+json")
        || OTHERS_THAT_GAIN.iter().any(|known| known.eq_ignore_ascii_case(essence))
}

/// Neither text nor compressed.
const OTHERS_THAT_GAIN: [&str; 10] = [
    "application/javascript",
    "application/json",
    "application/xml",
    "application/wasm",
    "font/ttf",
    "font/otf",
    "image/bmp",
    "image/x-icon",
    "application/rtf",
    "application/vnd.ms-fontobject",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_gains_and_what_is_compressed_does_not() {
        for media_type in ["text/html", "Text/HTML; charset=utf-8", "image/svg+xml", "application/problem+json ;a=b"] {
            assert!(gains(media_type), "{media_type}");
        }
        for media_type in ["", ";", "image/png", "application/zip", "application/octet-stream", "font/woff2"] {
            assert!(!gains(media_type), "{media_type}");
        }
    }
}
