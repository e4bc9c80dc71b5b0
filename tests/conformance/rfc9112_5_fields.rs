//! RFC 9112 section 5 and RFC 9110 section 5: field lines. More of it: `tests/http1.rs`, "lines and limits".

use qibu::Request;

use crate::http1_support::Server;
use crate::{Folder, echo_server, get};

/// What the handler sees as the values of `X`, one per line.
fn values_of_x() -> Server {
    Server::new(|request: &mut Request| {
        let values: Vec<_> = request.header_values("x").map(|value| value.escape_ascii().to_string()).collect();
        values.join("\n")
    })
}

#[test]
fn white_space_before_a_colon_is_400_whatever_the_field() {
    // RFC 9112 §5.1
    for name in ["Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "X"] {
        for space in [" ", "\t", "  ", "\x0b", "\x0c"] {
            echo_server().refuses(format!("GET / HTTP/1.1\r\nHost: a\r\n{name}{space}: 0\r\n\r\n"), 400);
        }
    }
}

#[test]
fn a_folded_line_is_400_whatever_the_field() {
    // RFC 9112 §5.2
    for name in ["Host", "Content-Length", "Transfer-Encoding", "X"] {
        for fold in ["\r\n ", "\r\n\t", "\r\n  ", " \r\n "] {
            echo_server().refuses(format!("GET / HTTP/1.1\r\nY: z\r\n{name}: a{fold}b\r\nHost: a\r\n\r\n"), 400);
        }
    }
}

#[test]
fn a_name_is_a_token() {
    // RFC 9110 §5.1, §5.6.2
    for byte in 0..=255_u8 {
        let line = [b"GET / HTTP/1.1\r\nHost: a\r\nX", &[byte][..], b"Y: z\r\n\r\n"].concat();
        match byte {
            b':' => assert_eq!(echo_server().one_answer(line).0.status, 200, "a name and a value"),
            _ if byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte) => {
                assert_eq!(echo_server().one_answer(line).0.status, 200, "{byte:#x}");
            }
            _ => echo_server().refuses(line, 400),
        }
    }
}

#[test]
fn a_value_is_visible_bytes_spaces_and_tabs() {
    // RFC 9110 §5.5: CR, LF and NUL must be refused or replaced; we refuse all controls, and keep the rest as it is.
    for byte in 0..=255_u8 {
        let line = [b"GET / HTTP/1.1\r\nHost: a\r\nX: y", &[byte][..], b"z\r\n\r\n"].concat();
        match byte {
            b'\t' | b' '..=b'~' | 0x80.. => {
                let expected = [b"y", &[byte][..], b"z"].concat().escape_ascii().to_string();
                assert_eq!(values_of_x().one_answer(line).0.text(), expected, "{byte:#x}");
            }
            _ => echo_server().refuses(line, 400),
        }
    }
}

#[test]
fn names_are_the_same_in_any_case() {
    // RFC 9110 §5.1
    for name in ["x", "X"] {
        assert_eq!(values_of_x().one_answer(get("/", &format!("{name}: y\r\n"))).0.text(), "y");
    }
    for (name, status) in [("CONTENT-LENGTH", 200), ("content-length", 200), ("cOnTeNt-LeNgTh", 200)] {
        let (answer, _) = echo_server().one_answer(format!("POST / HTTP/1.1\r\nhOsT: a\r\n{name}: 2\r\n\r\nab"));
        assert_eq!((answer.status, answer.text()), (status, "POST / ab"));
    }
}

#[test]
fn the_order_of_the_lines_of_a_field_is_kept() {
    // RFC 9110 §5.3
    let (answer, _) = values_of_x().one_answer(get("/", "X: 1\r\nY: 0\r\nx: 2\r\nX:\r\nX: 3\r\n"));
    assert_eq!(answer.text(), "1\n2\n\n3");
}

#[test]
fn fields_that_nobody_knows_change_nothing() {
    // RFC 9110 §5.1
    let folder = Folder::new();
    let plain = folder.server().one_answer(get("/a.txt", ""));
    let fields = "X-Nobody: knows\r\nVia: 1.1 p\r\nMax-Forwards: 0\r\nContent-Range: bytes 0-1/2\r\nContent-Location: /b\r\n\
                  Upgrade: h2c\r\nTE: trailers\r\nForwarded: for=x\r\nKeep-Alive: timeout=1\r\n";
    assert_eq!(folder.server().one_answer(get("/a.txt", fields)), plain);
}

#[test]
fn empty_list_elements_are_ignored() {
    // RFC 9110 §5.6.1.2
    let folder = Folder::new();
    let answer = |fields: &str| folder.server().one_answer(get("/a.txt", fields));
    let tag = answer("").0.field("etag").expect("files have tags").to_owned();
    assert!(answer("Connection: ,, close ,\r\n").1);
    assert_eq!(answer(&format!("If-None-Match: , ,{tag},,\r\n")).0.status, 304);
    assert_eq!(answer(&format!("If-Match: ,\"x\",,{tag},\r\n")).0.status, 200);
    let coded = folder.server().one_answer(get("/coded.css", "Accept-Encoding: , ,gzip,,\r\n"));
    assert_eq!(coded.0.field("content-encoding"), Some("gzip"));
}

/// RFC 9110 §5.6.1.2 and §10.1.1: Expect is a list, too.
#[test]
fn empty_list_elements_are_ignored_in_expect() {
    for expect in ["100-continue,", ", 100-continue", "100-continue, 100-continue", ""] {
        let input = format!("POST / HTTP/1.1\r\nHost: a\r\nExpect: {expect}\r\nContent-Length: 5\r\n\r\nhello");
        let (answer, _) = echo_server().one_answer(input);
        assert_eq!((answer.status, answer.text()), (200, "POST / hello"), "Expect: {expect}");
    }
}

#[test]
fn empty_elements_of_transfer_encoding_are_refused_all_the_same() {
    // RFC 9110 §5.6.1.2 would ignore them. Peers disagree about what is left then: that is how smuggling works.
    for coding in ["chunked,", ", chunked", "chunked, ,", ","] {
        let input = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n");
        let (answer, is_closed) = echo_server().one_answer(input);
        assert!([400, 501].contains(&answer.status) && is_closed, "{coding}: {answer:?}");
    }
}

/// RFC 9110 §7.8: who sends Upgrade must name it in Connection.
#[test]
fn an_upgrade_field_of_an_answer_is_named_in_connection() {
    let server = Server::new(|_: &mut Request| {
        let status = qibu::StatusCode::UPGRADE_REQUIRED;
        qibu::Response::new(status).with_header("upgrade", "h2c").with_header("connection", "upgrade")
    });
    let (answer, _) = server.one_answer(get("/", ""));
    assert_eq!((answer.status, answer.field("upgrade")), (426, Some("h2c")));
    let connection = answer.field("connection").unwrap_or_default().to_ascii_lowercase();
    assert!(connection.split(',').any(|option| option.trim() == "upgrade"), "{answer:?}");
}
