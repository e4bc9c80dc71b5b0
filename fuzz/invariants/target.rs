//! Paths into a folder. The input is the target of a request, as raw as HTTP allows: white space and control characters in
//! it are percent-encoded, all else goes as it is.
//!
//! ```text
//! beside/
//!   secret.txt                       what must never be seen
//!   root-secret/secret.txt           a name that begins like the root's
//!   root/                            what is served
//!     .hidden  .git/config           never seen, either
//!     .well-known/acme  .well-known/.hidden
//!     in.txt → sub/a.txt   in → sub  links that stay inside
//!     a.txt.gz                       what is sent for a.txt to those who take gzip
//!     out.txt → ../secret.txt   out → ..   up → sub/../..   absolute → …/secret.txt   loop → loop
//!     sub/a.txt …                    files whose content is their path
//! ```

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use qibu::testing::TestConn;
use qibu::{Http, StaticFiles};
use tempfile::TempDir;

use super::answers::{self, Answer, Asked, Read};
use super::{grammar, log_everything, text};

/// Never a byte from outside the folder, never a hidden file but in `/.well-known`, and each file only under its own name;
/// a `Location` begins with exactly one slash and leads to an answer; HEAD says the same as GET; no 5xx.
pub(crate) fn target(data: &[u8]) {
    log_everything();
    let target = encode(data);
    FOLDER.with(|folder| {
        let answer = folder.ask("GET", &target, b"");
        check(&answer, &target);
        assert_eq!(without_date(folder.ask("GET", &target, b"")), without_date(answer.clone()), "asked twice");
        check_coded(&folder.ask("GET", &target, CODINGS), &answer, &target);
        let head = folder.ask("HEAD", &target, b"");
        assert_eq!(without_date(head), Answer { body: Vec::new(), ..without_date(answer.clone()) }, "HEAD and GET");
        if let Some(location) = answer.field("location") {
            check_location(&folder.ask("GET", location, b""), location);
        }
    });
}

thread_local! {
    static FOLDER: Folder = Folder::new().expect("a temporary folder");
}

/// What may be seen, and under which names.
const FILES: [(&str, &str); 20] = [
    ("/a.txt", "a.txt"),
    ("/a.txt.gz", "a.txt.gz"),
    ("/a b+c%d&e;f=g,h@i$j!k'l(m)n*o~p.txt", "a b+c%d&e;f=g,h@i$j!k'l(m)n*o~p.txt"),
    ("/back\\slash", "back\\slash"),
    ("/c:", "c:"),
    ("/sub/a.txt", "sub/a.txt"),
    ("/sub/b.html", "sub/b.html"),
    ("/sub/deeper/c.svg", "sub/deeper/c.svg"),
    ("/in.txt", "sub/a.txt"),
    ("/in/a.txt", "sub/a.txt"),
    ("/in/b.html", "sub/b.html"),
    ("/in/deeper/c.svg", "sub/deeper/c.svg"),
    ("/page/", "page/index.html"),
    ("/page/index.html", "page/index.html"),
    ("/odd/index.html/x", "odd/index.html/x"),
    ("/\u{e4}\u{4e03}.txt", "\u{e4}\u{4e03}.txt"),
    ("/.well-known/acme", ".well-known/acme"),
    ("/large.bin", "large.bin"),
    ("/empty", "empty"),
    ("/a?b#c", "a?b#c"),
];

/// Folders without an index, and what a listing of them may name.
const LISTINGS: [(&str, &[&str]); 8] = [
    (
        "/",
        &[
            "a.txt",
            "a.txt.gz",
            "a b+c%d&e;f=g,h@i$j!k'l(m)n*o~p.txt",
            "back\\slash",
            "c:",
            "sub/",
            "in.txt",
            "in/",
            "page/",
            "odd/",
            "\u{e4}\u{4e03}.txt",
            ".well-known/",
            "large.bin",
            "empty",
            "a?b#c",
            "<script>/",
            "who?#/",
        ],
    ),
    ("/sub/", &["a.txt", "b.html", "deeper/"]),
    ("/in/", &["a.txt", "b.html", "deeper/"]),
    ("/odd/", &["index.html/"]),
    ("/odd/index.html/", &["x"]),
    ("/.well-known/", &["acme"]),
    ("/<script>/", &[]),
    ("/who?#/", &[]),
];

/// The same below both names of a folder.
const DEEPER: [&str; 2] = ["/sub/deeper/", "/in/deeper/"];

/// With these a file beside the one that was asked for may be sent.
const CODINGS: &[u8] = b"Accept-Encoding: br, gzip;q=0.5\r\n";

const SECRET: &str = "SECRET";

/// Over what is read into memory.
const LARGE_BYTES: usize = 40_000;

struct Folder {
    files: Arc<StaticFiles>,
    _beside: TempDir,
}

