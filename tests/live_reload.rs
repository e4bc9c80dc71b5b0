//! Live reload: what is added to pages and to nothing else, what else of an answer changes by it, and the stream of changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use qibu::testing::{TestClient, TestConn, TestResponse};
use qibu::{Body, HandlerExt, Http, LiveReload, Request, Response, Router, StaticFiles, StatusCode};

const SCRIPT: &str = "<script src=\"/.qibu/reload.js\"";
const GET_EVENTS: &[u8] = b"GET /.qibu/events HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A folder that is served with live reload.
struct Site {
    folder: tempfile::TempDir,
    live_reload: LiveReload,
    client: TestClient,
}

impl Site {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let live_reload = LiveReload::new();
        let client = TestClient::new(StaticFiles::new(folder.path()).with(live_reload.clone()));
        Self { folder, live_reload, client }
    }

    /// What the same folder answers without live reload.
    fn plain(&self) -> TestClient {
        TestClient::new(StaticFiles::new(self.folder.path()))
    }

    fn get(&self, path: &str) -> TestResponse {
        self.client.get(path).send()
    }
}

fn has_script(answer: &TestResponse) -> bool {
    String::from_utf8_lossy(answer.bytes()).contains(SCRIPT)
}

/// The page as it was before it got the script.
fn without_script(answer: &TestResponse) -> Vec<u8> {
    const END: &[u8] = b"</script>";
    let bytes = answer.bytes();
    let find = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).position(|window| window == text);
    let start = find(bytes, SCRIPT.as_bytes()).expect("it has the script");
    let end = start + find(&bytes[start..], END).expect("the script has an end") + END.len();
    [&bytes[..start], &bytes[end..]].concat()
}

/// A page's event stream.
struct Stream(TestConn);

impl Stream {
    fn open(http: Http) -> Self {
        let mut conn = TestConn::open(http).unwrap();
        conn.send(GET_EVENTS);
        Self(conn)
    }

    fn of(live_reload: &LiveReload) -> Self {
        Self::open(Http::new((|_: &mut Request| "").with(live_reload.clone())))
    }

    /// All that was sent since the last time.
    fn text(&mut self) -> String {
        String::from_utf8(self.0.recv()).unwrap()
    }

    /// Waits for a change that somebody else makes, and takes its paths.
    fn next_change(&mut self) -> Vec<String> {
        loop {
            let text = self.text();
            if let Some((_, change)) = text.split_once("event: change\n") {
                let data = change.lines().filter_map(|line| line.strip_prefix("data: "));
                return data.map(str::to_owned).collect();
            }
            assert!(self.0.wait_for_mail(), "nothing more has changed: {text}");
        }
    }

    /// Waits until this path has changed; all paths that have until then. A slow system may tell of one change twice.
    fn until_changed(&mut self, path: &str) -> BTreeSet<String> {
        let mut changed = BTreeSet::new();
        while !changed.contains(path) {
            changed.extend(self.next_change());
        }
        changed
    }
}

/// The version in a page or an event.
fn version<'a>(text: &'a str, before: &str) -> &'a str {
    let (_, rest) = text.split_once(before).expect(text);
    rest.split(['"', '\n']).next().unwrap()
}

#[test]
fn any_html_document_gets_the_script_at_its_beginning() {
    // It goes to where the bar is.
    for marked in [
        "<!doctype html><html><head>|<title>x</title></head><body><p>whole</p></body></html>",
        "\u{FEFF}<!-- licence -->\n<!DOCTYPE html>\n<html lang=\"en\">|\n<body>no head",
        "|<p>fragment",
        "|plain",
        "|",
    ] {
        let (before, behind) = marked.split_once('|').unwrap();
        let page = [before, behind].concat();
        let site = Site::with(&[("a.html", page.as_bytes())]);
        let answer = site.get("/a.html");
        assert_eq!(answer.status(), 200);
        assert_eq!(without_script(&answer), page.as_bytes(), "the page itself is as it was");
        assert!(answer.text()[before.len()..].starts_with(SCRIPT), "{}", answer.text());
        assert_eq!(fs::read_to_string(site.folder.path().join("a.html")).unwrap(), page, "the file stays as it is");
    }
}

