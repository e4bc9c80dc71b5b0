//! In which charset a text is written, so that `Content-Type` can say it and no reader has to guess. Who knows, is asked
//! in this order:
//!
//! 1. a **byte order mark** at its start;
//! 2. its bytes: what is valid **UTF-8** and more than ASCII is nothing else;
//! 3. the text itself: `<meta charset>` in HTML, `@charset` in a style sheet ([`declared`]);
//! 4. its bytes again: the charset in which they make the most likely words, by the detector that Firefox has.
//!
//! A small file is looked at whole, a large one in pieces from all over it, since many begin with a page of ASCII
//! ([`sample`]). What was found is remembered for that version of the file ([`Charsets`]).
//!
//! Pattern: Chain of Responsibility (the order above is [`detect`]).

mod declared;
mod known;
mod sample;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

pub(super) use self::known::Charsets;
use super::media_type::Text;

/// One of the charsets of the WHATWG Encoding Standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charset(&'static Encoding);

/// What the bytes of a text are, taken for UTF-8.
enum Utf8 {
    /// They say nothing: nearly all charsets write ASCII as ASCII.
    Ascii,
    Valid,
    Invalid {
        is_likely: bool,
    },
}

/// So many bytes are guessed from, which takes two milliseconds at most. More tell little more.
const GUESS_BYTES: usize = 8 * 1024;

/// They are taken from so many places.
const MOST_EXCERPTS: usize = 8;

/// A log may hold some bytes of garbage: text with at least so many characters for each fault is UTF-8 all the same.
const CHARACTERS_FOR_A_FAULT: usize = 20;

impl Charset {
    pub(super) const UTF_8: Self = Self(UTF_8);

    /// The charset that has this name, in any case, or this other name: `latin1` is windows-1252 for every browser.
    pub(super) fn named(label: &str) -> Option<Self> {
        Encoding::for_label_no_replacement(label.as_bytes()).map(Self)
    }

    /// As it stands in `Content-Type`.
    pub(super) fn name(self) -> String {
        self.0.name().to_ascii_lowercase()
    }
}

/// Any bytes as text; what is no character in their charset becomes U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> String {
    let Charset(encoding) = detect(&sample::of_bytes(bytes), Text::Other);
    encoding.decode(bytes).0.into_owned()
}

/// The charset of a text, of which there are some pieces, the first being its start.
fn detect(pieces: &[&[u8]], text: Text) -> Charset {
    detect_without_guess(pieces, text).unwrap_or_else(|| guess(pieces))
}

/// The same, where that takes no time to speak of.
fn detect_without_guess(pieces: &[&[u8]], text: Text) -> Option<Charset> {
    let start = pieces.first().copied().unwrap_or_default();
    if let Some((encoding, _)) = Encoding::for_bom(start) {
        return Some(Charset(encoding));
    }
    match look(pieces) {
        Utf8::Valid => Some(Charset::UTF_8),
        Utf8::Ascii => Some(declared::charset(start, text).unwrap_or(Charset::UTF_8)),
        Utf8::Invalid { is_likely } => declared::charset(start, text).or(is_likely.then_some(Charset::UTF_8)),
    }
}

fn look(pieces: &[&[u8]]) -> Utf8 {
    if pieces.iter().all(|piece| piece.is_ascii()) {
        return Utf8::Ascii;
    }
    if pieces.iter().all(|piece| std::str::from_utf8(piece).is_ok()) {
        return Utf8::Valid;
    }
    let (mut characters, mut faults) = (0, 0);
    for chunk in pieces.iter().flat_map(|piece| piece.utf8_chunks()) {
        characters += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        faults += usize::from(!chunk.invalid().is_empty());
    }
    Utf8::Invalid { is_likely: characters >= faults * CHARACTERS_FOR_A_FAULT }
}

fn guess(pieces: &[&[u8]]) -> Charset {
    // ISO-2022-JP hides markup from those who filter it, so Firefox does not guess it either.
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let telling: Vec<_> = pieces.iter().filter_map(|piece| sample::from_non_ascii(piece)).collect();
    let step = telling.len().div_ceil(MOST_EXCERPTS).max(1);
    let share = GUESS_BYTES / telling.len().div_ceil(step).max(1);
    let excerpts = telling.into_iter().step_by(step).enumerate().filter_map(|(index, piece)| match index {
        0 => Some(sample::excerpt(piece, share).unwrap_or_else(|| &piece[..share])),
        _ => sample::excerpt(piece, share),
    });
    // The first one comes last, since it may end within a character.
    for excerpt in excerpts.collect::<Vec<_>>().into_iter().rev() {
        detector.feed(excerpt, false);
    }
    Charset(detector.guess(None, Utf8Detection::Deny))
}

#[cfg(test)]
mod tests;
