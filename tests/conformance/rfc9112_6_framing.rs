//! RFC 9112 section 6: where a body ends. The refusals stand in `tests/http1.rs`, "framing that is refused".

use crate::{Folder, echo_server};

#[test]
fn the_body_of_any_request_is_read_whether_it_is_wanted_or_not() {
    // §6, §9.3: what is not read would be taken for the next request. Every case is followed by one that must be seen.
    let folder = Folder::new();
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let chunk = format!("{:x}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len());
    for (method, status) in [("GET", 200), ("OPTIONS", 204), ("PUT", 405), ("DELETE", 405), ("BREW", 501)] {
        for (field, body) in [
            (format!("Content-Length: {}", smuggled.len()), smuggled),
            ("Transfer-Encoding: chunked".to_owned(), &chunk),
        ] {
            let input = format!("{method} /a.txt HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n{body}");
            let conversation = folder.server().for_every_split(input.as_bytes(), &[]);
            assert_eq!((conversation.answers.len(), conversation.answers[0].status), (1, status), "{input}");
            assert!(!conversation.is_closed, "{input}");
        }
    }
}

#[test]
fn a_request_without_framing_has_no_body() {
    // §6.3, rule 7: also where its method usually has one
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let (answer, is_closed) = echo_server().one_answer(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((answer.text(), is_closed), (&*format!("{method} / "), false));
    }
}

#[test]
fn lengths_that_no_integer_can_hold_are_refused() {
    // RFC 9110 §8.6: they must not wrap around.
    for (length, status) in [
        ("18446744073709551615", 413), // the last one that a u64 can hold
        ("18446744073709551616", 400),
        ("18446744073709551621", 400), // 5, if it wrapped around
        ("340282366920938463463374607431768211461", 400),
        ("99999999999999999999999999999999999999999999999999", 400),
    ] {
        echo_server().refuses(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\nhello"), status);
    }
    let zeros = "0".repeat(100) + "5";
    let (answer, _) =
        echo_server().one_answer(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {zeros}\r\n\r\nhello"));
    assert_eq!(answer.text(), "POST / hello", "zeros in front are digits, too");
}

#[test]
fn a_length_is_digits_and_nothing_else() {
    // RFC 9110 §8.6. Space and tab are white space around it; the digit is `0`.
    for byte in 0..=255_u8 {
        let head = [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", &[byte][..], b"0\r\n\r\n"].concat();
        match byte {
            b'0' | b' ' | b'\t' => assert_eq!(echo_server().one_answer(head).0.status, 200, "{byte:#x}"),
            b'1'..=b'9' => {}
            _ => echo_server().refuses(head, 400),
        }
    }
}

#[test]
fn both_framings_at_once_are_refused_in_any_order_and_any_case() {
    // §6.1, §6.3 rule 3
    let (length, chunked) = ("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n");
    for version in ["1.0", "1.1", "1.2"] {
        for fields in [
            [length, chunked].concat(),
            [chunked, length].concat(),
            [chunked, "X: y\r\n", length].concat(),
            [length, chunked].concat().to_lowercase(),
            [length, chunked].concat().to_uppercase(),
            ["Content-Length: 0\r\n", chunked].concat(),
        ] {
            let input = format!("POST / HTTP/{version}\r\nHost: a\r\nConnection: keep-alive\r\n{fields}\r\n0\r\n\r\n");
            echo_server().refuses(input, 400);
        }
    }
}
