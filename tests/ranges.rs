//! Parts of files: several in one answer, files of no byte and of more than 4 GiB, and sets of ranges that want too much.

#[path = "common/mod.rs"]
mod common;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use common::{local, serve};
use qibu::StaticFiles;
use qibu::testing::{TestClient, TestResponse};

const TEXT: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

/// Larger than what is kept in memory: it is sent from the file.
const LARGE_BYTES: usize = 100_000;

fn large() -> Vec<u8> {
    (0..LARGE_BYTES).map(|at| (at % 251) as u8).collect()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), TEXT).unwrap();
    fs::write(folder.path().join("empty.txt"), "").unwrap();
    fs::write(folder.path().join("large.bin"), large()).unwrap();
    folder
}

fn ask(folder: &Path, target: &str, range: &str) -> TestResponse {
    TestClient::new(StaticFiles::new(folder)).get(target).header("range", range).send()
}

/// One part of a multipart answer.
#[derive(Debug, PartialEq)]
struct Part {
    content_type: String,
    content_range: String,
    bytes: Vec<u8>,
}

/// Takes a `multipart/byteranges` answer apart, as RFC 2046 section 5.1 says; panics if it is not one.
fn parts(answer: &TestResponse) -> Vec<Part> {
    assert_eq!((answer.status(), answer.header("content-range")), (206, None));
    let boundary = answer.header("content-type").unwrap().strip_prefix("multipart/byteranges; boundary=").unwrap();
    let delimiter = format!("\r\n--{boundary}");
    let all = [b"\r\n", answer.bytes()].concat();
    let mut pieces = split(&all, delimiter.as_bytes());
    assert_eq!(pieces.remove(0), b"", "nothing stands before the first");
    assert_eq!(pieces.pop().unwrap(), b"--\r\n", "the last is marked");
    pieces.into_iter().map(part).collect()
}

fn part(piece: &[u8]) -> Part {
    let end = piece.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&piece[..end]).unwrap();
    let field = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} is missing in {head:?}")).trim().to_owned()
    };
    Part {
        content_type: field("content-type:"),
        content_range: field("content-range:"),
        bytes: piece[end + 4..].to_vec(),
    }
}

fn split<'a>(mut bytes: &'a [u8], at: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while let Some(place) = bytes.windows(at.len()).position(|window| window == at) {
        pieces.push(&bytes[..place]);
        bytes = &bytes[place + at.len()..];
    }
    pieces.push(bytes);
    pieces
}

#[test]
fn several_ranges_come_as_parts_in_the_order_asked_for() {
    let folder = folder();
    let large = large();
    for (target, whole, content_type, range, places) in [
        ("/a.txt", TEXT.as_bytes(), "text/plain; charset=utf-8", "bytes=0-4,10-12,-2", &[0..5, 10..13, 34..36][..]),
        ("/a.txt", TEXT.as_bytes(), "text/plain; charset=utf-8", "bytes=30-99, 0-0", &[30..36, 0..1]),
        (
            "/large.bin",
            &large,
            "application/octet-stream",
            "bytes=99999-,0-69999,70001-70001",
            &[99_999..100_000, 0..70_000, 70_001..70_002],
        ),
    ] {
        let answer = ask(folder.path(), target, range);
        let expected: Vec<_> = places
            .iter()
            .map(|place| Part {
                content_type: content_type.into(),
                content_range: format!("bytes {}-{}/{}", place.start, place.end - 1, whole.len()),
                bytes: whole[place.clone()].to_vec(),
            })
            .collect();
        assert_eq!(parts(&answer), expected, "{target} {range}");
        assert_eq!(answer.header("content-length"), Some(&*answer.bytes().len().to_string()));
    }
}

#[test]
fn an_answer_in_parts_has_the_other_fields_of_the_whole() {
    let folder = folder();
    let client = TestClient::new(StaticFiles::new(folder.path()));
    for target in ["/a.txt", "/large.bin"] {
        let whole = client.get(target).send();
        let answer = client.get(target).header("range", "bytes=0-0,5-5").send();
        for name in ["etag", "last-modified", "cache-control", "accept-ranges", "vary", "x-content-type-options"] {
            assert_eq!(answer.header(name), whole.header(name), "{target}: {name}");
        }
    }
}

#[test]
fn one_range_that_the_file_has_is_no_multipart() {
    let folder = folder();
    for range in ["bytes=3-4,100-", "bytes=,3-4,", "bytes=900-1000,3-4,-0"] {
        let answer = ask(folder.path(), "/a.txt", range);
        assert_eq!((answer.status(), answer.header("content-range")), (206, Some("bytes 3-4/36")), "{range}");
        assert_eq!(answer.text(), "34");
    }
    let none = ask(folder.path(), "/a.txt", "bytes=36-,99-,-0");
    assert_eq!((none.status(), none.header("content-range")), (416, Some("bytes */36")));
}

#[test]
fn no_boundary_is_used_twice() {
    let folder = folder();
    let boundary = || ask(folder.path(), "/a.txt", "bytes=0-0,5-5").header("content-type").unwrap().to_owned();
    assert_ne!(boundary(), boundary());
}

