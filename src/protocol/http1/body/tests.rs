use super::*;

/// Decodes `input` in pieces of `size` bytes; gives the body and how much was used.
fn decode(framing: Framing, input: &[u8], size: usize) -> Result<(Vec<u8>, usize, HeaderMap), ProtocolError> {
    let (mut decoder, mut body, mut used) = (Decoder::new(framing), Vec::new(), 0);
    for end in (size..input.len()).step_by(size).chain([input.len()]) {
        while used < end && !decoder.is_done() {
            let step = decoder.decode(&input[used..end])?;
            used += step.used;
            body.extend_from_slice(step.data);
        }
    }
    assert!(decoder.is_done(), "{input:?} is a whole body");
    Ok((body, used, decoder.into_trailers()))
}

/// Each case whole, byte by byte, and with trailing bytes.
fn decodes_to(framing: Framing, input: &[u8], expected: &[u8]) -> HeaderMap {
    let with_rest = [input, b"GET / HTTP/1.1"].concat();
    for size in [1, 2, 3, input.len() + 100] {
        for whole in [input, &with_rest] {
            let (body, used, _) = decode(framing, whole, size).unwrap();
            assert_eq!((&*body, used), (expected, input.len()), "in pieces of {size}");
        }
    }
    decode(framing, input, 1).unwrap().2
}

fn refuses(input: &[u8]) {
    for size in [1, 2, input.len() + 1] {
        let whole = [input, b"\r\n0\r\n\r\n"].concat();
        let mut decoder = Decoder::new(Framing::Chunked);
        let error = whole.chunks(size).find_map(|piece| {
            let mut rest = piece;
            while !rest.is_empty() && !decoder.is_done() {
                match decoder.decode(rest) {
                    Ok(step) => rest = &rest[step.used..],
                    Err(error) => return Some(error),
                }
            }
            None
        });
        assert!(error.is_some(), "{:?} must be refused", String::from_utf8_lossy(input));
    }
}

#[test]
fn a_length_takes_so_many_bytes_and_no_more() {
    decodes_to(Framing::Length(5), b"hello", b"hello");
    decodes_to(Framing::Nothing, b"", b"");
}

#[test]
fn chunks_are_joined() {
    decodes_to(Framing::Chunked, b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", b"hello!");
    decodes_to(Framing::Chunked, b"0\r\n\r\n", b"");
    decodes_to(Framing::Chunked, b"0000A\r\n0123456789\r\n000\r\n\r\n", b"0123456789");
    decodes_to(Framing::Chunked, b"5;a=b;c=\"d e\"\r\nhello\r\n0 ;x\r\n\r\n", b"hello");
}

#[test]
fn trailers_are_kept_but_for_those_that_frame() {
    let trailers =
        decodes_to(Framing::Chunked, b"1\r\nx\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\nHost: b\r\n\r\n", b"x");
    assert_eq!(trailers.len(), 1);
    assert_eq!(trailers["x-sum"], "1");
}

#[test]
fn odd_sizes_are_refused() {
    for size in ["", "-5", "+5", "0x5", "0_5", "xyz", " 5", "5 ", "10000000000000005", "00000000000000005"] {
        refuses(format!("{size}\r\nhello\r\n").as_bytes());
    }
}

#[test]
fn odd_line_ends_are_refused() {
    for chunk in [
        "5\nhello\r\n",
        "5\rhello\r\n",
        "5\r\nhelloo\r\n",
        "5\r\nhello5\r\nworld\r\n",
        "5;a\rb\r\nhello\r\n",
        "5;\nhello\r\n",
        "5;\0\r\nhello\r\n",
    ] {
        refuses(chunk.as_bytes());
    }
    refuses(b"0\r\nX-A: b\nX-C: d\r\n\r\n");
    refuses(b"0\r\nX A: b\r\n\r\n");
}

#[test]
fn what_nobody_needs_is_bounded() {
    refuses(format!("1;{}\r\nx\r\n", "e".repeat(MAX_EXTENSION_BYTES)).as_bytes());
    refuses(format!("0\r\nX: {}\r\n\r\n", "t".repeat(MAX_TRAILER_BYTES)).as_bytes());
    refuses(format!("0\r\n{}\r\n", "X: y\r\n".repeat(100)).as_bytes());
}
