//! RFC 9110 sections 8.8 and 13, and 15.4.5: validators and preconditions.

use crate::http1_support::Answer;
use crate::{Folder, MODIFIED, get};

const BEFORE: &str = "Sat, 08 Sep 2001 01:46:40 GMT";
const AFTER: &str = "Mon, 10 Sep 2001 01:46:40 GMT";

fn ask(folder: &Folder, target: &str, fields: &str) -> Answer {
    let (answer, is_closed) = folder.server().one_answer(get(target, fields));
    assert!(!is_closed);
    answer
}

fn tag(folder: &Folder, target: &str) -> String {
    ask(folder, target, "").field("etag").expect("files have tags").to_owned()
}

#[test]
fn a_file_has_both_validators() {
    // §8.8.2.1, §8.8.3, §15.3.1
    let folder = Folder::new();
    for target in ["/a.txt", "/large.bin", "/coded.css"] {
        let answer = ask(&folder, target, "");
        assert_eq!(answer.field("last-modified"), Some(MODIFIED), "{target}");
        let tag = answer.field("etag").unwrap();
        let opaque = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("a strong tag");
        assert!(opaque.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'), "{tag}");
    }
}

#[test]
fn other_bytes_have_another_tag() {
    // §8.8.1, §8.8.3.3
    let folder = Folder::new();
    let first = tag(&folder, "/a.txt");
    assert_eq!(tag(&folder, "/a.txt"), first, "the same bytes have the same");
    folder.write("a.txt", b"other bytes");
    assert_ne!(tag(&folder, "/a.txt"), first);
    let (plain, coded) = (ask(&folder, "/coded.css", ""), ask(&folder, "/coded.css", "Accept-Encoding: gzip\r\n"));
    assert_ne!(plain.field("etag"), coded.field("etag"), "nor do two codings share one");
}

#[test]
fn a_date_in_the_future_is_said_as_now() {
    // §8.8.2.1: Last-Modified is never later than the answer; the real clock is far behind the file's.
    // Asked once: "now" is another second for the next answer.
    let folder = Folder::new();
    let answer = qibu::testing::TestClient::new(qibu::StaticFiles::new(folder.path())).get("/future.txt").send();
    let time = httpdate::parse_http_date(answer.header("last-modified").expect("it has one")).unwrap();
    assert!(time <= std::time::SystemTime::now());
}

#[test]
fn if_match_is_compared_strongly() {
    // §13.1.1
    let folder = Folder::new();
    let tag = tag(&folder, "/a.txt");
    for (value, status) in [
        (tag.clone(), 200),
        ("*".into(), 200),
        (format!("\"x\", {tag}"), 200),
        (format!("\"x,y\",{tag}"), 200),
        (format!("W/{tag}"), 412),
        ("\"x\"".into(), 412),
        ("\"x\", \"y\"".into(), 412),
        (String::new(), 412),
        (tag.trim_matches('"').to_owned(), 412),
    ] {
        assert_eq!(ask(&folder, "/a.txt", &format!("If-Match: {value}\r\n")).status, status, "{value}");
    }
    let lines = format!("If-Match: \"x\"\r\nIf-Match: {tag}\r\n");
    assert_eq!(ask(&folder, "/a.txt", &lines).status, 200, "lines of one field are one list");
}

#[test]
fn if_none_match_is_compared_weakly() {
    // §13.1.2
    let folder = Folder::new();
    let tag = tag(&folder, "/a.txt");
    for (value, status) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        ("*".into(), 304),
        (format!("\"x\", W/\"y\", {tag}"), 304),
        ("\"x\"".into(), 200),
        (String::new(), 200),
        (tag.to_uppercase() + "x", 200),
        (tag.trim_matches('"').to_owned(), 200),
    ] {
        assert_eq!(ask(&folder, "/a.txt", &format!("If-None-Match: {value}\r\n")).status, status, "{value}");
    }
}

#[test]
fn dates_of_all_three_forms_are_understood() {
    // §5.6.7, §13.1.3, §13.1.4
    let folder = Folder::new();
    for date in [MODIFIED, "Sunday, 09-Sep-01 01:46:40 GMT", "Sun Sep  9 01:46:40 2001"] {
        assert_eq!(ask(&folder, "/a.txt", &format!("If-Modified-Since: {date}\r\n")).status, 304, "{date}");
        assert_eq!(ask(&folder, "/a.txt", &format!("If-Unmodified-Since: {date}\r\n")).status, 200, "{date}");
    }
    // Two digits of a year that would be more than fifty years ahead mean the past.
    assert_eq!(ask(&folder, "/a.txt", "If-Unmodified-Since: Thursday, 09-Sep-99 01:46:40 GMT\r\n").status, 412);
    for (date, status) in [(BEFORE, 200), (AFTER, 304), ("Fri, 31 Dec 9999 23:59:59 GMT", 304)] {
        assert_eq!(ask(&folder, "/a.txt", &format!("If-Modified-Since: {date}\r\n")).status, status, "{date}");
    }
    for (date, status) in [(BEFORE, 412), (AFTER, 200)] {
        assert_eq!(ask(&folder, "/a.txt", &format!("If-Unmodified-Since: {date}\r\n")).status, status, "{date}");
    }
}

