//! Forms with files: what comes out of them, however they are cut, and what is refused.

use std::io::Read;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use qibu::multipart::Multipart;
use qibu::testing::{TestClient, TestRequest, TestResponse};
use qibu::{Request, Result, blocking, limit, streaming};

const MULTIPART: &str = "multipart/form-data; boundary=X";

fn post<'a>(client: &'a TestClient, body: impl AsRef<[u8]>) -> TestRequest<'a> {
    client.post("/").header("content-type", MULTIPART).body(body.as_ref().to_vec())
}

/// Each part as `name(file, type)=content`, through limits of a test's own.
fn reader(limits: fn(Multipart<'_>) -> Multipart<'_>) -> TestClient {
    TestClient::new(blocking(move |request: &mut Request| -> Result<String> {
        let (mut form, mut seen) = (limits(request.multipart()?), Vec::new());
        while let Some(mut part) = form.next_part()? {
            let text = part.text()?;
            let (file, media_type) = (part.file_name().unwrap_or("-"), part.content_type().unwrap_or("-"));
            seen.push(format!("{}({file}, {media_type})={text}", part.name()));
        }
        Ok(seen.join("|"))
    }))
}

fn read(body: impl AsRef<[u8]>) -> (u16, String) {
    seen(&post(&reader(|form| form), body).send())
}

fn seen(answer: &TestResponse) -> (u16, String) {
    (answer.status(), answer.text().trim_end().to_owned())
}

/// One part with this head and content.
fn part(head: &str, content: &str) -> String {
    format!("--X\r\n{head}\r\n\r\n{content}\r\n--X--\r\n")
}

fn field(name: &str, content: &str) -> String {
    format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
}

#[test]
fn fields_and_files_come_in_order() {
    let body = field("title", "two\r\nlines")
        + "--X\r\ncontent-disposition: Form-Data; filename=\"a b.txt\"; name=\"file\"\r\nContent-Type: text/plain\r\n\
           X-Other: 1\r\n\r\nthis --X is not at the start of a line\r\n\r\n"
        + "\r\n--X \t\r\nContent-Disposition: form-data; name=empty\r\n\r\n\r\n--X--\r\nepilogue";
    let expected = "title(-, -)=two\r\nlines|file(a b.txt, text/plain)=this --X is not at the start of a line\r\n\r\n|empty(-, -)=";
    assert_eq!(read(&body), (200, expected.to_owned()));
    assert_eq!(read(format!("a preamble\r\n{body}")), (200, expected.to_owned()));
    assert_eq!(read("--X--"), (200, String::new()), "no parts at all");
}

#[test]
fn a_part_without_content_may_share_its_line_end_with_the_boundary() {
    let body = "--X\r\nContent-Disposition: form-data; name=a\r\n\r\n--X\r\nContent-Disposition: form-data; name=b\r\n\r\nb\r\n--X--";
    assert_eq!(read(body), (200, "a(-, -)=|b(-, -)=b".to_owned()));
}

#[test]
fn a_file_name_is_never_a_path() {
    let name = |sent: &str| {
        let answer = read(part(&format!("Content-Disposition: form-data; name=f; filename=\"{sent}\""), ""));
        answer.1.trim_start_matches("f(").trim_end_matches(", -)=").to_owned()
    };
    assert_eq!(name("../../etc/passwd"), "passwd");
    assert_eq!(name("C:\\dir\\a.txt"), "a.txt");
    assert_eq!(name("C:a.txt"), "a.txt");
    assert_eq!(name("a \\\"b\\\".txt"), "a \"b\".txt");
    assert_eq!(name("七.txt"), "七.txt");
    assert_eq!(name("%22.txt"), "%22.txt");
    for none in ["", ".", "..", "/", "a/", "a/..", "...", "a\u{7f}", " "] {
        assert_eq!(name(none), "-", "{none:?}");
    }
}

#[test]
fn what_is_no_form_is_415() {
    let client = reader(|form| form);
    for media_type in [
        "",
        "text/plain",
        "multipart/mixed; boundary=X",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"X",
        "multipart/form-data; boundary=\"X \"",
        "multipart/form-data; boundary=\"a\\b\"",
        &format!("multipart/form-data; boundary={}", "X".repeat(71)),
    ] {
        let answer = client.post("/").header("content-type", media_type).body("--X--").send();
        assert_eq!(answer.status(), 415, "{media_type}");
    }
    for media_type in ["Multipart/Form-Data;charset=utf-8 ; Boundary=X", "multipart/form-data; boundary=\"X\""] {
        let answer = client.post("/").header("content-type", media_type).body("--X--").send();
        assert_eq!(answer.status(), 200, "{media_type}");
    }
}

#[test]
fn what_is_malformed_is_400() {
    let no_name = "the form has a part without a name, or with malformed fields";
    for head in [
        "",
        "Content-Type: text/plain",
        "Content-Disposition: form-data",
        "Content-Disposition: form-data; filename=a",
        "Content-Disposition: attachment; name=a",
        "Content-Disposition: form-data; name=a; name=b",
        "Content-Disposition: form-data; name=\"a",
        "Content-Disposition: form-data; name=\"a\"b",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
        "Content-Disposition: form-data; name=a\r\nno field",
        "Content-Disposition: form-data; name=a\r\n folded: 1",
        "Content-Disposition: form-data; name=a\nb: c",
        "Content-Disposition: form-data; name=a\0",
    ] {
        assert_eq!(read(part(head, "")), (400, no_name.to_owned()), "{head:?}");
    }
    let unended = (400, "the form has a boundary that does not end its line".to_owned());
    assert_eq!(read("--Xx\r\n"), unended);
    assert_eq!(read("--X\n"), unended);
    assert_eq!(read(format!("--X{}", " ".repeat(300))), unended);
    let whole = field("a", "b") + "--X--";
    for length in 0..whole.len() {
        let expected = (400, "the form ends before its last boundary".to_owned());
        assert_eq!(read(&whole[..length]), expected, "{length}");
    }
    assert_eq!(
        read(b"--X\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n--X--").1,
        "the form's `a` is not UTF-8 text"
    );
}

#[test]
fn every_number_has_a_limit_that_is_named() {
    let refused = |limits: fn(Multipart<'_>) -> Multipart<'_>, body: String| seen(&post(&reader(limits), body).send());
    let two = field("a", "12345") + &field("b", "67890") + "--X--";
    let whole = "a(-, -)=12345|b(-, -)=67890";
    assert_eq!(
        refused(|form| form.part_limit(5).total_limit(10).count_limit(2).memory_limit(5), two.clone()),
        (200, whole.to_owned())
    );
    let part = refused(|form| form.part_limit(4), two.clone());
    assert_eq!(part, (413, "the form's `a` is over 4 bytes (part_limit)".to_owned()));
    let total = refused(|form| form.total_limit(9), two.clone());
    assert_eq!(total, (413, "the form is over 9 bytes (total_limit)".to_owned()));
    let count = refused(|form| form.count_limit(1), two.clone());
    assert_eq!(count, (413, "the form has over 1 parts (count_limit)".to_owned()));
    let memory = refused(|form| form.memory_limit(4), two);
    assert_eq!(memory, (413, "the form's `a` is over 4 bytes (memory_limit)".to_owned()));
    let head = refused(|form| form.head_limit(100), field(&"n".repeat(100), "") + "--X--");
    assert_eq!(head, (413, "the form has a part with fields over 100 bytes (head_limit)".to_owned()));
    let default = refused(|form| form, field(&"n".repeat(9000), "") + "--X--");
    assert_eq!(default, (413, "the form has a part with fields over 8192 bytes (head_limit)".to_owned()));
    let many = refused(|form| form, field("a", "").repeat(101) + "--X--");
    assert_eq!(many, (413, "the form has over 100 parts (count_limit)".to_owned()));
}

#[test]
fn limits_hold_for_parts_that_are_skipped_and_for_those_that_are_read_as_a_stream() {
    let body = field("a", "12345") + "--X--";
    let skip = |request: &mut Request| -> Result<&str> {
        let mut form = request.multipart()?.part_limit(4);
        while form.next_part()?.is_some() {}
        Ok("skipped")
    };
    assert_eq!(post(&TestClient::new(skip), &body).send().status(), 413);
    let copy = |request: &mut Request| -> Result<String> {
        let mut form = request.multipart()?.part_limit(4);
        let mut part = form.next_part()?.expect("there is one");
        Ok(std::io::copy(&mut part, &mut std::io::sink())?.to_string())
    };
    let answer = post(&TestClient::new(copy), &body).send();
    assert_eq!(seen(&answer), (413, "the form's `a` is over 4 bytes (part_limit)".to_owned()), "not a 500");
}

#[test]
fn parts_that_are_not_read_are_skipped() {
    let client = TestClient::new(|request: &mut Request| -> Result<String> {
        let (mut form, mut names) = (request.multipart()?, String::new());
        while let Some(mut part) = form.next_part()? {
            let mut first = [0; 1];
            let _ = part.read(&mut first)?;
            names += part.name();
        }
        Ok(names)
    });
    let body = field("a", &"x".repeat(200_000)) + &field("b", "") + &field("c", &"y".repeat(100_000)) + "--X--";
    assert_eq!(post(&client, body).send().text(), "abc");
}

#[test]
fn a_part_is_saved_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_owned();
    let client = TestClient::new(blocking(move |request: &mut Request| -> Result<String> {
        let mut form = request.multipart()?.part_limit(100_000);
        let mut part = form.next_part()?.expect("there is one");
        Ok(part.save_to(at.join("upload.bin"))?.to_string())
    }));
    let names =
        || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    let too_long = post(&client, field("a", &"x".repeat(100_001)) + "--X--").send();
    assert_eq!(too_long.status(), 413);
    assert_eq!(post(&client, "--X\r\nContent-Disposition: form-data; name=a\r\n\r\nhalf").send().status(), 400);
    assert!(names().is_empty(), "{:?}", names());
    assert_eq!(post(&client, field("a", &"x".repeat(100_000)) + "--X--").send().text(), "100000");
    assert_eq!(std::fs::read(folder.path().join("upload.bin")).unwrap(), vec![b'x'; 100_000]);
    let again = post(&client, field("a", "other") + "--X--").send();
    assert_eq!(seen(&again), (409, "there is a file of that name already".to_owned()));
    assert_eq!(names(), ["upload.bin"]);
    assert_eq!(std::fs::metadata(folder.path().join("upload.bin")).unwrap().len(), 100_000);
}

fn some_of(pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<&'static [u8]>> {
    proptest::collection::vec(proptest::sample::select(pieces), 0..16)
}

#[test]
fn a_form_that_arrives_while_it_is_read_is_the_same() {
    let client = TestClient::new(limit(
        streaming(|request: &mut Request| -> Result<String> {
            let (mut form, mut seen) = (request.multipart()?.part_limit(3_000_000), String::new());
            while let Some(mut part) = form.next_part()? {
                seen += &format!("{} {}, ", part.name().to_owned(), std::io::copy(&mut part, &mut std::io::sink())?);
            }
            Ok(seen)
        }),
        10 << 20,
    ));
    let body = field("small", "12345") + &field("large", &"x".repeat(3_000_000)) + "--X--";
    assert_eq!(seen(&post(&client, &body).send()), (200, "small 5, large 3000000,".to_owned()));
    let long = body.replace("12345", &"y".repeat(3_000_001));
    assert_eq!(post(&client, long).send().status(), 413);
}

/// Content that is likely to look like a boundary.
fn tricky() -> impl Strategy<Value = Vec<u8>> {
    let text = some_of(&[b"\r\n", b"--", b"\r\n--", b"\r", b"X", b"\n", b"a"]).prop_map(|pieces| pieces.concat());
    text.prop_filter("the boundary must not be in it", |text| {
        let with_line = [b"\r\n", &text[..], b"\r\n"].concat();
        !with_line.windows(5).any(|window| window == b"\r\n--X")
    })
}

type Parts = Vec<(String, Vec<u8>)>;

proptest! {
    /// What was put in comes out, however small the reads are.
    #[test]
    fn parts_come_out_as_they_went_in(contents in proptest::collection::vec(tricky(), 0..4), step in 1usize..9) {
        let mut body = Vec::new();
        for (number, content) in contents.iter().enumerate() {
            body.extend_from_slice(format!("--X\r\nContent-Disposition: form-data; name={number}\r\n\r\n").as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--X--");
        let found: Arc<Mutex<Parts>> = Arc::default();
        let keep = found.clone();
        let client = TestClient::new(move |request: &mut Request| -> Result<()> {
            let mut form = request.multipart()?;
            while let Some(mut part) = form.next_part()? {
                let (mut content, mut few) = (Vec::new(), vec![0; step]);
                while let count @ 1.. = part.read(&mut few)? {
                    content.extend_from_slice(&few[..count]);
                }
                keep.lock().unwrap().push((part.name().to_owned(), content));
            }
            Ok(())
        });
        prop_assert_eq!(post(&client, body).send().status(), 204);
        let expected: Parts = contents.into_iter().enumerate().map(|(number, content)| (number.to_string(), content)).collect();
        prop_assert_eq!(&*found.lock().unwrap(), &expected);
    }

    /// Whatever is sent, the answer is a success or a 4xx.
    #[test]
    fn any_body_has_a_reading(pieces in some_of(&[
        b"--X", b"\r\n", b"--", b"Content-Disposition: form-data; name=a", b"\"", b"; filename=\"", b"\\", b" ", b"\xff", b":",
    ])) {
        let (status, _) = read(pieces.concat());
        prop_assert!(matches!(status, 200 | 400), "{}", status);
    }
}
