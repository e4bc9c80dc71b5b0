//! What is said of an error: a line of text to programs, a page to browsers.

use std::fs;

use qibu::testing::{TestClient, TestResponse};
use qibu::{AllowedHosts, HandlerExt, Request, StaticFiles};

/// What Chromium sends where it will show what comes, and for what a page fetches.
const NAVIGATION: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const FETCH: &str = "*/*";

fn site() -> (tempfile::TempDir, TestClient) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "a").unwrap();
    let client = TestClient::new(StaticFiles::new(folder.path()).with(AllowedHosts::local()));
    (folder, client)
}

fn assert_page(answer: &TestResponse, title: &str) {
    assert_eq!(answer.status().to_string(), title[..3]);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("vary"), Some("accept"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("script-src"), "{policy}");
    for part in [
        "<!DOCTYPE html>\n<html lang=\"en\">",
        &format!("<title>{title}</title>"),
        &format!("<h1>{title}</h1>"),
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
        "<link rel=\"icon\" href=\"data:",
    ] {
        assert!(answer.text().contains(part), "{part}: {}", answer.text());
    }
}

fn assert_text(answer: &TestResponse, title: &str) {
    let line = answer.text().strip_suffix('\n').expect("it ends its line");
    assert!(line == title || line.starts_with(&format!("{title}: ")), "{line}");
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("vary"), Some("accept"), "a cache must not give a browser the text");
}

#[test]
fn a_browser_gets_a_page_and_a_program_gets_text() {
    let (_folder, client) = site();
    for (method, path, host, title) in [
        ("GET", "/missing", "localhost", "404 Not Found"),
        ("GET", "/%00", "localhost", "400 Bad Request"),
        ("POST", "/a.txt", "localhost", "405 Method Not Allowed"),
        ("BREW", "/a.txt", "localhost", "501 Not Implemented"),
        ("GET", "/a.txt", "evil.example", "421 Misdirected Request"),
    ] {
        let request = || client.request(method, path).header("host", host);
        // What was found out for one is not told to the other.
        for _ in 0..2 {
            assert_page(&request().header("accept", NAVIGATION).send(), title);
            assert_text(&request().header("accept", FETCH).send(), title);
            assert_text(&request().send(), title);
            assert_text(&request().header("accept", "text/html;q=0, */*").send(), title);
        }
    }
}

#[test]
fn a_page_for_what_is_missing_leads_to_the_top() {
    let (_folder, client) = site();
    let page = client.get("/missing").header("accept", NAVIGATION).send();
    assert!(page.text().contains("<a href=\"/\">"), "{}", page.text());
}

#[test]
fn a_setting_is_named_as_text_whatever_it_is_called() {
    let hosts = AllowedHosts::local().called("<b>--allow-host & co");
    let client = TestClient::new((|_: &mut Request| "hello").with(hosts));
    let page = client.get("/").header("host", "evil.example").header("accept", NAVIGATION).send();
    let sentence = "<p>This server does not answer for this host (&lt;b>--allow-host &amp; co).</p>";
    assert!(page.text().contains(sentence), "{}", page.text());
}

#[test]
fn nothing_that_a_client_sent_is_in_the_page() {
    let (_folder, client) = site();
    let page = client.get("/%3Cscript%3Ealert(1)%3C/script%3E?<script>x").header("accept", NAVIGATION).send();
    assert!(!page.text().contains("script"), "{}", page.text());
}

#[test]
fn head_says_what_get_says() {
    let (_folder, client) = site();
    let ask = |method| client.request(method, "/missing").header("accept", NAVIGATION).send();
    let (get, head) = (ask("GET"), ask("HEAD"));
    for field in ["content-length", "content-type", "vary", "content-security-policy", "x-content-type-options"] {
        assert_eq!(head.header(field), get.header(field), "{field}");
    }
    assert!(head.bytes().is_empty());
}

#[test]
fn a_page_of_the_sites_own_comes_first() {
    let (folder, client) = site();
    fs::write(folder.path().join("404.html"), "<p>our own").unwrap();
    let page = client.get("/missing").header("accept", NAVIGATION).send();
    assert_eq!((page.status(), page.text()), (404, "<p>our own"));
}