#[test]
fn what_is_no_date_is_ignored() {
    // §13.1.3, §13.1.4
    let folder = Folder::new();
    for value in [
        "",
        "0",
        "yesterday",
        "2001-09-09T01:46:40Z",
        "Sun, 09 Sep 2001 01:46:40 GMT, Sun, 09 Sep 2001 01:46:40 GMT",
        "Sun, 09 Sep 2001 01:46:40",
        "Sun, 09 Sep 2001 01:46:40 UTC",
        "Sun, 31 Sep 2001 01:46:40 GMT",
        "Sunday, 09-Sep-01*01:46:40 GMT",
        "Sun Sep 9 01:46:40 2001",
    ] {
        assert_eq!(ask(&folder, "/a.txt", &format!("If-Modified-Since: {value}\r\n")).status, 200, "{value}");
        assert_eq!(ask(&folder, "/a.txt", &format!("If-Unmodified-Since: {value}\r\n")).status, 200, "{value}");
    }
}

/// RFC 9110 §13.1.3, §13.1.4 and §5.3: two lines are a list of two, and a list is no date.
#[test]
fn a_date_that_is_given_twice_is_ignored() {
    let folder = Folder::new();
    for (name, dates) in [("If-Modified-Since", [AFTER, BEFORE]), ("If-Unmodified-Since", [BEFORE, AFTER])] {
        let lines = dates.map(|date| format!("{name}: {date}\r\n")).concat();
        assert_eq!(ask(&folder, "/a.txt", &lines).status, 200, "{lines}");
    }
}

#[test]
fn a_file_without_a_date_has_no_date_conditions() {
    // §13.1.3, §13.1.4: HTTP has no word for what was before 1970 … or so we think of it.
    let folder = Folder::new();
    assert_eq!(ask(&folder, "/ancient.txt", "").field("last-modified"), None);
    for name in ["If-Modified-Since", "If-Unmodified-Since"] {
        for date in [BEFORE, AFTER] {
            assert_eq!(ask(&folder, "/ancient.txt", &format!("{name}: {date}\r\n")).status, 200, "{name} {date}");
        }
    }
}

#[test]
fn tags_come_before_dates() {
    // §13.2.2
    let folder = Folder::new();
    let tag = tag(&folder, "/a.txt");
    for (fields, status) in [
        (format!("If-Match: {tag}\r\nIf-Unmodified-Since: {BEFORE}\r\n"), 200),
        (format!("If-Match: \"x\"\r\nIf-Unmodified-Since: {AFTER}\r\n"), 412),
        (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {AFTER}\r\n"), 200),
        (format!("If-None-Match: {tag}\r\nIf-Modified-Since: {BEFORE}\r\n"), 304),
        (format!("If-Match: \"x\"\r\nIf-None-Match: {tag}\r\n"), 412),
        (format!("If-Match: {tag}\r\nIf-None-Match: {tag}\r\n"), 304),
        (format!("If-Unmodified-Since: {BEFORE}\r\nIf-None-Match: {tag}\r\n"), 412),
        (format!("If-Unmodified-Since: {AFTER}\r\nIf-Modified-Since: {AFTER}\r\n"), 304),
    ] {
        assert_eq!(ask(&folder, "/a.txt", &fields).status, status, "{fields}");
        let reversed: String = fields.split_inclusive('\n').rev().collect();
        assert_eq!(
            ask(&folder, "/a.txt", &reversed).status,
            status,
            "the order of the lines means nothing: {reversed}"
        );
    }
}

#[test]
fn conditions_matter_only_where_the_answer_would_be_a_success() {
    // §13.2.1
    let folder = Folder::new();
    let conditions = format!("If-Match: \"x\"\r\nIf-Unmodified-Since: {BEFORE}\r\nIf-None-Match: *\r\n");
    for (input, status) in [
        (get("/none", &conditions), 404),
        (get("/sub", &conditions), 301),
        (get("/%zz", &conditions), 400),
        (format!("PUT /a.txt HTTP/1.1\r\nHost: a\r\n{conditions}\r\n"), 405),
        (format!("OPTIONS /a.txt HTTP/1.1\r\nHost: a\r\n{conditions}\r\n"), 204),
        (format!("TRACE /a.txt HTTP/1.1\r\nHost: a\r\n{conditions}\r\n"), 405),
    ] {
        assert_eq!(folder.server().one_answer(&input).0.status, status, "{input}");
    }
}

/// RFC 9110 §13.1.1 and §13.1.2: a listing is a representation, too.
#[test]
fn conditions_hold_for_listings() {
    let folder = Folder::new();
    assert_eq!(ask(&folder, "/sub/", "If-Match: *\r\n").status, 200);
    assert_eq!(ask(&folder, "/sub/", "If-None-Match: \"x\"\r\n").status, 200);
    assert_eq!(ask(&folder, "/sub/", "If-Match: \"x\"\r\n").status, 412, "no tag of it is \"x\"");
    assert_eq!(ask(&folder, "/sub/", "If-None-Match: *\r\n").status, 304, "there is one");
}

#[test]
fn a_304_has_the_fields_of_the_200_that_a_cache_needs_and_no_others() {
    // §15.4.5
    let folder = Folder::new();
    for (target, coding) in [("/a.txt", ""), ("/coded.css", "Accept-Encoding: gzip\r\n"), ("/large.bin", "")] {
        let ok = ask(&folder, target, coding);
        let tag = ok.field("etag").unwrap();
        let answer = ask(&folder, target, &format!("{coding}If-None-Match: {tag}\r\n"));
        assert_eq!((answer.status, &*answer.body), (304, &b""[..]));
        for name in ["date", "etag", "vary", "cache-control", "content-location", "expires"] {
            assert_eq!(answer.field(name), ok.field(name), "{target}: {name}");
        }
        for name in ["content-type", "content-length", "content-encoding", "last-modified"] {
            assert_eq!(answer.field(name), None, "{target}: {name}");
        }
    }
}
