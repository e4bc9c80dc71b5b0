//! Compression on the fly: of a whole, or of a stream piece by piece. The levels are those where more time brings little.

use std::io::{self, Write};
use std::mem;

use brotli::CompressorWriter;
use flate2::write::GzEncoder;
use zstd::stream::raw::CParameter;
use zstd::stream::write::Encoder as ZstdEncoder;

use super::Coding;

/// The bytes in that coding; `None` where that saves nothing.
pub(crate) fn compress(coding: Coding, plain: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let coded = match coding {
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(plain)?;
            encoder.finish()?
        }
        Coding::Brotli => {
            let mut encoder = CompressorWriter::new(Vec::new(), 4096, 5, window_for(plain.len()));
            encoder.write_all(plain)?;
            encoder.into_inner()
        }
        Coding::Zstd => zstd::bulk::compress(plain, 6)?,
    };
    Ok((coded.len() < plain.len()).then_some(coded))
}

/// As far as the whole reaches, as a power of two, but no further than 1 MiB: an encoder takes several times as much.
fn window_for(length: usize) -> u32 {
    length.next_power_of_two().ilog2().clamp(STREAM_WINDOW, 20)
}

/// Codes a stream: what goes in as pieces comes out as pieces of the one coded whole.
pub(crate) enum Encoder {
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(Box<ZstdEncoder<'static, Vec<u8>>>),
}

/// How far back a stream looks for what it repeats, as a power of two: 256 KiB. There may be many streams at a time, and
/// each keeps so much.
const STREAM_WINDOW: u32 = 18;

impl Encoder {
    pub(crate) fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Gzip => Self::Gzip(Box::new(GzEncoder::new(Vec::new(), flate2::Compression::new(6)))),
            Coding::Brotli => Self::Brotli(Box::new(CompressorWriter::new(Vec::new(), 4096, 5, STREAM_WINDOW))),
            Coding::Zstd => {
                let mut encoder = ZstdEncoder::new(Vec::new(), 3)?;
                encoder.set_parameter(CParameter::WindowLog(STREAM_WINDOW))?;
                Self::Zstd(Box::new(encoder))
            }
        })
    }

    /// Takes a piece, and gives what is ready of the coded stream, perhaps nothing.
    pub(crate) fn encode(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        self.writer().write_all(plain)?;
        Ok(mem::take(self.ready()))
    }

    /// Gives all that is needed to read what was taken so far. It costs some bytes each time.
    pub(crate) fn flush(&mut self) -> io::Result<Vec<u8>> {
        self.writer().flush()?;
        Ok(mem::take(self.ready()))
    }

    /// Gives the end.
    pub(crate) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Brotli(encoder) => Ok(encoder.into_inner()),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Gzip(encoder) => encoder,
            Self::Brotli(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
        }
    }

    fn ready(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn decode(coding: Coding, coded: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        match coding {
            Coding::Gzip => flate2::read::GzDecoder::new(coded).read_to_end(&mut plain),
            Coding::Brotli => brotli::Decompressor::new(coded, 4096).read_to_end(&mut plain),
            Coding::Zstd => zstd::stream::read::Decoder::new(coded).unwrap().read_to_end(&mut plain),
        }
        .unwrap();
        plain
    }

    /// What can be read of the beginning of a stream.
    fn decode_beginning(coding: Coding, coded: &[u8]) -> Vec<u8> {
        let mut reader: Box<dyn Read + '_> = match coding {
            Coding::Gzip => Box::new(flate2::read::GzDecoder::new(coded)),
            Coding::Brotli => Box::new(brotli::Decompressor::new(coded, 4096)),
            Coding::Zstd => Box::new(zstd::stream::read::Decoder::new(coded).unwrap()),
        };
        let (mut plain, mut piece) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = reader.read(&mut piece) {
            plain.extend_from_slice(&piece[..count]);
        }
        plain
    }

    #[test]
    fn a_stream_can_be_read_as_far_as_it_was_flushed_and_to_its_end() {
        for coding in Coding::ALL {
            let mut encoder = Encoder::new(coding).unwrap();
            let (mut coded, mut plain) = (Vec::new(), Vec::new());
            for number in 0..50 {
                let piece = format!("{number}: some text that compresses well\n").repeat(number).into_bytes();
                coded.extend(encoder.encode(&piece).unwrap());
                coded.extend(encoder.flush().unwrap());
                plain.extend(piece);
                assert_eq!(decode_beginning(coding, &coded), plain, "{coding:?} {number}");
            }
            coded.extend(encoder.finish().unwrap());
            assert_eq!(decode(coding, &coded), plain, "{coding:?}");
            assert!(coded.len() < plain.len() / 5, "{coding:?}");
        }
    }

    #[test]
    fn an_empty_stream_is_one_too() {
        for coding in Coding::ALL {
            let coded = Encoder::new(coding).unwrap().finish().unwrap();
            assert_eq!(decode(coding, &coded), b"", "{coding:?}");
        }
    }

    #[test]
    fn what_is_compressed_can_be_read_again() {
        let plain = "some text that compresses well\n".repeat(200).into_bytes();
        for coding in [Coding::Gzip, Coding::Brotli, Coding::Zstd] {
            let coded = compress(coding, &plain).unwrap().unwrap();
            assert!(coded.len() < plain.len() / 10, "{coding:?}");
            assert_eq!(decode(coding, &coded), plain, "{coding:?}");
        }
    }

    #[test]
    fn what_gains_nothing_stays_plain() {
        assert_eq!(compress(Coding::Gzip, b"x").unwrap(), None);
    }
}
