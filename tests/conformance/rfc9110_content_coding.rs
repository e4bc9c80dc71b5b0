//! RFC 9110 sections 8.4 and 12.5.3: which form of a file is sent. The folder has `coded.css` with a gzip form beside it.

use crate::http1_support::Answer;
use crate::{CODED, Folder, STYLE, get};

fn ask(folder: &Folder, target: &str, fields: &str) -> Answer {
    let (answer, is_closed) = folder.server().one_answer(get(target, fields));
    assert!(!is_closed);
    answer
}

/// `gzip` or `identity`, as the fields and the bytes agree.
fn coding(answer: &Answer) -> &str {
    let coding = answer.field("content-encoding");
    assert_eq!(answer.body, if coding.is_some() { CODED } else { STYLE.as_bytes() }, "{answer:?}");
    assert!(coding.is_none_or(|coding| coding == "gzip"), "{answer:?}");
    coding.unwrap_or("identity")
}

#[test]
fn a_coding_is_sent_only_to_who_takes_it() {
    // §12.4.2, §12.5.3, §8.4.1.3
    let folder = Folder::new();
    for (value, expected) in [
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate, gzip", "gzip"),
        ("gzip;q=0.001", "gzip"),
        ("gzip;q=1.000", "gzip"),
        ("gzip ; q=0.5", "gzip"),
        ("gzip;Q=1", "gzip"),
        ("*", "gzip"),
        ("*;q=0.1", "gzip"),
        ("identity;q=0.5, gzip;q=1.0", "gzip"),
        ("", "identity"),
        ("identity", "identity"),
        ("deflate", "identity"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.000", "identity"),
        ("gzip;q=0, *", "identity"),
        ("*;q=0", "identity"),
        ("gzip;q=0.5, identity;q=1", "identity"),
        ("gzip;q=1.001", "identity"),
        ("gzip;q=0.1234", "identity"),
        ("gzip;q=x", "identity"),
        ("gzipped", "identity"),
        ("\"gzip\"", "identity"),
    ] {
        let answer = ask(&folder, "/coded.css", &format!("Accept-Encoding: {value}\r\n"));
        assert_eq!((answer.status, coding(&answer)), (200, expected), "{value}");
    }
    assert_eq!(coding(&ask(&folder, "/coded.css", "")), "identity");
}

#[test]
fn lines_of_accept_encoding_are_one_list() {
    // §5.3
    let folder = Folder::new();
    let answer = ask(&folder, "/coded.css", "Accept-Encoding: deflate\r\nAccept-Encoding: gzip\r\n");
    assert_eq!(coding(&answer), "gzip");
}

#[test]
fn every_form_says_that_there_are_others() {
    // §12.5.5
    let folder = Folder::new();
    for fields in ["", "Accept-Encoding: gzip\r\n", "Accept-Encoding: identity\r\n"] {
        assert_eq!(ask(&folder, "/coded.css", fields).field("vary"), Some("accept-encoding"), "{fields}");
    }
    assert_eq!(ask(&folder, "/large.bin", "Accept-Encoding: gzip\r\n").field("vary"), None, "where there are any");
}

#[test]
fn the_media_type_is_that_of_the_file_whatever_its_coding() {
    // §8.3, §8.4
    let folder = Folder::new();
    for fields in ["", "Accept-Encoding: gzip\r\n"] {
        assert_eq!(ask(&folder, "/coded.css", fields).field("content-type"), Some("text/css; charset=utf-8"));
    }
    let archive = ask(&folder, "/coded.css.gz", "Accept-Encoding: gzip\r\n");
    assert_eq!((archive.field("content-type"), archive.field("content-encoding")), (Some("application/gzip"), None));
}

#[test]
fn a_tag_stands_for_one_coding() {
    // §8.8.3.3, §13.1.2
    let folder = Folder::new();
    let gzip = "Accept-Encoding: gzip\r\n";
    let tag_of = |fields: &str| ask(&folder, "/coded.css", fields).field("etag").unwrap().to_owned();
    let (plain, coded) = (tag_of(""), tag_of(gzip));
    for (fields, status) in [
        (format!("If-None-Match: {plain}\r\n"), 304),
        (format!("{gzip}If-None-Match: {coded}\r\n"), 304),
        (format!("If-None-Match: {coded}\r\n"), 200),
        (format!("{gzip}If-None-Match: {plain}\r\n"), 200),
        (format!("{gzip}If-Match: {plain}\r\n"), 412),
        (format!("If-Range: {coded}\r\nRange: bytes=0-0\r\n"), 200),
    ] {
        assert_eq!(ask(&folder, "/coded.css", &fields).status, status, "{fields}");
    }
}

#[test]
fn a_range_is_one_of_the_plain_file() {
    // §14: the numbers of a range mean the form that is sent; we send the plain one, and its tag.
    let folder = Folder::new();
    let part = ask(&folder, "/coded.css", "Accept-Encoding: gzip\r\nRange: bytes=0-9\r\n");
    assert_eq!((part.status, part.text(), part.field("content-encoding")), (206, &STYLE[..10], None));
    assert_eq!(part.field("etag"), ask(&folder, "/coded.css", "").field("etag"));
}

#[test]
fn what_is_compressed_on_the_fly_keeps_to_the_same_rules() {
    // §8.4, §8.8.3.3, §9.3.2; without the feature `compress` it is sent as it is
    let folder = Folder::new();
    let (plain, coded) = (ask(&folder, "/fly.css", ""), ask(&folder, "/fly.css", "Accept-Encoding: gzip\r\n"));
    let expected = cfg!(feature = "compress").then_some("gzip");
    assert_eq!((coded.status, coded.field("content-encoding")), (200, expected));
    assert_eq!(plain.field("etag") == coded.field("etag"), expected.is_none());
    assert_eq!(plain.field("vary"), coded.field("vary"));
}