impl Folder {
    fn new() -> io::Result<Self> {
        let beside = tempfile::tempdir()?;
        let root = beside.path().join("root");
        build(beside.path(), &root)?;
        Ok(Self { files: Arc::new(StaticFiles::new(&root)), _beside: beside })
    }

    fn ask(&self, method: &str, target: &[u8], field: &[u8]) -> Answer {
        let mut conn = TestConn::open(Http::new(self.files.clone())).expect("HTTP opens every connection");
        let line = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\n"].concat();
        conn.send(&[&line, field, b"Host: a\r\nConnection: close\r\n\r\n"].concat());
        let received = conn.recv();
        let asked = if method == "HEAD" { Asked::ForHead } else { Asked::ForAll };
        match answers::read(&received, |_| asked) {
            Read::Whole(answer, b"") => answer,
            other => panic!("{other:?} to {method} {}", text(target)),
        }
    }
}

fn build(beside: &Path, root: &Path) -> io::Result<()> {
    for folder in [
        "root/sub/deeper",
        "root/.git",
        "root/.well-known",
        "root/page",
        "root/odd/index.html",
        "root/<script>",
        "root/who?#",
        "root/sub/.well-known",
        "root-secret",
    ] {
        fs::create_dir_all(beside.join(folder))?;
    }
    for secret in [
        "secret.txt",
        "root-secret/secret.txt",
        "root/.hidden",
        "root/.git/config",
        "root/.well-known/.hidden",
        "root/sub/.well-known/acme",
        "root/...",
        "root/sub/.index.html",
    ] {
        fs::write(beside.join(secret), SECRET)?;
    }
    for (_, path) in FILES {
        fs::write(root.join(path), content(path))?;
    }
    links(beside, root)
}

fn links(beside: &Path, root: &Path) -> io::Result<()> {
    use std::os::unix::{fs::symlink, net::UnixListener};
    for (link, leads_to) in [
        ("in.txt", "sub/a.txt"),
        ("in", "sub"),
        ("out.txt", "../secret.txt"),
        ("out", ".."),
        ("up", "sub/../.."),
        ("sub/out.txt", "../../secret.txt"),
        ("sub/b.html.br", "../../secret.txt"),
        ("loop", "loop"),
        ("nowhere", "nothing"),
    ] {
        symlink(leads_to, root.join(link))?;
    }
    symlink(beside.join("secret.txt"), root.join("absolute"))?;
    symlink(beside.join("root-secret"), root.join("absolute-folder"))?;
    drop(UnixListener::bind(root.join("socket"))?);
    Ok(())
}

fn content(path: &str) -> Vec<u8> {
    match path {
        "large.bin" => path.as_bytes().iter().copied().cycle().take(LARGE_BYTES).collect(),
        "empty" => Vec::new(),
        _ => path.as_bytes().to_vec(),
    }
}

/// What cannot stand in a request line is percent-encoded; and the target begins with a slash.
fn encode(data: &[u8]) -> Vec<u8> {
    let mut target = if data.starts_with(b"/") { Vec::new() } else { b"/".to_vec() };
    for byte in data {
        match byte {
            0..=b' ' | 0x7f => target.extend(format!("%{byte:02x}").bytes()),
            _ => target.push(*byte),
        }
    }
    target
}

/// Whether the answer has the secret word from a file. A filter (`?q=`) is shown again: who asks with the word learns nothing.
fn tells(answer: &Answer, target: &[u8]) -> bool {
    let knows = |text: &[u8]| contains(text, SECRET);
    let is_known = knows(target) || grammar::percent_decode(target).is_some_and(|target| knows(&target));
    knows(&answer.body) && !is_known
}

fn check(answer: &Answer, target: &[u8]) {
    let asked_for = text(target);
    assert!(answer.status < 500, "{} to {asked_for}", answer.status);
    assert!(!tells(answer, target), "{asked_for} shows what it must not: {}", text(&answer.body));
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    match answer.status {
        200 => check_content(answer, path, if target.contains(&b'?') { Names::Some } else { Names::All }),
        301 => {
            let location = answer.field("location").unwrap_or_else(|| panic!("no Location: {asked_for}"));
            let is_local = location.starts_with(b"/") && !matches!(location.get(1), Some(b'/' | b'\\'));
            assert!(is_local, "Location: {} for {asked_for}", text(location));
        }
        400 => assert!(is_malformed(target, path), "{asked_for} is malformed?"),
        403 | 404 => {
            let file = grammar::percent_decode(path).and_then(|path| file_at(&path));
            assert!(file.is_none() || is_respelled(path), "{asked_for} is not found");
        }
        other => panic!("{other} to {asked_for}"),
    }
}

