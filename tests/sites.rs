//! Sites as they will be hosted: pages that stand in for names, header fields by glob, and a cache that mixes none of them up.
//!
//! Each case is asked several times. Files that have not changed for a while are kept in memory; where that matters, a test
//! waits until they have not ([`Site::settle`]).

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use qibu::testing::{TestClient, TestResponse};
use qibu::{HandlerExt, Redirects, Router, StaticFiles, StatusCode};

/// A folder with these files.
struct Site(tempfile::TempDir);

impl Site {
    fn new(files: &[(&str, &str)]) -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            site.write(name, text);
        }
        site
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }

    /// Waits until the last change of this file is so long ago that it may be kept: the clock of a file may tick as seldom as
    /// every 2 seconds.
    fn settle(&self, name: &str) {
        let changed = || self.path().join(name).metadata().unwrap().ctime();
        let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        while now() <= u64::try_from(changed()).unwrap() + 3 {
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn files(&self) -> StaticFiles {
        StaticFiles::new(self.path())
    }
}

/// The fields of a browser that wants a page to look at.
const NAVIGATION: [(&str, &str); 3] =
    [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("accept", "text/html,*/*;q=0.8")];

fn ask(client: &TestClient, target: &str, fields: &[(&str, &str)]) -> TestResponse {
    let request = fields.iter().fold(client.get(target), |request, (name, value)| request.header(name, value));
    let first = request.send();
    for _ in 0..2 {
        let request = fields.iter().fold(client.get(target), |request, (name, value)| request.header(name, value));
        let again = request.send();
        assert_eq!((again.status(), again.bytes()), (first.status(), first.bytes()), "{target}");
        for name in ["content-type", "etag", "cache-control", "location", "x-rule", "content-encoding"] {
            assert_eq!(again.header(name), first.header(name), "{target}: {name}");
        }
    }
    first
}

#[track_caller]
fn check(client: &TestClient, target: &str, fields: &[(&str, &str)], status: u16, text: &str) {
    let answer = ask(client, target, fields);
    assert_eq!((answer.status(), answer.text()), (status, text), "{target} {fields:?}");
}

const PLAIN_404: &str = "404 Not Found\n";

/// Nothing is there, and a client that names HTML is told so by a page of our own.
fn check_404_page(client: &TestClient, target: &str, fields: &[(&str, &str)]) {
    let answer = ask(client, target, fields);
    assert_eq!(answer.status(), 404, "{target} {fields:?}");
    assert!(answer.text().contains("<h1>404 Not Found</h1>"), "{target} {fields:?}: {}", answer.text());
}

// ---- clean URLs ----

#[test]
fn a_page_is_found_without_its_extension_and_what_has_that_name_goes_first() {
    let site = Site::new(&[
        ("about.html", "about"),
        ("both.html", "page"),
        ("both", "file"),
        ("docs.html", "page"),
        ("docs/index.html", "folder"),
        ("a/b.html", "deep"),
        ("style.css", "css"),
    ]);
    let client = TestClient::new(site.files().clean_urls());
    check(&client, "/about", &[], 200, "about");
    check(&client, "/about.html", &[], 200, "about");
    check(&client, "/a/b", &[], 200, "deep");
    check(&client, "/both", &[], 200, "file");
    check(&client, "/style", &[], 404, PLAIN_404);
    check(&client, "/docs/", &[], 200, "folder");
    let folder = ask(&client, "/docs?x=1", &[]);
    assert_eq!((folder.status(), folder.header("location")), (301, Some("/docs/?x=1")), "the folder beats the page");
    let slash = ask(&client, "/a/b/?x=1", &[]);
    assert_eq!((slash.status(), slash.header("location")), (301, Some("/a/b?x=1")));
    assert_eq!(ask(&client, "/about", &[]).header("content-type"), Some("text/html; charset=utf-8"));

    let off = TestClient::new(site.files());
    check(&off, "/about", &[], 404, PLAIN_404);
}

#[test]
fn a_page_gives_way_when_its_short_name_is_taken() {
    let site = Site::new(&[("about.html", "page")]);
    let client = TestClient::new(site.files().clean_urls());
    site.settle("about.html"); // so that it is kept
    check(&client, "/about", &[], 200, "page");
    site.write("about", "file");
    check(&client, "/about", &[], 200, "file");
    fs::remove_file(site.path().join("about")).unwrap();
    check(&client, "/about", &[], 200, "page");
    fs::create_dir(site.path().join("about")).unwrap();
    assert_eq!(ask(&client, "/about", &[]).header("location"), Some("/about/"));
    fs::remove_dir(site.path().join("about")).unwrap();
    site.write("about.html", "other");
    check(&client, "/about", &[], 200, "other");
    fs::remove_file(site.path().join("about.html")).unwrap();
    check(&client, "/about", &[], 404, PLAIN_404);
}

#[test]
fn a_short_name_has_conditions_ranges_head_and_compression() {
    let text = "<p>a page that is long enough to be compressed</p>\n".repeat(50);
    let site = Site::new(&[("about.html", &text)]);
    let client = TestClient::new(site.files().clean_urls());
    let whole = ask(&client, "/about", &[]);
    let tag = whole.header("etag").unwrap();
    assert_eq!(ask(&client, "/about", &[("if-none-match", tag)]).status(), 304);
    assert_eq!(ask(&client, "/about", &[("if-match", "\"x\"")]).status(), 412);
    let part = ask(&client, "/about", &[("range", "bytes=3-8")]);
    assert_eq!((part.status(), part.text()), (206, "a page"));
    let head = client.request("HEAD", "/about").send();
    assert_eq!((head.header("content-length"), head.bytes()), (Some(&*text.len().to_string()), &b""[..]));
    assert_eq!(client.request("OPTIONS", "/about").send().header("allow"), Some("GET, HEAD, OPTIONS"));
    #[cfg(feature = "compress")]
    {
        let small = ask(&client, "/about", &[("accept-encoding", "gzip")]);
        assert_eq!(small.header("content-encoding"), Some("gzip"));
        assert_ne!(small.header("etag"), Some(tag));
    }
}

// ---- the single page ----

#[test]
fn who_wants_a_page_to_look_at_gets_the_single_page() {
    let site = Site::new(&[("index.html", "app"), ("main.js", "js"), ("sub/x.txt", "x")]);
    let client = TestClient::new(site.files().single_page());
    let accept = |value| vec![("accept", value)];
    for (target, fields) in [
        ("/orders/7", NAVIGATION.to_vec()),
        ("/users/john.doe", NAVIGATION.to_vec()),
        ("/users/john.doe", vec![("sec-fetch-dest", "document")]),
        ("/orders/", NAVIGATION.to_vec()),
        ("/orders/7?tab=2", accept("text/html")),
        ("/orders/7", accept("application/xml, Text/HTML;q=0.9, */*;q=0.1")),
        ("/main.js/more", accept("text/html")),
        ("/%E4%BD%A0", accept("text/html")),
    ] {
        check(&client, target, &fields, 200, "app");
    }
    for (target, fields) in [
        ("/app-1.js", vec![("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "script")]),
        ("/picture.png", accept("image/webp,*/*")),
        ("/orders/7", accept("*/*")),
        ("/orders/7", accept("text/htmlx, application/text/html")),
        ("/orders/7", vec![]),
    ] {
        check(&client, target, &fields, 404, PLAIN_404);
    }
    for (target, fields) in [
        ("/orders/7", vec![("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("accept", "text/html")]),
        ("/app-1.js", accept("text/html")),
        ("/.env", NAVIGATION.to_vec()),
        ("/.git/config", NAVIGATION.to_vec()),
    ] {
        check_404_page(&client, target, &fields);
    }
    check(&client, "/main.js", &NAVIGATION, 200, "js");
    assert_eq!(client.get("/a%00b").header("accept", "text/html").send().status(), 400);
    assert_eq!(client.post("/orders/7").header("accept", "text/html").send().status(), 405);
}

#[test]
fn the_single_page_is_a_file_like_any_other_and_tells_caches_whom_it_is_for() {
    let site = Site::new(&[("index.html", "the application")]);
    let client = TestClient::new(site.files().single_page());
    let direct = ask(&client, "/index.html", &[]);
    let answer = ask(&client, "/orders/7", &NAVIGATION);
    for name in ["etag", "last-modified", "cache-control", "content-type", "accept-ranges"] {
        assert_eq!(answer.header(name), direct.header(name), "{name}");
    }
    let with = |more| [&NAVIGATION[..], &[more]].concat();
    let fresh = ask(&client, "/orders/7", &with(("if-none-match", direct.header("etag").unwrap())));
    assert_eq!(fresh.status(), 304);
    check(&client, "/orders/7", &with(("range", "bytes=4-6")), 206, "app");
    for answer in [&answer, &fresh] {
        assert_eq!(answer.header("vary"), Some("accept-encoding, sec-fetch-mode, sec-fetch-dest, accept"));
    }
    assert_eq!(direct.header("vary"), Some("accept-encoding"), "others are told nothing new");
    site.write("index.html", "a new version");
    check(&client, "/orders/7", &NAVIGATION, 200, "a new version");
    fs::remove_file(site.path().join("index.html")).unwrap();
    check_404_page(&client, "/orders/7", &NAVIGATION);
}

#[test]
fn files_folders_and_short_names_go_before_the_single_page() {
    let site = Site::new(&[("index.html", "app"), ("about.html", "about"), ("docs/a.txt", "a")]);
    let client = TestClient::new(site.files().single_page().clean_urls());
    check(&client, "/about", &NAVIGATION, 200, "about");
    check(&client, "/docs/a.txt", &NAVIGATION, 200, "a");
    assert_eq!(ask(&client, "/docs", &NAVIGATION).status(), 301);
    check(&client, "/else", &NAVIGATION, 200, "app");
}

// ---- 404.html ----

#[test]
fn the_nearest_404_page_says_what_is_not_there() {
    let site = Site::new(&[
        ("404.html", "top"),
        ("de/404.html", "oben"),
        ("de/x/a.txt", "a"),
        ("fr/a.txt", "a"),
        (".hidden/404.html", "secret"),
        ("a/b/c/d/e/f/g/h/404.html", "deep"),
        ("a/b/c/d/e/f/g/h/i/404.html", "too deep"),
    ]);
    let client = TestClient::new(site.files());
    for (target, text) in [
        ("/nothing", "top"),
        ("/nothing/at/all", "top"),
        ("/de/nichts", "oben"),
        ("/de/x/nichts", "oben"),
        ("/de/nichts/", "oben"),
        ("/de/../nichts", "404 Not Found\n"),
        ("/fr/rien", "top"),
        ("/.hidden/nothing", "top"),
        ("/.env", "top"),
        ("/a/b/c/d/e/f/g/h/x", "deep"),
        ("/a/b/c/d/e/f/g/h/i/x", "deep"),
    ] {
        check(&client, target, &[], 404, text);
    }
}

#[test]
fn pages_that_stand_in_are_kept_and_never_taken_for_something_else() {
    let site = Site::new(&[("index.html", "app"), ("de/x.txt", "x"), ("404.html", "none")]);
    let client = TestClient::new(site.files().single_page().clean_urls());
    site.settle("404.html");
    for _ in 0..2 {
        check(&client, "/nothing.js", &[], 404, "none");
        check(&client, "/404.html", &[], 200, "none");
        check(&client, "/404", &[], 200, "none");
        check(&client, "/orders/7", &NAVIGATION, 200, "app");
        check(&client, "/index.html", &[], 200, "app");
        check(&client, "/orders/7", &[], 404, "none");
        check(&client, "/de/nichts", &[], 404, "none");
    }
    site.write("de/404.html", "nichts");
    check(&client, "/de/nichts", &[], 404, "nichts");
    site.write("orders/7", "a file");
    check(&client, "/orders/7", &NAVIGATION, 200, "a file");
    fs::remove_file(site.path().join("404.html")).unwrap();
    check(&client, "/nothing.js", &[], 404, PLAIN_404);
    fs::remove_file(site.path().join("index.html")).unwrap();
    check_404_page(&client, "/orders/8", &NAVIGATION);
}

#[test]
fn a_404_page_is_never_304_412_206_or_validated() {
    let site = Site::new(&[("404.html", "not here")]);
    let client = TestClient::new(site.files());
    let tag = client.get("/404.html").send().header("etag").unwrap().to_owned();
    for (name, value) in [
        ("if-none-match", &*tag),
        ("if-none-match", "*"),
        ("if-match", "\"x\""),
        ("if-modified-since", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("range", "bytes=0-2"),
        ("range", "bytes=99-"),
    ] {
        check(&client, "/nothing", &[(name, value)], 404, "not here");
    }
    let answer = ask(&client, "/nothing", &[]);
    for name in ["etag", "last-modified", "accept-ranges"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(
        ask(&client, "/404.html", &[]).header("etag"),
        Some(&*tag),
        "asked for itself, it is a file like any other"
    );
    let head = client.request("HEAD", "/nothing").send();
    assert_eq!((head.status(), head.header("content-length")), (404, Some("8")));
    site.write("404.html", "still not");
    check(&client, "/nothing", &[], 404, "still not");
}

#[test]
fn a_404_page_that_leads_out_of_the_folder_or_is_a_folder_is_none() {
    let outside = Site::new(&[("secret.html", "outside")]);
    let site = Site::new(&[("a.txt", "a"), ("sub/404.html/x", "a folder")]);
    symlink(outside.path().join("secret.html"), site.path().join("404.html")).unwrap();
    let client = TestClient::new(site.files());
    check(&client, "/nothing", &[], 404, PLAIN_404);
    check(&client, "/sub/nothing", &[], 404, PLAIN_404);
}

#[test]
fn one_file_has_no_404_page() {
    let site = Site::new(&[("404.html", "not yours"), ("a.txt", "a")]);
    let client = TestClient::new(StaticFiles::open(site.path().join("a.txt")).unwrap());
    check(&client, "/nothing", &[], 404, PLAIN_404);
}

#[test]
fn one_file_that_is_named_by_a_link_is_served_wherever_it_lies() {
    let (site, elsewhere) = (Site::new(&[("new.txt", "inside")]), Site::new(&[("real.txt", "outside")]));
    symlink("new.txt", site.path().join("current.txt")).unwrap();
    symlink(elsewhere.path().join("real.txt"), site.path().join("link.txt")).unwrap();
    for (link, target, text) in [("current.txt", "/current.txt", "inside"), ("link.txt", "/real.txt", "outside")] {
        let client = TestClient::new(StaticFiles::open(site.path().join(link)).unwrap());
        assert_eq!(client.get("/").send().header("location"), Some(target));
        assert_eq!((client.get(target).send().status(), client.get(target).send().text()), (200, text));
    }
}

// ---- rules ----

fn cached(answer: &TestResponse) -> (u16, Option<&str>) {
    (answer.status(), answer.header("cache-control"))
}

#[test]
fn a_rule_is_for_the_file_that_is_sent_whatever_path_led_to_it() {
    let site = Site::new(&[
        ("index.html", "top"),
        ("404.html", "none"),
        ("about/index.html", "about"),
        ("team.html", "team"),
        ("assets/app.js", "js"),
        ("assets/app.js.gz", "(gzip)"),
    ]);
    let files = site.files().clean_urls().single_page();
    let files = files.header("*.html", "cache-control", "max-age=1").unwrap();
    let files = files.header("/assets/**", "Cache-Control", "max-age=2").unwrap();
    let client = TestClient::new(files.header("/404.html", "X-Rule", "one").unwrap());
    for (target, fields) in [
        ("/", &[][..]),
        ("/index.html", &[]),
        ("/about/", &[]),
        ("/about/index.html", &[]),
        ("/team", &[]),
        ("/team.html", &[]),
        ("/orders/7", &NAVIGATION),
    ] {
        assert_eq!(cached(&ask(&client, target, fields)), (200, Some("max-age=1")), "{target}");
    }
    let tag = ask(&client, "/about/", &[]).header("etag").unwrap().to_owned();
    assert_eq!(cached(&ask(&client, "/about/", &[("if-none-match", &tag)])), (304, Some("max-age=1")));
    assert_eq!(cached(&ask(&client, "/team", &[("range", "bytes=0-0")])), (206, Some("max-age=1")));
    assert_eq!(cached(&ask(&client, "/assets/app.js", &[])), (200, Some("max-age=2")));
    let coded = ask(&client, "/assets/app.js", &[("accept-encoding", "gzip")]);
    assert_eq!((coded.header("content-encoding"), cached(&coded)), (Some("gzip"), (200, Some("max-age=2"))));
    let missing = ask(&client, "/nothing.png", &[]);
    assert_eq!((cached(&missing), missing.header("x-rule")), ((404, Some("max-age=1")), Some("one")));
}

#[test]
fn no_spelling_of_a_path_gets_around_a_rule() {
    let site = Site::new(&[("private/a b.html", "a")]);
    let client = TestClient::new(site.files().header("/private/**", "x-rule", "yes").unwrap());
    for target in ["/private/a%20b.html", "/%70rivate/a%20b%2ehtml", "/private/a%20b.html?x=/public/"] {
        let answer = ask(&client, target, &[]);
        assert_eq!((answer.status(), answer.header("x-rule")), (200, Some("yes")), "{target}");
    }
    for target in ["//private/a%20b.html", "/private//a%20b.html", "/x/../private/a%20b.html", "/private%2fa%20b.html"]
    {
        assert_eq!(ask(&client, target, &[]).status(), 404, "{target}");
    }
}

#[test]
fn the_last_rule_counts_and_vary_is_added_to() {
    let site = Site::new(&[("a.html", "a"), ("b.txt", "b")]);
    let files = site.files().header("**", "x-rule", "all").unwrap().header("*.html", "x-rule", "html").unwrap();
    let files = files.header("*.txt", "content-type", "text/x-own").unwrap().header("**", "vary", "cookie").unwrap();
    let client = TestClient::new(files);
    assert_eq!(ask(&client, "/a.html", &[]).header("x-rule"), Some("html"));
    let text = ask(&client, "/b.txt", &[]);
    assert_eq!((text.header("x-rule"), text.header("content-type")), (Some("all"), Some("text/x-own")));
    assert_eq!(text.header("vary"), Some("accept-encoding, cookie"));
}

#[test]
fn a_rule_that_cannot_be_is_refused_and_says_why() {
    let site = Site::new(&[]);
    for (glob, name, value, why) in [
        ("[", "x-a", "b", "\"[\" is no glob"),
        ("", "x-a", "b", "it is empty"),
        ("*", "x a", "b", "no name of a header field"),
        ("*", "x-a", "b\r\nc: d", "line breaks"),
        ("*", "Content-Length", "3", "the server alone knows"),
        ("*", "ETag", "\"x\"", "the server alone knows"),
        ("*", "transfer-encoding", "chunked", "the server alone knows"),
    ] {
        let error = site.files().header(glob, name, value).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

// ---- mounted ----

#[test]
fn a_mounted_site_has_all_of_it_beneath_its_prefix() {
    let (top, docs) = (
        Site::new(&[("index.html", "top"), ("404.html", "top none"), ("a/x.txt", "x")]),
        Site::new(&[("index.html", "docs"), ("404.html", "docs none"), ("about.html", "about"), ("sub/y.txt", "y")]),
    );
    let docs = docs.0;
    let files = StaticFiles::new(docs.path()).clean_urls().at("/docs/");
    let files = files.header("/docs/*.html", "x-rule", "docs").unwrap().header("/*.html", "x-rule", "no").unwrap();
    let client = TestClient::new(Router::new().mount("/docs", files).mount("/", top.files()));
    check(&client, "/docs/about", &[], 200, "about");
    check(&client, "/docs/", &[], 200, "docs");
    check(&client, "/docs/nothing", &[], 404, "docs none");
    check(&client, "/nothing", &[], 404, "top none");
    check(&client, "/", &[], 200, "top");
    for (target, location) in [
        ("/docs", "/docs/"),
        ("/docs?q", "/docs/?q"),
        ("/docs/sub", "/docs/sub/"),
        ("/docs/about/", "/docs/about"),
        ("/a", "/a/"),
    ] {
        let answer = ask(&client, target, &[]);
        assert_eq!((answer.status(), answer.header("location")), (301, Some(location)), "{target}");
    }
    assert_eq!(ask(&client, "/docs/about", &[]).header("x-rule"), Some("docs"));
    assert_eq!(ask(&client, "/", &[]).header("x-rule"), None);
}

// ---- redirects ----

#[test]
fn a_path_that_has_moved_leads_to_its_new_place() {
    let site = Site::new(&[("old/a.txt", "still here"), ("b.txt", "b"), ("index.html", "top")]);
    let moved = [
        ("/old/**", "/new/**", StatusCode::MOVED_PERMANENTLY),
        ("/*.php", "/", StatusCode::FOUND),
        ("/feed", "https://feeds.example/?of=us", StatusCode::TEMPORARY_REDIRECT),
        ("/gone/**", "/sorry#why", StatusCode::SEE_OTHER),
        ("/out/**", "https://other.example/in/**", StatusCode::PERMANENT_REDIRECT),
        ("/\u{fc}ber uns/", "/\u{fc}ber", StatusCode::MOVED_PERMANENTLY),
        ("/old/never", "/never", StatusCode::FOUND),
    ];
    let all = moved.iter().try_fold(Redirects::new(), |all, (from, to, status)| all.add(from, to, *status)).unwrap();
    let client = TestClient::new(site.files().with(all));
    for (target, status, location) in [
        ("/old/a.txt", 301, "/new/a.txt"),
        ("/old/a.txt?x=1&y", 301, "/new/a.txt?x=1&y"),
        ("/old/", 301, "/new/"),
        ("/old", 301, "/new/"),
        ("/old/b/c/", 301, "/new/b/c/"),
        ("/old/a%20b%2523%e4", 301, "/new/a%20b%2523%E4"),
        ("/%6fld/x", 301, "/new/x"),
        ("/old/never", 301, "/new/never"),
        ("/index.php?id=3", 302, "/?id=3"),
        ("/feed", 307, "https://feeds.example/?of=us"),
        ("/feed/?x", 307, "https://feeds.example/?of=us"),
        ("/gone/with/it?x", 303, "/sorry?x#why"),
        ("/out/a%2e", 308, "https://other.example/in/a."),
        ("/%C3%BCber%20uns", 301, "/%C3%BCber"),
    ] {
        let answer = ask(&client, target, &[]);
        assert_eq!((answer.status(), answer.header("location")), (status, Some(location)), "{target}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        let head = client.request("HEAD", target).send();
        assert_eq!((head.status(), head.header("location")), (status, Some(location)), "HEAD {target}");
    }
    check(&client, "/b.txt", &[], 200, "b");
    check(&client, "/sub/index.php", &[], 404, PLAIN_404);
    check(&client, "/older/a", &[], 404, PLAIN_404);
    for target in ["/old/../b.txt", "/old//evil.example/", "/old/%2f%2fevil.example", "/old/a%00"] {
        let answer = ask(&client, target, &[]);
        assert_eq!(answer.header("location"), None, "{target}: what can be no file is not carried over");
    }
}

#[test]
fn a_redirect_beneath_a_mount_stays_beneath_it() {
    let site = Site::new(&[]);
    let moved = Redirects::new().add("/a/**", "/b/**", StatusCode::FOUND).unwrap();
    let client = TestClient::new(Router::new().mount("/docs", site.files().with(moved)));
    assert_eq!(ask(&client, "/docs/a/x?y", &[]).header("location"), Some("/docs/b/x?y"));
}

#[test]
fn a_redirect_that_cannot_be_is_refused_and_says_why() {
    for (from, to, status, why) in [
        ("old", "/new", 301, "begins with a slash"),
        ("/old", "new", 301, "one slash, or begins with https://"),
        ("/old", "//evil.example/", 301, "one slash"),
        ("/old", "/\\evil.example/", 301, "one slash"),
        ("/old", "javascript:alert(1)", 301, "one slash"),
        ("/old", "/new", 200, "its status is"),
        ("/old", "/new", 304, "its status is"),
        ("/[", "/new", 301, "is no glob"),
        ("/old/*", "/new/*", 301, "stands in the second only as /**"),
        ("/old", "/new/**", 301, "stands in the second only as /**"),
        ("/*/old/**", "/new/**", 301, "a plain path"),
        ("/a", "/a", 301, "leads to itself"),
        ("/**", "/new/**", 301, "leads to itself"),
        ("/a/**", "/a/b/**", 301, "leads to itself"),
        ("/*.html", "/index.html?x", 301, "leads to itself"),
    ] {
        let error = Redirects::new().add(from, to, StatusCode::from_u16(status).unwrap()).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(why) && error.contains(&format!("{from:?} to {to:?}")), "{error}");
    }
}
