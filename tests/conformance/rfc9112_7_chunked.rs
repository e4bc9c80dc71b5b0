//! RFC 9112 section 7: the chunked coding. More of it: `tests/http1.rs`, "request bodies", and the decoder's own tests.

use crate::{Folder, echo_server};

const HEAD: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn behind_a_chunk_size_stands_its_line_end_or_an_extension() {
    // §7.1: five bytes follow; a size that is read otherwise ends the chunk elsewhere.
    for byte in 0..=255_u8 {
        let input = [HEAD.as_bytes(), b"5", &[byte][..], b"\r\nhello\r\n0\r\n\r\n"].concat();
        match byte {
            _ if byte.is_ascii_hexdigit() => {} // another size
            _ => echo_server().refuses(input, 400),
        }
    }
}

#[test]
fn extensions_are_ignored() {
    // §7.1.1
    for extension in [
        ";a",
        ";a=b",
        "; a = b",
        " ;a",
        "\t;\ta=b",
        ";a=\"b;c=d\"",
        ";a=\"\\\"\"",
        ";a;b=c;d",
        ";5=0",
        ";a \t;b",
        ";a=\"\"",
    ] {
        let input = format!("{HEAD}5{extension}\r\nhello\r\n0{extension}\r\n\r\n");
        let (answer, is_closed) = echo_server().one_answer(&input);
        assert_eq!((answer.status, answer.text(), is_closed), (200, "POST / hello", false), "{input}");
    }
}

#[test]
fn an_extension_is_held_to_its_grammar() {
    // §7.1.1, RFC 9110 §5.6.4: who reads on to a closing quote sees another end of the line than who does not.
    for extension in [
        ";",
        " ",
        ";;a",
        ";a;",
        ";=b",
        ";a=",
        ";a= ",
        ";a ",
        ";a=b ",
        ";a b",
        ";a=b c",
        ";a=b=c",
        ";a=\"b",
        ";a=\"b\\\"",
        ";a=\"b\"c",
        ";a=b\"c\"",
        ";\"a\"",
        ";a,b",
        ";a=(b)",
        ";\u{e4}",
        ";a=\u{e4}",
        ";a=\"\0\"",
        ";a=\"\x7f\"",
    ] {
        echo_server().refuses(format!("{HEAD}5{extension}\r\nhello\r\n0\r\n\r\n"), 400);
        echo_server().refuses(format!("{HEAD}0{extension}\r\n\r\n"), 400);
    }
}

#[test]
fn sizes_of_any_spelling_are_one_number() {
    // §7.1: hexadecimal digits in any case, and zeros in front of them
    let body = "x".repeat(0xab);
    for size in ["ab", "AB", "aB", "0ab", "00000000000000ab"] {
        let (answer, _) = echo_server().one_answer(format!("{HEAD}{size}\r\n{body}\r\n000\r\n\r\n"));
        assert_eq!(answer.text(), format!("POST / {body}"), "{size}");
    }
}

#[test]
fn sizes_that_no_integer_can_hold_are_refused() {
    // §7.1: they must not wrap around.
    let server = echo_server().with(|settings| settings.body_limit = 4);
    for (size, status) in [
        ("7fffffffffffffff", 413),
        ("8000000000000005", 413),
        ("ffffffffffffffff", 413),
        ("10000000000000005", 400),
        ("100000000000000000000000000000005", 400),
        ("fffffffffffffffff", 400),
    ] {
        server.refuses(format!("{HEAD}{size}\r\nhello\r\n0\r\n\r\n"), status);
    }
}

#[test]
fn many_small_chunks_are_one_body() {
    let body: String = ('a'..='z').cycle().take(300).collect();
    let chunks: String = body.chars().map(|letter| format!("1\r\n{letter}\r\n")).collect();
    let (answer, _) = echo_server().one_answer(format!("{HEAD}{chunks}0\r\n\r\n"));
    assert_eq!(answer.text(), format!("POST / {body}"));
}

#[test]
fn a_trailer_field_is_never_taken_for_a_header_field() {
    // §7.1.2, RFC 9110 §6.5.1
    let folder = Folder::new();
    let head = "GET /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    for trailer in
        ["If-None-Match: *", "If-Match: \"x\"", "Range: bytes=0-1", "Connection: close", "Expect: x", "Host: b c"]
    {
        let (answer, is_closed) = folder.server().one_answer(format!("{head}{trailer}\r\n\r\n"));
        assert_eq!((answer.status, is_closed), (200, false), "{trailer}");
    }
}

#[test]
fn trailers_are_held_to_the_same_syntax_as_header_fields() {
    for trailer in ["X : y", "X: y\r\n folded", " X: y", "X", ": y", "X: \0", "X: y\n", "X: \ry", "\u{e4}: y"] {
        echo_server().refuses(format!("{HEAD}1\r\nx\r\n0\r\n{trailer}\r\n\r\n"), 400);
    }
}