/// What RFC 3986 does not allow: a fragment, a `%` without its digits; nor do we allow NUL, and bytes that are no text.
fn is_malformed(target: &[u8], path: &[u8]) -> bool {
    let is_encoded = grammar::percent_decode(path).is_some_and(|path| !path.contains(&0));
    target.contains(&b'#') || std::str::from_utf8(target).is_err() || !is_encoded
}

/// An encoded slash separates no names.
fn is_respelled(path: &[u8]) -> bool {
    let slashes = |path: &[u8]| path.iter().filter(|byte| **byte == b'/').count();
    grammar::percent_decode(path).is_none_or(|decoded| slashes(&decoded) != slashes(path))
}

fn file_at(decoded: &[u8]) -> Option<Vec<u8>> {
    FILES.iter().find(|(url, _)| url.as_bytes() == decoded).map(|(_, path)| content(path))
}

/// Either the listing of this folder, or the content of this file.
fn check_content(answer: &Answer, path: &[u8], which: Names) {
    let decoded = grammar::percent_decode(path).unwrap_or_else(|| panic!("200 to {}", text(path)));
    let is_this = |url: &str| url.as_bytes() == decoded;
    if let Some(content) = file_at(&decoded) {
        assert_eq!(text(&answer.body), text(&content));
        return;
    }
    let deeper = DEEPER.iter().find(|url| is_this(url)).map(|_| &["c.svg"][..]);
    let names = LISTINGS.iter().find(|(url, _)| is_this(url)).map(|(_, names)| *names).or(deeper);
    let names = names.unwrap_or_else(|| panic!("200 to {}: {}", text(path), text(&answer.body)));
    check_listing(&String::from_utf8_lossy(&answer.body), names, which);
    let depth = decoded.iter().filter(|byte| **byte == b'/').count() - 1;
    let up = (1..=depth).rev().map(|steps| format!("href=\"{}\"", "../".repeat(steps)));
    assert!(
        up.clone().all(|link| contains(&answer.body, &link)),
        "{:?}: {}",
        up.collect::<Vec<_>>(),
        text(&answer.body)
    );
}

/// Which names a listing has: a query may filter them.
#[derive(Clone, Copy, PartialEq)]
enum Names {
    All,
    Some,
}

/// Every name at most once, and no other.
fn check_listing(page: &str, names: &[&str], which: Names) {
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let (entries, others): (Vec<_>, Vec<_>) = links.partition(|link| link.len() > 2 && link.starts_with("./"));
    let is_of_the_page = |link: &&str| {
        *link == "./" || link.starts_with('?') || link.starts_with("data:image/") || link.replace("../", "").is_empty()
    };
    assert!(others.iter().all(is_of_the_page), "{others:?}");
    // RFC 3986 §2.3: no byte of a name may mean anything in a URL.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte);
    assert!(entries.iter().all(|link| link.bytes().all(is_plain)), "{entries:?}");
    let decode = |link: &&str| grammar::percent_decode(link.as_bytes()).expect("well encoded");
    let mut entries: Vec<_> = entries.iter().map(|link| text(&decode(link))).collect();
    let mut expected: Vec<_> = names.iter().map(|name| text(format!("./{name}").as_bytes())).collect();
    entries.sort();
    expected.sort();
    if which == Names::Some {
        expected.retain(|name| entries.contains(name));
    }
    assert_eq!(entries, expected, "{page}");
    assert_eq!(page.matches("<script").count(), 1, "our own and no other: {page}");
}

/// The same in a coding: one file beside another, if there is one, or a list that is coded as it is sent; never a link that leads
/// out.
fn check_coded(coded: &Answer, plain: &Answer, target: &[u8]) {
    assert_eq!(coded.status, plain.status, "{}", text(target));
    assert!(!tells(coded, target), "{} shows what it must not", text(target));
    match coded.field("content-encoding") {
        None => assert!(coded.body == plain.body, "{}", text(target)),
        Some(b"br") => {
            assert!(contains(&plain.body, "<!DOCTYPE html>"), "{} is no list", text(target));
            assert_ne!(coded.field("etag"), plain.field("etag"));
        }
        Some(coding) => {
            assert_eq!(text(coding), "gzip", "{}", text(target));
            assert_eq!((text(&plain.body), text(&coded.body)), ("a.txt".into(), "a.txt.gz".into()));
            assert_ne!(coded.field("etag"), plain.field("etag"));
        }
    }
}

/// It leads on: to no error, and not round in circles.
fn check_location(answer: &Answer, location: &[u8]) {
    assert_eq!(answer.status, 200, "{} leads nowhere", text(location));
    check(answer, location);
}

fn contains(bytes: &[u8], what: &str) -> bool {
    bytes.windows(what.len()).any(|window| window == what.as_bytes())
}

fn without_date(mut answer: Answer) -> Answer {
    answer.fields.retain(|(name, _)| name != "date");
    answer
}