#[test]
fn a_page_that_is_saved_half_written_does_not_swallow_it() {
    const BEGIN: &str = "<!doctype html><meta charset=utf-8><h1>x</h1>";
    for end in [
        "<script>var a=1;",
        "<style>h1{",
        "<title>x",
        "<textarea>x",
        "<!-- todo",
        "<div",
        "<a href=\"foo",
        "<template><p>",
        "<svg><g>",
        "<noscript>x",
        "<iframe src=\"about:blank\">",
        "<frameset cols=\"*\">",
        "<plaintext>",
    ] {
        let site = Site::with(&[("a.html", [BEGIN, end].concat().as_bytes())]);
        let answer = site.get("/a.html");
        assert!(answer.text().starts_with(&["<!doctype html>", SCRIPT].concat()), "{}", answer.text());
    }
}

#[test]
fn a_page_of_any_size_gets_it() {
    let page = "<!doctype html><title>x</title>".to_owned() + &"<p>seven steps\n".repeat(100_000);
    let site = Site::with(&[("large.html", page.as_bytes())]);
    let answer = site.get("/large.html");
    assert!(answer.text().starts_with(&["<!doctype html>", SCRIPT].concat()));
    assert_eq!(without_script(&answer), page.as_bytes());
    let length = answer.bytes().len().to_string();
    assert_eq!(answer.header("content-length"), Some(&*length));
}

#[test]
fn a_page_that_comes_in_pieces_gets_it() {
    let streamed = |_: &mut Request| {
        let (sender, body) = Body::channel(1024);
        for piece in ["<!doc", "type html>", "\n<html la", "ng=en><head><title>x"] {
            sender.try_send(piece).unwrap();
        }
        Response::html(body)
    };
    let answer = TestClient::new(streamed.with(LiveReload::new())).get("/").send();
    assert!(
        answer.text().starts_with(&["<!doctype html>\n<html lang=en><head>", SCRIPT].concat()),
        "{}",
        answer.text()
    );
    assert_eq!(without_script(&answer), b"<!doctype html>\n<html lang=en><head><title>x");
}

#[test]
fn what_is_no_page_passes_untouched() {
    let site =
        Site::with(&[("a.css", b"p{}"), ("a.txt", b"<p>"), ("a.json", b"{}"), ("a.js", b"1"), ("a.svg", b"<svg/>")]);
    for name in ["/a.css", "/a.txt", "/a.json", "/a.js", "/a.svg"] {
        let (live, plain) = (site.get(name), site.plain().get(name).send());
        assert_eq!(live.bytes(), plain.bytes(), "{name}");
        for field in ["etag", "content-type", "accept-ranges", "content-length", "vary", "last-modified"] {
            assert_eq!(live.header(field), plain.header(field), "{name}: {field}");
        }
        let tag = plain.header("etag").unwrap();
        assert_eq!(site.client.get(name).header("if-none-match", tag).send().status(), 304, "{name}");
        let part = site.client.get(name).header("range", "bytes=0-0").send();
        assert_eq!((part.status(), part.bytes().len()), (206, 1), "{name}");
    }
}

#[test]
fn html_that_a_script_fetches_or_that_is_downloaded_is_data() {
    let site = Site::with(&[("a.html", b"<p>part")]);
    for destination in ["empty", "script", "image"] {
        let answer = site.client.get("/a.html").header("sec-fetch-dest", destination).send();
        assert_eq!(answer.text(), "<p>part");
        assert_eq!(answer.header("etag"), site.plain().get("/a.html").send().header("etag"));
    }
    for destination in ["document", "iframe"] {
        let answer = site.client.get("/a.html").header("sec-fetch-dest", destination).send();
        assert!(has_script(&answer));
    }
    let download =
        |_: &mut Request| Response::html("<p>").with_header("content-disposition", "Attachment; filename=a.html");
    let client = TestClient::new(download.with(LiveReload::new()));
    assert_eq!(client.get("/").send().text(), "<p>");
}

#[test]
fn a_listing_and_an_error_page_get_it_too() {
    let site = Site::with(&[("a.txt", b"")]);
    let listing = site.get("/");
    assert!(has_script(&listing));
    let policy = listing.header("content-security-policy").unwrap();
    for name in ["script-src", "connect-src"] {
        let mut directives = policy.split(';').map(str::split_ascii_whitespace);
        let mut sources = directives.find(|words| words.clone().next() == Some(name)).expect(policy);
        assert!(sources.any(|source| source == "'self'"), "{name}: {policy}");
    }

    let missing = site.client.get("/missing.html").header("accept", "text/html,*/*;q=0.8").send();
    assert_eq!(missing.status(), 404);
    assert!(has_script(&missing), "the page may be away for a moment only");
    assert!(missing.header("content-security-policy").unwrap().contains("script-src 'self'"));

    let error = |_: &mut Request| Response::html("<h1>Not here").with_status(StatusCode::NOT_FOUND);
    let answer = TestClient::new(error.with(LiveReload::new())).get("/").send();
    assert_eq!(answer.status(), 404);
    assert!(has_script(&answer));
}