#[test]
fn conditions_if_range_and_head_are_the_same_for_several_ranges() {
    let folder = folder();
    let client = TestClient::new(StaticFiles::new(folder.path()));
    let whole = client.get("/a.txt").send();
    let tag = whole.header("etag").unwrap();
    let ask = |name: &str, value: &str| {
        client.get("/a.txt").header("range", "bytes=0-0,5-5").header(name, value).send().status()
    };
    assert_eq!(ask("if-none-match", tag), 304);
    assert_eq!(ask("if-match", "\"x\""), 412);
    assert_eq!(ask("if-range", tag), 206);
    assert_eq!(ask("if-range", "\"x\""), 200);
    let head = |range| {
        let answer = client.request("HEAD", "/a.txt").header("range", range).send();
        (answer.status(), answer.header("content-length").map(str::to_owned))
    };
    assert_eq!(head("bytes=0-0,5-5"), (200, Some("36".into())), "Range is for GET");
    assert_eq!(head("bytes=99-"), (200, Some("36".into())));
}

#[test]
fn parts_are_of_the_file_as_it_is_and_never_of_a_compressed_form() {
    let folder = folder();
    fs::write(folder.path().join("a.txt.gz"), "(gzip)").unwrap();
    let client = TestClient::new(StaticFiles::new(folder.path()));
    let coded = client.get("/a.txt").header("accept-encoding", "gzip").send();
    assert_eq!((coded.header("content-encoding"), coded.text()), (Some("gzip"), "(gzip)"));
    let answer = client.get("/a.txt").header("accept-encoding", "gzip").header("range", "bytes=0-1,4-5").send();
    assert_eq!(answer.header("content-encoding"), None);
    let bytes: Vec<_> = parts(&answer).into_iter().map(|part| part.bytes).collect();
    assert_eq!(bytes, [b"01", b"45"]);
}

#[test]
fn an_empty_file_has_no_part() {
    let folder = folder();
    for range in ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=0-0,-1"] {
        let answer = ask(folder.path(), "/empty.txt", range);
        assert_eq!((answer.status(), answer.header("content-range")), (416, Some("bytes */0")), "{range}");
    }
    let whole = ask(folder.path(), "/empty.txt", "bytes=5-3");
    assert_eq!((whole.status(), whole.header("content-length"), whole.bytes()), (200, Some("0"), &b""[..]));
}

// ---- large ----

const GIB: u64 = 1 << 30;

/// A file that takes no room, with a mark at these places.
fn sparse(folder: &Path, length: u64, marks: &[u64]) {
    let mut file = File::create(folder.join("sparse.bin")).unwrap();
    file.set_len(length).unwrap();
    for mark in marks {
        file.seek(SeekFrom::Start(*mark)).unwrap();
        file.write_all(b"mark").unwrap();
    }
}

#[test]
fn numbers_above_4_gib_are_right_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (length, mark) = (5 * GIB + 7, 4 * GIB + 5);
    sparse(folder.path(), length, &[mark, length - 4]);
    // Over real sockets: sendfile has to get the large offsets right, too.
    let server = serve(local(), StaticFiles::new(folder.path()));
    for (range, first, last) in [
        (format!("bytes={mark}-{}", mark + 3), mark, mark + 3),
        ("bytes=-4".to_owned(), length - 4, length - 1),
        (format!("bytes={}-", length - 4), length - 4, length - 1),
        (format!("bytes={}-99999999999999999999", length - 4), length - 4, length - 1),
    ] {
        let mut client = server.connect();
        client.send(format!("GET /sparse.bin HTTP/1.1\r\nHost: a\r\nRange: {range}\r\n\r\n"));
        let answer = client.answer();
        assert_eq!((answer.status(), &*answer.body), (206, &b"mark"[..]), "{range}");
        assert_eq!(answer.head.field("content-range"), Some(&*format!("bytes {first}-{last}/{length}")));
    }
    let range = format!("bytes={mark}-{},-4", mark + 3);
    let mut client = server.connect();
    client.send(format!("GET /sparse.bin HTTP/1.1\r\nHost: a\r\nRange: {range}\r\n\r\n"));
    let text = String::from_utf8(client.answer().body).unwrap();
    assert!(text.contains(&format!("content-range: bytes {mark}-{}/{length}\r\n\r\nmark\r\n--", mark + 3)), "{text}");
    let mut client = server.connect();
    let head = client.send("HEAD /sparse.bin HTTP/1.1\r\nHost: a\r\n\r\n").head();
    assert_eq!((head.status, head.field("content-length")), (200, Some(&*length.to_string())));
    let mut client = server.connect();
    let range = format!("bytes={length}-");
    client.send(format!("GET /sparse.bin HTTP/1.1\r\nHost: a\r\nRange: {range}\r\n\r\n"));
    let head = client.head();
    assert_eq!((head.status, head.field("content-range")), (416, Some(&*format!("bytes */{length}"))));
}
