//! RFC 9110 sections 9, 10.2.1 and 15.5.6: what can be done with a file.

use crate::{Folder, get};

const ALLOWED: Option<&str> = Some("GET, HEAD, OPTIONS");

/// Targets of all kinds, with what GET answers.
const TARGETS: [(&str, u16); 6] =
    [("/a.txt", 200), ("/", 200), ("/sub/", 200), ("/sub", 301), ("/none", 404), ("/large.bin", 200)];

#[test]
fn head_is_get_without_the_body_for_every_kind_of_target() {
    // §9.1, §9.3.2
    let folder = Folder::new();
    for (target, status) in TARGETS {
        for fields in ["", "Accept-Encoding: gzip\r\n", "If-None-Match: *\r\n", "Connection: close\r\n"] {
            let (got, _) = folder.server().one_answer(get(target, fields));
            let head = format!("HEAD {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
            let conversation = folder.server().for_every_split(head.as_bytes(), &[0]);
            let head = &conversation.answers[0];
            assert_eq!((head.status, &head.fields), (got.status, &got.fields), "{target} {fields}");
            assert_eq!(head.body, b"");
            if fields.is_empty() {
                assert_eq!(got.status, status, "{target}");
                assert_eq!(got.field("content-length"), Some(&*got.body.len().to_string()), "{target}");
            }
        }
    }
}

#[test]
fn a_known_method_that_files_do_not_have_is_405_with_allow() {
    // §9.1, §10.2.1, §15.5.6
    let folder = Folder::new();
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE"] {
        for (target, _) in TARGETS {
            let (answer, is_closed) =
                folder.server().one_answer(format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert_eq!((answer.status, answer.field("allow"), is_closed), (405, ALLOWED, false), "{method} {target}");
            assert!(!answer.body.is_empty(), "§15.5: it says why");
        }
    }
}

#[test]
fn an_unknown_method_is_501() {
    // §9.1, §15.6.2: methods are case-sensitive
    let folder = Folder::new();
    for method in ["BREW", "get", "Get", "PROPFIND", "QUERY", "G"] {
        let (answer, is_closed) = folder.server().one_answer(format!("{method} /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((answer.status, is_closed), (501, false), "{method}");
    }
}

#[test]
fn who_waits_before_sending_a_body_is_told_at_once_that_nobody_wants_it() {
    // §10.1.1: the method and the target say enough
    let folder = Folder::new();
    for (method, status) in [("PUT", 405), ("POST", 405), ("PATCH", 405), ("BREW", 501), ("OPTIONS", 204)] {
        for framing in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
            let mut conn = folder.server().connect();
            let head = format!("{method} /a.txt HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n{framing}\r\n\r\n");
            let received = String::from_utf8(conn.send(head.as_bytes()).recv()).unwrap();
            assert!(received.starts_with(&format!("HTTP/1.1 {status} ")), "{head}{received}");
            assert!(
                received.contains("\r\nconnection: close\r\n") && conn.is_closed(),
                "the body may come all the same"
            );
        }
    }
}

#[test]
fn options_says_what_can_be_done() {
    // §9.3.7
    let folder = Folder::new();
    for target in ["*", "/a.txt", "/", "/none"] {
        let (answer, is_closed) = folder.server().one_answer(format!("OPTIONS {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((answer.status, answer.field("allow"), is_closed), (204, ALLOWED, false), "{target}");
    }
}

#[test]
fn no_request_is_reflected() {
    // §9.3.8: TRACE is not offered, so that no script can read what it must not see.
    let folder = Folder::new();
    let (answer, _) = folder.server().one_answer("TRACE / HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n");
    assert!(answer.status == 405 && !answer.text().contains("secret"));
}

#[test]
fn a_redirect_says_where_to() {
    // §10.2.2, §15.4.2
    let folder = Folder::new();
    for (target, location) in [("/sub", "/sub/"), ("/sub?q=1", "/sub/?q=1"), ("/s%75b", "/sub/")] {
        let (answer, _) = folder.server().one_answer(get(target, ""));
        assert_eq!((answer.status, answer.field("location")), (301, Some(location)), "{target}");
    }
}

#[test]
fn what_goes_wrong_is_explained() {
    // §15.5: SHOULD, but for HEAD
    let folder = Folder::new();
    for (target, fields) in
        [("/none", ""), ("/%00", ""), ("/a.txt", "If-Match: \"x\"\r\n"), ("/a.txt", "Range: bytes=999-\r\n")]
    {
        let (answer, _) = folder.server().one_answer(get(target, fields));
        assert!(answer.text().starts_with(&answer.status.to_string()), "{answer:?}");
        assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
    }
}
