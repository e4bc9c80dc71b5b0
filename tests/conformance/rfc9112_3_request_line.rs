//! RFC 9112 section 3: method, target and version, and where Host comes in. More of it: `tests/http1.rs`, "Host" and
//! "request targets".

use qibu::{Request, StaticFiles};

use crate::http1_support::Server;
use crate::{Folder, echo_server};

#[test]
fn words_of_the_request_line_are_parted_by_one_space() {
    // §3: others may split at any white space; what one reads as a target is another's version.
    for line in [
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET /\tHTTP/1.1",
        "GET\x0b/ HTTP/1.1",
        "GET /\x0cHTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.1\t",
        " GET / HTTP/1.1",
        "\tGET / HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET / HTTP/1.1 HTTP/1.1",
        "GET /",
        "GET HTTP/1.1",
    ] {
        echo_server().refuses(format!("{line}\r\nHost: a\r\n\r\n"), 400);
    }
}

#[test]
fn no_byte_that_is_no_uri_character_is_taken_in_a_target() {
    // §3.2: no repair, since the line may have been made to slip past a filter.
    for byte in (0..=b' ').chain([0x7f, b'#']) {
        let line = [b"GET /a", &[byte][..], b"b HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        echo_server().refuses(line, 400);
    }
}

#[test]
fn no_byte_that_is_no_token_character_is_taken_in_a_method() {
    // RFC 9110 §5.6.2, §9.1
    for byte in 0..=255_u8 {
        if byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~ \r\n".contains(&byte) {
            continue;
        }
        echo_server().refuses([b"GE", &[byte][..], b"T / HTTP/1.1\r\nHost: a\r\n\r\n"].concat(), 400);
    }
}

#[test]
fn the_absolute_form_is_taken_for_every_method() {
    // §3.2.2
    let server = Server::new(|request: &mut Request| {
        format!("{} {} at {}", request.method(), request.target(), request.header("host").unwrap_or("nowhere"))
    });
    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let (answer, is_closed) = server.one_answer(format!("{method} http://b:80/c?d HTTP/1.1\r\nHost: a\r\n\r\n"));
        let expected = format!("{method} /c?d at b:80");
        assert_eq!((answer.status, answer.text(), is_closed), (200, &*expected, false));
    }
}

#[test]
fn the_absolute_form_still_needs_one_valid_host() {
    // §3.2: the rule for Host knows no exception.
    for host in ["", "Host: a\r\nHost: b\r\n", "Host: a b\r\n", "Host: a\r\nHost: a\r\n"] {
        echo_server().refuses(format!("GET http://b/ HTTP/1.1\r\n{host}\r\n"), 400);
    }
}

#[test]
fn a_uri_without_a_host_or_with_a_user_is_400() {
    // RFC 9110 §4.2.1, §4.2.2, §4.2.4
    for target in ["http://", "http:///a", "https:///a", "http://u@b/", "http://u:p@b/", "http://@b/"] {
        echo_server().refuses(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    }
}

/// RFC 9110 §4.2.1: the host is what must not be empty; a port does not make up for it.
#[test]
fn a_uri_with_a_port_but_no_host_is_400() {
    echo_server().refuses("GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

/// RFC 9110 §7.4: an https resource must be refused unless it was asked for over TLS.
#[test]
fn an_https_target_is_refused_where_there_is_no_tls() {
    for target in ["https://b/", "HTTPS://b/c?d", "https://b:443/"] {
        let (answer, _) = echo_server().one_answer(format!("GET {target} HTTP/1.1\r\nHost: b\r\n\r\n"));
        assert!((400..500).contains(&answer.status), "{target} is answered with {}", answer.status);
    }
}

#[test]
fn a_long_method_is_501_for_files() {
    // §3
    let folder = Folder::new();
    let server = Server::new(StaticFiles::new(folder.path()));
    for length in [20, 100, 1000] {
        let (answer, _) = server.one_answer(format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "X".repeat(length)));
        assert_eq!(answer.status, 501, "a method of {length} letters");
    }
}

#[test]
fn the_asterisk_asks_for_the_server_as_a_whole() {
    // §3.2.4
    let folder = Folder::new();
    let (answer, is_closed) = folder.server().one_answer("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((answer.status, answer.field("allow"), is_closed), (204, Some("GET, HEAD, OPTIONS"), false));
    for method in ["GET", "HEAD", "PUT", "options"] {
        let conversation = folder.server().for_every_split(
            format!("{method} * HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(),
            if method == "HEAD" { &[0] } else { &[] },
        );
        assert_eq!((conversation.answers[0].status, conversation.is_closed), (400, true), "{method}");
    }
}