#[test]
fn head_says_what_get_says() {
    let site = Site::with(&[("a.html", b"<p>")]);
    for path in ["/a.html", "/"] {
        let (get, head) = (site.get(path), site.client.request("HEAD", path).send());
        for field in ["content-length", "content-type", "etag", "vary", "content-security-policy"] {
            assert_eq!(head.header(field), get.header(field), "{path}: {field}");
        }
        assert!(head.bytes().is_empty());
    }
}

#[test]
fn a_page_has_a_tag_of_its_own_until_something_changes() {
    let site = Site::with(&[("a.html", b"<p>")]);
    let file = site.plain().get("/a.html").send();
    let page = site.get("/a.html");
    let (file_tag, page_tag) = (file.header("etag").unwrap(), page.header("etag").unwrap());
    assert_ne!(file_tag, page_tag);
    let ask = |tag: &str| {
        let since = file.header("last-modified").unwrap();
        site.client.get("/a.html").header("if-none-match", tag).header("if-modified-since", since).send()
    };

    let unchanged = ask(page_tag);
    assert_eq!((unchanged.status(), unchanged.header("etag")), (304, Some(page_tag)));
    assert_eq!(unchanged.header("cache-control"), page.header("cache-control"));
    assert_eq!(ask(&format!("\"x\", W/{page_tag}")).status(), 304);

    let answer = ask(file_tag);
    assert_eq!(answer.status(), 200, "a browser that has the page without the script needs it");
    assert!(has_script(&answer));

    let expect = |tag: &str| site.client.get("/a.html").header("if-match", tag).send().status();
    assert_eq!((expect(page_tag), expect(file_tag), expect("\"x\"")), (200, 200, 412));

    site.live_reload.changed("/b.html");
    let answer = ask(page_tag);
    assert_eq!(answer.status(), 200, "a page that says an old version would reload for ever");
    assert_ne!(answer.header("etag"), Some(page_tag));
}

#[test]
fn a_page_is_sent_whole_where_a_part_was_asked_for() {
    let site = Site::with(&[("a.html", b"<p>seven steps")]);
    for range in ["bytes=0-3", "bytes=5-", "bytes=-2"] {
        let answer = site.client.get("/a.html").header("range", range).send();
        assert_eq!(answer.status(), 200, "{range}");
        assert_eq!(without_script(&answer), b"<p>seven steps", "{range}");
        assert_eq!(answer.header("accept-ranges"), None);
        assert_eq!(answer.header("content-range"), None);
    }
}

#[test]
fn a_page_that_is_compressed_beforehand_is_sent_as_it_was_before() {
    let page = "<p>seven steps\n".repeat(200);
    let site = Site::with(&[
        ("a.html", page.as_bytes()),
        ("b.html", page.as_bytes()),
        ("b.html.br", b"compressed"),
        ("b.css", page.as_bytes()),
        ("b.css.br", b"compressed"),
    ]);
    for (path, accept) in [("/a.html", "*/*"), ("/b.html", "*/*"), ("/a.html", "text/html"), ("/b.html", "text/html")] {
        let answer = site.client.get(path).header("accept-encoding", "br, gzip").header("accept", accept).send();
        assert_eq!(answer.header("content-encoding"), None, "{path} as {accept}");
        assert_eq!(without_script(&answer), page.as_bytes(), "{path} as {accept}");
    }
    let style = site.client.get("/b.css").header("accept-encoding", "br").send();
    assert_eq!((style.header("content-encoding"), style.bytes()), (Some("br"), &b"compressed"[..]));
}

#[test]
fn a_page_in_any_charset_stays_readable() {
    let gbk =
        b"<p>\xC6\xDF\xB2\xBD\xCA\xC7\xC3\xBF\xB8\xF6\xB7\xFE\xCE\xF1\xC6\xF7\xB6\xBC\xD2\xAA\xD7\xDF\xB5\xC4\xC2\xB7";
    let utf_16: Vec<u8> = "\u{FEFF}<p>七步".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let site = Site::with(&[("gbk.html", gbk), ("utf-16.html", &utf_16)]);

    let answer = site.get("/gbk.html");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=gbk"));
    assert_eq!(without_script(&answer), gbk);

    let answer = site.get("/utf-16.html");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-16le"));
    let units: Vec<_> = answer.bytes().chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).unwrap();
    assert!(text.starts_with(&["\u{FEFF}", SCRIPT].concat()) && text.ends_with("</script><p>七步"), "{text}");
}

