//! Compression on the fly. The levels are those where more time brings little.

use std::io::{self, Write};

use super::Coding;

/// The bytes in that coding; `None` where that saves nothing.
pub(crate) fn compress(coding: Coding, plain: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let coded = match coding {
        Coding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(plain)?;
            encoder.finish()?
        }
        Coding::Brotli => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
            encoder.write_all(plain)?;
            encoder.into_inner()
        }
        Coding::Zstd => zstd::bulk::compress(plain, 6)?,
    };
    Ok((coded.len() < plain.len()).then_some(coded))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_compressed_can_be_read_again() {
        let plain = "some text that compresses well\n".repeat(200).into_bytes();
        for coding in [Coding::Gzip, Coding::Brotli, Coding::Zstd] {
            let coded = compress(coding, &plain).unwrap().unwrap();
            assert!(coded.len() < plain.len() / 10, "{coding:?}");
            let mut read = Vec::new();
            match coding {
                Coding::Gzip => flate2::read::GzDecoder::new(&*coded).read_to_end(&mut read).map(drop).unwrap(),
                Coding::Brotli => brotli::Decompressor::new(&*coded, 4096).read_to_end(&mut read).map(drop).unwrap(),
                Coding::Zstd => read = zstd::bulk::decompress(&coded, plain.len()).unwrap(),
            }
            assert_eq!(read, plain, "{coding:?}");
        }
    }

    #[test]
    fn what_gains_nothing_stays_plain() {
        assert_eq!(compress(Coding::Gzip, b"x").unwrap(), None);
    }
}
