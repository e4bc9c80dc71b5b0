//! RFC 9110 sections 13.1.5, 14, 15.3.7 and 15.5.17: parts of files.

use crate::http1_support::Answer;
use crate::{Folder, LARGE_BYTES, MODIFIED, TEXT, get};

fn ask(folder: &Folder, target: &str, fields: &str) -> Answer {
    let (answer, is_closed) = folder.server().one_answer(get(target, fields));
    assert!(!is_closed);
    answer
}

#[test]
fn one_range_is_206_with_exactly_its_bytes() {
    // §14.1.2, §14.2, §14.4, §15.3.7.1
    let folder = Folder::new();
    for (range, from, to) in [
        ("bytes=0-0", 0, 0),
        ("bytes=0-9", 0, 9),
        ("bytes=10-10", 10, 10),
        ("bytes=99-99", 99, 99),
        ("bytes=95-", 95, 99),
        ("bytes=-1", 99, 99),
        ("bytes=-100", 0, 99),
        ("bytes=-1000", 0, 99),
        ("bytes=50-1000", 50, 99),
        ("bytes=0-", 0, 99),
        ("bytes=0-18446744073709551616", 0, 99),
        ("bytes=-18446744073709551616", 0, 99),
        ("BYTES=0-9", 0, 9),
    ] {
        let answer = ask(&folder, "/a.txt", &format!("Range: {range}\r\n"));
        assert_eq!((answer.status, answer.text()), (206, &TEXT[from..=to]), "{range}");
        assert_eq!(answer.field("content-range"), Some(&*format!("bytes {from}-{to}/100")), "{range}");
    }
}

#[test]
fn a_range_of_a_large_file_has_exactly_its_bytes() {
    let folder = Folder::new();
    let whole = ask(&folder, "/large.bin", "").body;
    assert_eq!(whole.len(), LARGE_BYTES);
    for (from, to) in [(0, 0), (1, 70_000), (LARGE_BYTES - 1, LARGE_BYTES - 1), (0, LARGE_BYTES - 1)] {
        let answer = ask(&folder, "/large.bin", &format!("Range: bytes={from}-{to}\r\n"));
        assert!(answer.status == 206 && answer.body == whole[from..=to], "{from}-{to}");
    }
}

#[test]
fn a_206_has_the_fields_of_the_200() {
    // §15.3.7
    let folder = Folder::new();
    for target in ["/a.txt", "/large.bin", "/coded.css"] {
        let (ok, part) = (ask(&folder, target, ""), ask(&folder, target, "Range: bytes=0-0\r\n"));
        assert_eq!(part.status, 206);
        for (name, value) in &ok.fields {
            if name != "content-length" {
                assert_eq!(part.field(name), Some(&**value), "{target}: {name}");
            }
        }
        assert_eq!(part.field("content-length"), Some("1"));
        assert_eq!(ok.field("content-range"), None, "a 200 is no part");
    }
}

#[test]
fn what_the_file_does_not_have_is_416_with_its_length() {
    // §14.2, §14.4, §15.5.17
    let folder = Folder::new();
    for range in ["bytes=100-", "bytes=100-200", "bytes=99999999999999999999-", "bytes=-0"] {
        let answer = ask(&folder, "/a.txt", &format!("Range: {range}\r\n"));
        assert_eq!((answer.status, answer.field("content-range")), (416, Some("bytes */100")), "{range}");
    }
    let answer = ask(&folder, "/empty.txt", "Range: bytes=0-\r\n");
    assert_eq!((answer.status, answer.field("content-range")), (416, Some("bytes */0")));
}

#[test]
fn what_is_no_range_or_too_many_are_answered_whole() {
    // §14.2: unknown units must, the others may be ignored.
    let folder = Folder::new();
    let whole = ask(&folder, "/a.txt", "");
    for range in [
        "lines=0-9",
        "none",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=9-0",
        "bytes=a-b",
        "bytes=0-9,5-15,7-20",
        "bytes=0--9",
        "bytes 0-9",
        "bytes=+0-9",
        "bytes=0x0-0x9",
        "bytes= 0-9",
        "bytes =0-9",
        "bytes=0- 9",
        "0-9",
        "",
        "bytes=0-9\r\nRange: bytes=0-9",
    ] {
        assert_eq!(ask(&folder, "/a.txt", &format!("Range: {range}\r\n")), whole, "{range}");
    }
}