#[test]
fn an_answer_that_comes_later_gets_it() {
    let later = |request: &mut Request| {
        let (reply, pending) = request.later();
        thread::spawn(move || reply.send(Response::html("<p>thought about it")));
        pending
    };
    assert!(has_script(&TestClient::new(later.with(LiveReload::new())).get("/").send()));
}

#[test]
fn the_script_is_there_and_is_one() {
    let site = Site::with(&[]);
    let script = site.get("/.qibu/reload.js");
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert!(script.text().contains("new EventSource"));
    assert_eq!(site.get("/.qibu/other").status(), 404);
    for path in ["/.qibu/reload.js", "/.qibu/events"] {
        let answer = site.client.post(path).send();
        assert_eq!((answer.status(), answer.header("allow")), (405, Some("GET, HEAD")), "{path}");
    }
}

#[test]
fn a_stream_says_what_has_changed() {
    let live_reload = LiveReload::new();
    let mut stream = Stream::of(&live_reload);
    let hello = stream.text();
    assert!(hello.contains("content-type: text/event-stream") && hello.contains("event: hello\n"), "{hello}");
    live_reload.changed("/a.css");
    let change = stream.text();
    assert!(change.contains("event: change\n") && change.contains("data: /a.css\n"), "{change}");
    assert_ne!(version(&hello, "data: "), version(&change, "id: "));
    live_reload.changed("/b.css");
    assert_eq!(stream.next_change(), ["/b.css"]);
}

#[test]
fn a_change_between_a_page_and_its_stream_is_not_missed() {
    let site = Site::with(&[("a.html", b"<p>")]);
    let page_version = |answer: &TestResponse| version(answer.text(), "data-version=\"").to_owned();
    let old = page_version(&site.get("/a.html"));
    assert_eq!(version(&Stream::of(&site.live_reload).text(), "data: "), old);
    site.live_reload.changed("/a.html");
    assert_ne!(version(&Stream::of(&site.live_reload).text(), "data: "), old, "the page sees that it is old");
    let new = page_version(&site.get("/a.html"));
    assert_eq!(version(&Stream::of(&site.live_reload).text(), "data: "), new, "and does so only once");
    assert_ne!(page_version(&Site::with(&[("a.html", b"<p>")]).get("/a.html")), new, "another server, another version");
}

#[test]
fn a_page_of_another_site_is_told_nothing() {
    let site = Site::with(&[]);
    let ask = |name: &str, value: &str| {
        site.client
            .request("HEAD", "/.qibu/events")
            .header("host", "localhost:8080")
            .header(name, value)
            .send()
            .status()
    };
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("origin", "http://localhost:3000"),
        ("origin", "http://localhost"),
        ("origin", "null"),
        ("origin", ""),
        ("origin", "\u{e9}"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        assert_eq!(ask(name, value), 403, "{name}: {value}");
    }
    for (name, value) in [("origin", "http://LOCALHOST:8080"), ("sec-fetch-site", "same-origin"), ("accept", "*/*")] {
        assert_eq!(ask(name, value), 200, "{name}: {value}");
    }
}

#[test]
fn a_thousand_pages_are_told() {
    let live_reload = LiveReload::new();
    let mut streams: Vec<_> = (0..1000).map(|_| Stream::of(&live_reload)).collect();
    live_reload.changed("/a.html");
    for stream in &mut streams {
        assert_eq!(stream.next_change(), ["/a.html"]);
    }
}

#[test]
fn a_shutdown_ends_the_stream() {
    let mut stream = Stream::of(&LiveReload::new());
    stream.0.shut_down();
    assert!(stream.text().ends_with("\r\n0\r\n\r\n"));
    assert!(stream.0.is_closed());
}

// ---- with a real folder ----

fn watching(prefix: &str, path: &Path) -> (LiveReload, Stream) {
    let live_reload = LiveReload::new().watch(prefix, path).unwrap();
    let mut stream = Stream::of(&live_reload);
    stream.text();
    (live_reload, stream)
}

