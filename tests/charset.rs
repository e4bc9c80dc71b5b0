//! Text is served with the charset that it is written in.

use std::fs;

use encoding_rs::Encoding;
use qibu::StaticFiles;
use qibu::testing::{TestClient, TestResponse};

const CHINESE: &str =
    "七步是每个服务器都要走的路：创建套接字，绑定地址，监听端口，接受连接，接收数据，发送数据，关闭连接。\n";

fn encode(label: &str, text: &str) -> Vec<u8> {
    let (bytes, _, has_gaps) = Encoding::for_label(label.as_bytes()).unwrap().encode(text);
    assert!(!has_gaps, "{label} cannot write this text");
    bytes.into_owned()
}

fn folder() -> (tempfile::TempDir, TestClient) {
    let folder = tempfile::tempdir().unwrap();
    let client = TestClient::new(StaticFiles::new(folder.path()));
    (folder, client)
}

fn content_type(answer: &TestResponse) -> &str {
    answer.header("content-type").unwrap()
}

#[test]
fn each_kind_of_text_gets_its_charset() {
    let (folder, client) = folder();
    let gbk = encode("gbk", CHINESE);
    for (name, value) in [
        ("page.html", "text/html; charset=gbk"),
        ("notes.txt", "text/plain; charset=gbk"),
        ("server.log", "text/plain; charset=gbk"),
        ("table.csv", "text/csv; charset=gbk"),
        ("notes.md", "text/markdown; charset=gbk"),
        ("README", "text/plain; charset=gbk"),
        ("classic.js", "text/javascript; charset=gbk"),
        ("module.mjs", "text/javascript; charset=utf-8"),
        ("data.json", "application/json"),
        ("data.xml", "text/xml"),
        ("unknown", "application/octet-stream"),
    ] {
        fs::write(folder.path().join(name), &gbk).unwrap();
        let answer = client.get(&format!("/{name}")).send();
        assert_eq!(content_type(&answer), value, "{name}");
        assert_eq!(answer.bytes(), gbk, "{name}: the bytes are those of the file");
    }
}

#[test]
fn a_ts_is_a_program_or_a_film() {
    let (folder, client) = folder();
    let film = [b"G\x40\0\x10".to_vec(), vec![0xff; 184]].concat();
    let program = b"export const seven: number = 7;\n".to_vec();
    // Once as it is read at once, once as it is sent from the disk.
    for (times, name) in [1, 1000].into_iter().flat_map(|times| ["a.ts", "b.TS", "c.mts"].map(|name| (times, name))) {
        for (bytes, value) in [
            (film.repeat(times), "video/mp2t"),
            (program.repeat(times), "text/plain; charset=utf-8"),
            (encode("gbk", CHINESE).repeat(times), "text/plain; charset=gbk"),
            (vec![], "text/plain; charset=utf-8"),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, &bytes).unwrap();
            fs::write(folder.path().join(format!("{name}.gz")), b"coded").unwrap();
            let answer = client.get(&format!("/{name}")).header("accept-encoding", "gzip").send();
            assert_eq!(content_type(&answer), value, "{name}, {} bytes", bytes.len());
            let coding = (value != "video/mp2t").then_some("gzip");
            assert_eq!(answer.header("content-encoding"), coding, "a film gains nothing");
            let plain = client.get(&format!("/{name}")).send();
            assert_eq!((content_type(&plain), plain.bytes()), (value, &bytes[..]), "{name}");
            assert_eq!(plain.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(qibu::Response::file(&path).unwrap().headers()["content-type"], value, "{name}");
        }
    }
}

#[test]
fn the_index_of_a_folder_has_its_own_charset() {
    let (folder, client) = folder();
    fs::write(folder.path().join("index.html"), encode("big5", "<title>七步</title><meta charset=big5><p>歡迎光臨"))
        .unwrap();
    assert_eq!(content_type(&client.get("/").send()), "text/html; charset=big5");
}

#[test]
fn compressed_text_keeps_the_charset_of_the_plain_text() {
    let (folder, client) = folder();
    let gbk = encode("gbk", &CHINESE.repeat(50));
    fs::write(folder.path().join("made.txt"), &gbk).unwrap();
    fs::write(folder.path().join("beside.txt"), &gbk).unwrap();
    fs::write(folder.path().join("beside.txt.br"), "compressed beforehand").unwrap();
    for name in ["/made.txt", "/beside.txt"] {
        let answer = client.get(name).header("accept-encoding", "br").send();
        assert_eq!(answer.header("content-encoding"), Some("br"), "{name}");
        assert_eq!(content_type(&answer), "text/plain; charset=gbk", "{name}");
    }
}

#[test]
fn a_large_file_is_known_too_in_whole_and_in_part() {
    let (folder, client) = folder();
    let text = [
        "all of this is ASCII\n".repeat(50_000).into_bytes(),
        encode("euc-kr", "서버는 일곱 단계를 거칩니다. ").repeat(9),
    ];
    fs::write(folder.path().join("large.txt"), text.concat()).unwrap();
    for _ in 0..2 {
        let whole = client.get("/large.txt").send();
        assert_eq!(content_type(&whole), "text/plain; charset=euc-kr");
        let part = client.get("/large.txt").header("range", "bytes=0-9").send();
        assert_eq!((part.status(), content_type(&part)), (206, "text/plain; charset=euc-kr"));
        let head = client.request("HEAD", "/large.txt").send();
        assert_eq!(content_type(&head), "text/plain; charset=euc-kr");
    }
}

#[test]
fn a_file_that_is_written_anew_in_another_charset_is_known_anew() {
    for copies in [1, 2_000] {
        let (folder, client) = folder();
        let path = folder.path().join("a.txt");
        for label in ["gbk", "utf-8", "gbk"] {
            fs::write(&path, encode(label, CHINESE).repeat(copies)).unwrap();
            for _ in 0..2 {
                assert_eq!(content_type(&client.get("/a.txt").send()), format!("text/plain; charset={label}"));
            }
        }
    }
}

#[test]
fn the_user_knows_better() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "七步").unwrap();
    fs::write(folder.path().join("a.json"), "{}").unwrap();
    let client = TestClient::new(StaticFiles::new(folder.path()).charset("Latin1").unwrap());
    assert_eq!(content_type(&client.get("/a.txt").send()), "text/plain; charset=windows-1252");
    assert_eq!(content_type(&client.get("/a.json").send()), "application/json");
}

#[test]
fn a_browser_that_has_the_file_in_another_charset_gets_it_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "七步").unwrap();
    let as_found = TestClient::new(StaticFiles::new(folder.path()));
    let as_told = TestClient::new(StaticFiles::new(folder.path()).charset("gbk").unwrap());
    let found = as_found.get("/a.txt").send();
    let tag = found.header("etag").unwrap();
    assert_eq!(as_found.get("/a.txt").header("if-none-match", tag).send().status(), 304);
    assert_eq!(as_told.get("/a.txt").header("if-none-match", tag).send().status(), 200);
}

#[test]
fn a_charset_that_there_is_not_is_named() {
    for name in ["utf-9", "", "hz-gb-2312"] {
        let error = StaticFiles::new(".").charset(name).unwrap_err();
        assert!(error.to_string().contains(&format!("{name:?}")), "{error}");
    }
}
