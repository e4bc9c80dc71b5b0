//! Message framing (RFC 9112 section 6): where a request's body ends.
//!
//! A [`Decoder`] is given what has arrived and says which part of it is body. It keeps no bytes but the trailer section.
//!
//! ```text
//!  Size ──► (Extension) ──► SizeLf ──► Data ──► DataCr ──► DataLf ──► Size …
//!                             └─ size 0 ─► Trailer ──► Done
//! ```
//!
//! Pattern: State.

use http::HeaderMap;

use super::extension::Extension;
use super::head;
use crate::message::ProtocolError;

/// How the end of a body is known (RFC 9112 section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    Nothing,
    Length(u64),
    Chunked,
}

impl Framing {
    /// Whether it has any bytes.
    pub(super) fn has_body(self) -> bool {
        !matches!(self, Self::Nothing | Self::Length(0))
    }
}

/// Finds the body in what arrives.
#[derive(Debug)]
pub(super) enum Decoder {
    Length { left: u64 },
    Chunked(ChunkDecoder),
}

/// What a decoder made of some input.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step<'a> {
    /// How much of the input it has used.
    pub(super) used: usize,
    /// What of that is body.
    pub(super) data: &'a [u8],
}

impl Decoder {
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Nothing => Self::Length { left: 0 },
            Framing::Length(left) => Self::Length { left },
            Framing::Chunked => Self::Chunked(ChunkDecoder::new()),
        }
    }

    /// Looks at the start of `input`. Call it again while it uses something and is not done.
    pub(super) fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Step<'a>, ProtocolError> {
        match self {
            Self::Length { left } => Ok(take_data(left, input)),
            Self::Chunked(decoder) => decoder.decode(input),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Length { left } => *left == 0,
            Self::Chunked(decoder) => decoder.state == ChunkState::Done,
        }
    }

    /// So many of the next bytes are body for sure.
    pub(super) fn expected_bytes(&self) -> u64 {
        match self {
            Self::Length { left } | Self::Chunked(ChunkDecoder { state: ChunkState::Data { left }, .. }) => *left,
            Self::Chunked(_) => 0,
        }
    }

    /// The trailer fields, once it is done.
    pub(super) fn into_trailers(self) -> HeaderMap {
        match self {
            Self::Length { .. } => HeaderMap::new(),
            Self::Chunked(decoder) => decoder.trailers,
        }
    }
}

fn take_data<'a>(left: &mut u64, input: &'a [u8]) -> Step<'a> {
    let used = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    *left -= used as u64;
    Step { used, data: &input[..used] }
}

/// The longest trailer section that is kept, in bytes.
const MAX_TRAILER_BYTES: usize = 8 * 1024;

/// All chunk extensions of a body together, in bytes. Nobody uses them, but they cost a reader time (RFC 9112 §7.1.1).
const MAX_EXTENSION_BYTES: usize = 16 * 1024;

/// 16 hexadecimal digits are a `u64`; more could overflow (RFC 9112 §7.1).
const MAX_SIZE_DIGITS: u32 = 16;

/// The chunked transfer coding (RFC 9112 section 7.1).
#[derive(Debug)]
pub(super) struct ChunkDecoder {
    state: ChunkState,
    extension_bytes: usize,
    trailers: HeaderMap,
}

#[derive(Debug, PartialEq, Eq)]
enum ChunkState {
    Size {
        size: u64,
        digits: u32,
    },
    /// What follows the size, if not the end of its line.
    Extension {
        size: u64,
        part: Extension,
    },
    SizeLf {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    Trailer {
        section: Vec<u8>,
    },
    Done,
}

impl ChunkDecoder {
    fn new() -> Self {
        Self { state: ChunkState::Size { size: 0, digits: 0 }, extension_bytes: 0, trailers: HeaderMap::new() }
    }

    /// Uses bytes until one is body, the input is used up, or the body is done.
    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Step<'a>, ProtocolError> {
        let mut used = 0;
        while used < input.len() && self.state != ChunkState::Done {
            if let ChunkState::Data { left } = &mut self.state {
                let step = take_data(left, &input[used..]);
                if *left == 0 {
                    self.state = ChunkState::DataCr;
                }
                return Ok(Step { used: used + step.used, data: step.data });
            }
            self.take_byte(input[used])?;
            used += 1;
        }
        Ok(Step { used, data: &[] })
    }

    fn take_byte(&mut self, byte: u8) -> Result<(), ProtocolError> {
        use ChunkState::{Data, DataCr, DataLf, Size, SizeLf, Trailer};
        self.state = match (&mut self.state, byte) {
            (Trailer { section }, byte) => {
                section.push(byte);
                return self.end_trailer();
            }
            (Size { digits: MAX_SIZE_DIGITS.., .. }, byte) if byte.is_ascii_hexdigit() => {
                return Err(ProtocolError::MalformedChunk);
            }
            (Size { size, digits }, byte) if byte.is_ascii_hexdigit() => {
                let digit = (byte as char).to_digit(16).expect("it is a hexadecimal digit");
                Size { size: *size << 4 | u64::from(digit), digits: *digits + 1 }
            }
            (Size { size, digits: 1.. }, b'\r') => SizeLf { size: *size },
            (Size { size, digits: 1.. }, byte) => Self::extension(*size, Extension::begin(byte))?,
            (ChunkState::Extension { size, part }, b'\r') if part.may_end() => SizeLf { size: *size },
            (ChunkState::Extension { size, part }, byte) => Self::extension(*size, part.next(byte))?,
            (SizeLf { size: 0 }, b'\n') => Trailer { section: Vec::new() },
            (SizeLf { size }, b'\n') => Data { left: *size },
            (DataCr, b'\r') => DataLf,
            (DataLf, b'\n') => Size { size: 0, digits: 0 },
            _ => return Err(ProtocolError::MalformedChunk),
        };
        self.count_extension()
    }

    /// An extension is held to its grammar, and otherwise ignored (RFC 9112 §7.1.1).
    fn extension(size: u64, part: Option<Extension>) -> Result<ChunkState, ProtocolError> {
        part.map(|part| ChunkState::Extension { size, part }).ok_or(ProtocolError::MalformedChunk)
    }

    fn count_extension(&mut self) -> Result<(), ProtocolError> {
        if let ChunkState::Extension { .. } = self.state {
            self.extension_bytes += 1;
        }
        if self.extension_bytes > MAX_EXTENSION_BYTES { Err(ProtocolError::MalformedChunk) } else { Ok(()) }
    }

    /// The section ends with an empty line, which may be its only one.
    fn end_trailer(&mut self) -> Result<(), ProtocolError> {
        let ChunkState::Trailer { section } = &self.state else { return Ok(()) };
        if section.len() > MAX_TRAILER_BYTES {
            return Err(ProtocolError::MalformedTrailer);
        }
        if section == b"\r\n" {
            self.state = ChunkState::Done;
        } else if section.ends_with(b"\r\n\r\n") {
            self.trailers = head::parse_trailers(section)?;
            self.state = ChunkState::Done;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