#[test]
fn a_file_that_is_written_made_renamed_or_removed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("sub")).unwrap();
    fs::write(path("sub/a b.css"), "p{}").unwrap();
    let (_live_reload, mut stream) = watching("/", folder.path());

    fs::write(path("sub/a b.css"), "p{color:red}").unwrap();
    stream.until_changed("/sub/a b.css");
    fs::write(path("new.html"), "<p>").unwrap();
    stream.until_changed("/new.html");
    fs::rename(path("new.html"), path("newer.html")).unwrap();
    stream.until_changed("/newer.html");
    fs::remove_file(path("newer.html")).unwrap();
    stream.until_changed("/newer.html");
}

#[test]
fn a_folder_that_is_made_later_is_watched_too() {
    let folder = tempfile::tempdir().unwrap();
    let (_live_reload, mut stream) = watching("/", folder.path());
    fs::create_dir(folder.path().join("later")).unwrap();
    stream.until_changed("/later");
    // It is watched in a moment, and nobody tells when: one of many changes will be seen.
    let (page, is_seen) = (folder.path().join("later/a.html"), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_seen.load(Ordering::Relaxed) {
                fs::write(&page, "<p>").unwrap();
                thread::sleep(Duration::from_millis(20));
            }
        });
        stream.until_changed("/later/a.html");
        is_seen.store(true, Ordering::Relaxed);
    });
}

#[test]
fn what_is_never_served_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    let (_live_reload, mut stream) = watching("/", folder.path());
    for name in [".git/index", ".a.html.swp", "a.html~", "#a.html#", "4913"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    fs::write(folder.path().join("a.html"), "<p>").unwrap();
    assert_eq!(stream.until_changed("/a.html"), ["/a.html".to_owned()].into());
}

#[test]
fn each_of_several_folders_has_its_own_paths() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let live_reload = LiveReload::new().watch("/", one.path()).unwrap().watch("/docs/", other.path()).unwrap();
    let site = Router::new().mount("/", StaticFiles::new(one.path())).mount("/docs", StaticFiles::new(other.path()));
    let client = TestClient::new(site.with(live_reload.clone()));
    let mut stream = Stream::of(&live_reload);
    stream.text();
    fs::write(other.path().join("a.html"), "<p>").unwrap();
    stream.until_changed("/docs/a.html");
    assert!(has_script(&client.get("/docs/a.html").send()));
    fs::write(one.path().join("a.css"), "").unwrap();
    stream.until_changed("/a.css");
    fs::write(other.path().join("a.css"), "").unwrap();
    stream.until_changed("/docs/a.css");
}

#[test]
fn one_file_is_watched_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.html"), "<p>").unwrap();
    let (_live_reload, mut stream) = watching("/", &folder.path().join("a.html"));
    fs::write(folder.path().join("b.html"), "<p>").unwrap();
    fs::write(folder.path().join("a.html"), "<p>new").unwrap();
    assert_eq!(stream.until_changed("/a.html"), ["/a.html".to_owned()].into());
}

#[test]
fn a_folder_that_is_built_anew_is_still_watched() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("public");
    fs::create_dir(&site).unwrap();
    let (_live_reload, mut stream) = watching("/", &site);
    for _ in 0..2 {
        fs::remove_dir(&site).unwrap();
        fs::create_dir(&site).unwrap();
        stream.until_changed("/");
        fs::write(site.join("a.html"), "<p>").unwrap();
        stream.until_changed("/a.html");
        fs::remove_file(site.join("a.html")).unwrap();
        stream.until_changed("/a.html");
    }
}

/// The system does not tell that a folder was removed while somebody has it open, as a server has.
#[test]
fn a_folder_that_is_built_anew_while_it_is_open_is_still_watched() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("public");
    fs::create_dir(&site).unwrap();
    let (_live_reload, mut stream) = watching("/", &site);
    for _ in 0..2 {
        let _open = fs::File::open(&site).unwrap();
        fs::remove_dir(&site).unwrap();
        fs::create_dir(&site).unwrap();
        stream.until_changed("/");
        fs::write(site.join("a.html"), "<p>").unwrap();
        stream.until_changed("/a.html");
        fs::remove_file(site.join("a.html")).unwrap();
        stream.until_changed("/a.html");
    }
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let error = LiveReload::new().watch("/", "no such folder").unwrap_err();
    assert!(error.to_string().starts_with("no such folder: "), "{error}");
}