#[test]
fn only_get_has_ranges() {
    // §14.2
    let folder = Folder::new();
    let ask = |method: &str, range: &str, heads: &[usize]| {
        let input = format!("{method} /a.txt HTTP/1.1\r\nHost: a\r\n{range}\r\n");
        folder.server().for_every_split(input.as_bytes(), heads).answers.remove(0)
    };
    for (method, heads) in [("HEAD", &[0][..]), ("OPTIONS", &[]), ("POST", &[]), ("BREW", &[])] {
        for range in ["Range: bytes=0-9\r\n", "Range: bytes=999-\r\n"] {
            assert_eq!(ask(method, range, heads), ask(method, "", heads), "{method} {range}");
        }
    }
}

#[test]
fn if_range_wants_the_very_same_version() {
    // §13.1.5: compared strongly; otherwise the whole file, never an error
    let folder = Folder::new();
    let tag = ask(&folder, "/a.txt", "").field("etag").unwrap().to_owned();
    for (value, status) in [
        (tag.clone(), 206),
        (MODIFIED.to_owned(), 206),
        ("Sunday, 09-Sep-01 01:46:40 GMT".to_owned(), 206),
        (format!("W/{tag}"), 200),
        ("\"x\"".to_owned(), 200),
        ("Sun, 09 Sep 2001 01:46:39 GMT".to_owned(), 200),
        ("Sun, 09 Sep 2001 01:46:41 GMT".to_owned(), 200),
        ("Fri, 31 Dec 9999 23:59:59 GMT".to_owned(), 200),
        ("*".to_owned(), 200),
        ("yesterday".to_owned(), 200),
        (String::new(), 200),
        (format!("{tag}, {tag}"), 200),
        (format!("{tag}\r\nIf-Range: {tag}"), 200), // which of them?
        (format!("{tag}\r\nIf-Range: \"x\""), 200),
    ] {
        let answer = ask(&folder, "/a.txt", &format!("Range: bytes=0-9\r\nIf-Range: {value}\r\n"));
        assert_eq!(answer.status, status, "{value}");
    }
    let answer = ask(&folder, "/a.txt", "Range: bytes=999-\r\nIf-Range: \"x\"\r\n");
    assert_eq!(answer.status, 200, "the range is not even looked at");
}

#[test]
fn a_date_that_is_not_a_strong_validator_is_none_for_if_range() {
    // §8.8.2.2, §13.1.5: a file of this very second may change again within it.
    let folder = Folder::new();
    // Asked once each: "now" is another second for the next answer.
    let client = qibu::testing::TestClient::new(qibu::StaticFiles::new(folder.path()));
    let date = client.get("/future.txt").send().header("last-modified").unwrap().to_owned();
    let answer = client.get("/future.txt").header("Range", "bytes=0-0").header("If-Range", &date).send();
    assert_eq!(answer.status(), 200);
}

#[test]
fn if_range_without_range_means_nothing() {
    // §13.1.5
    let folder = Folder::new();
    let whole = ask(&folder, "/a.txt", "");
    for value in ["\"x\"", MODIFIED, "*"] {
        assert_eq!(ask(&folder, "/a.txt", &format!("If-Range: {value}\r\n")), whole);
    }
}

#[test]
fn conditions_come_before_the_range() {
    // §13.2.2, §14.2
    let folder = Folder::new();
    let tag = ask(&folder, "/a.txt", "").field("etag").unwrap().to_owned();
    for (fields, status) in [
        (format!("If-None-Match: {tag}\r\nRange: bytes=0-9\r\n"), 304),
        ("If-Match: \"x\"\r\nRange: bytes=0-9\r\n".to_owned(), 412),
        (format!("If-Match: {tag}\r\nRange: bytes=0-9\r\n"), 206),
        (format!("If-Match: {tag}\r\nRange: bytes=0-9\r\nIf-Range: \"x\"\r\n"), 200),
    ] {
        assert_eq!(ask(&folder, "/a.txt", &fields).status, status, "{fields}");
    }
}
