//! RFC 9112 section 2: messages as bytes, line ends, versions. More of it: `tests/http1.rs`, "lines and limits".

use crate::{echo_server, seen_by_handler};

const HEAD: &str = "GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";

#[test]
fn a_bare_cr_lf_or_nul_anywhere_in_a_head_is_400() {
    // §2.2, RFC 9110 §5.5
    for byte in ["\r", "\n", "\0"] {
        for at in 0..HEAD.len() {
            let (before, behind) = HEAD.split_at(at);
            let has_an_end = behind.len() > 2 || (byte == "\n" && behind.len() == 2);
            if !has_an_end || (at == 0 && byte == "\r") {
                continue; // what comes next decides
            }
            echo_server().refuses(format!("{before}{byte}{behind}"), 400);
        }
    }
}

#[test]
fn what_is_no_http_message_is_400_and_the_connection_ends() {
    // §2.2
    for bytes in [
        b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n".as_slice(),
        b"\x80\x0e\x01\x03\x01\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"EHLO a.example\r\n\r\n",
        b"{\"json\": true}\r\n\r\n",
        b"\xef\xbb\xbfGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b": \r\n\r\n",
    ] {
        echo_server().refuses(bytes, 400);
    }
}

#[test]
fn white_space_before_the_first_field_is_400() {
    // §2.2: reject, or skip the lines; those who skip see other fields than those who do not.
    for line in [" ", "\t", " X: y", "\tHost: b", " Transfer-Encoding: chunked"] {
        echo_server().refuses(format!("GET / HTTP/1.1\r\n{line}\r\nHost: a\r\n\r\n"), 400);
    }
}

#[test]
fn some_empty_lines_before_a_request_are_no_fault() {
    // §2.2
    for count in [1, 2, 5] {
        let (answer, is_closed) = echo_server().one_answer("\r\n".repeat(count) + HEAD);
        assert_eq!((answer.status, answer.text(), is_closed), (200, "GET /a ", false), "{count} empty lines");
    }
}

#[test]
fn nothing_is_done_before_the_whole_head_is_there() {
    // RFC 9110 §5.3: a later field may change everything.
    for end in 0..HEAD.len() {
        assert_eq!(seen_by_handler(&HEAD.as_bytes()[..end]), [""; 0], "after {end} bytes");
    }
    assert_eq!(seen_by_handler(HEAD.as_bytes()), ["GET /a"]);
}

#[test]
fn every_answer_is_http_1_1() {
    // RFC 9110 §2.5, §6.2: our own version, also to HTTP/1.0. The answers are read by a parser that takes no other.
    for (version, status) in [("1.0", 200), ("1.1", 200), ("1.2", 200), ("1.9", 200), ("2.0", 505), ("0.9", 505)] {
        let (answer, _) = echo_server().one_answer(format!("GET / HTTP/{version}\r\nHost: a\r\n\r\n"));
        assert_eq!(answer.status, status, "{version}");
    }
}

#[test]
fn a_higher_minor_version_frames_and_persists_as_http_1_1() {
    // RFC 9110 §2.5
    let chunked = "POST / HTTP/1.9\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let (answer, is_closed) = echo_server().one_answer(chunked);
    assert_eq!((answer.text(), is_closed), ("POST / hello", false));
    echo_server().refuses("GET / HTTP/1.9\r\n\r\n", 400); // Host is required all the same
}

#[test]
fn a_version_that_we_do_not_speak_is_explained() {
    // RFC 9110 §15.6.6
    let (answer, is_closed) = echo_server().one_answer("GET / HTTP/2.0\r\nHost: a\r\n\r\n");
    assert_eq!((answer.status, is_closed), (505, true));
    assert!(answer.text().contains("HTTP/1.0 or HTTP/1.1"), "{answer:?}");
}
