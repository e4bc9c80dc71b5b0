//! HTML, JSON and text; conditions; HEAD.

use super::*;

const FORMS: [&str; 3] = ["text/html", "application/json", "text/plain"];

#[test]
fn the_form_is_the_one_that_the_client_would_have() {
    let site = Site::new(&["a"]);
    for (accept, media_type) in [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
        ("text/plain;q=0.5, application/json;q=0.4", "text/plain; charset=utf-8"),
        ("text/html;q=0, */*;q=0.1", "application/json"),
        ("image/png", "text/html; charset=utf-8"),
    ] {
        let answer = site.get_as(accept, "/");
        assert_eq!((answer.status(), answer.header("content-type")), (200, Some(media_type)), "{accept}");
        assert_eq!(answer.header("vary"), Some("accept, accept-encoding"), "another client may get another form");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
    }
    assert_eq!(site.get("/").header("content-type"), Some("text/html; charset=utf-8"), "without Accept");
}

#[test]
fn json_tells_what_is_there() {
    let site = Site::new(&["sub/", "b \"c\"\n.txt"]);
    site.set_time("b \"c\"\n.txt", 784_111_777);
    site.set_time("sub", -1);
    let list: serde_json::Value = serde_json::from_slice(site.get_as("application/json", "/").bytes()).unwrap();
    assert_eq!(
        list,
        serde_json::json!([
            { "name": "sub", "type": "folder", "modified": "1969-12-31T23:59:59Z", "url": "./sub/" },
            { "name": "b \"c\"\n.txt", "type": "file", "size": 1, "modified": "1994-11-06T08:49:37Z",
              "url": "./b%20%22c%22%0A.txt" },
        ])
    );
    fs::remove_dir(site.path("sub")).unwrap();
    fs::remove_file(site.path("b \"c\"\n.txt")).unwrap();
    assert_eq!(site.get_as("application/json", "/").text(), "[]\n");
}

#[test]
fn text_has_a_name_on_each_line() {
    let site = Site::new(&[&b"a b"[..], b"sub/", b"x\ny\x1b[31m", b"\xff\\"]);
    assert_eq!(site.get_as("text/plain", "/").text(), "sub/\na b\nx\\ny\\u{1b}[31m\n\\xff\\\\\n");
}

#[test]
fn head_is_get_without_the_body() {
    let site = Site::new(&["a"]);
    (0..300).for_each(|number| site.add(format!("sub-{number}"), b""));
    for (target, accept) in ["/", "/?q=a"].into_iter().flat_map(|target| FORMS.map(|form| (target, form))) {
        let get = site.get_as(accept, target);
        let head = site.client.request("HEAD", target).header("accept", accept).send();
        assert_eq!((head.status(), head.bytes()), (200, &b""[..]));
        for name in ["content-type", "content-length", "etag", "vary", "cache-control", "content-security-policy"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {target} as {accept}");
        }
    }
}

#[test]
fn a_tag_stands_for_what_is_told_and_for_nothing_else() {
    let site = Site::new(&["a", "README"]);
    let tag = |target: &str, form: &str| site.get_as(form, target).header("etag").unwrap().to_owned();
    let change: [&dyn Fn(); 5] = [
        &|| site.add("b", b""),
        &|| site.add("a", b"longer"),
        &|| site.set_time("a", 1000),
        &|| fs::remove_file(site.path("b")).unwrap(),
        &|| fs::rename(site.path("a"), site.path("c")).unwrap(),
    ];
    for change in change {
        let before = FORMS.map(|form| tag("/", form));
        assert_eq!(FORMS.map(|form| tag("/", form)), before, "nothing has changed");
        change();
        let after = FORMS.map(|form| tag("/", form));
        assert_ne!(before[0], after[0]);
        assert_ne!(before[1], after[1]);
    }
    let all = ["/", "/?order=desc", "/?q=c", "/?view=grid"].map(|target| tag(target, "text/html"));
    assert!(all.iter().enumerate().all(|(place, one)| !all[..place].contains(one)), "{all:?}");
    let before = tag("/", "text/html");
    let time = site.path("README").metadata().unwrap().modified().unwrap();
    site.add("README", b"y"); // as long as before
    File::open(site.path("README")).unwrap().set_modified(time).unwrap();
    assert_ne!(tag("/", "text/html"), before, "the README is a part of the page");
}

#[test]
fn a_client_that_has_the_listing_gets_no_other() {
    let site = Site::new(&["a"]);
    for form in FORMS {
        let ok = site.get_as(form, "/");
        let ask = |name: &str, value: &str| site.client.get("/").header("accept", form).header(name, value).send();
        let tag = ok.header("etag").unwrap();
        let same = ask("if-none-match", tag);
        assert_eq!((same.status(), same.bytes()), (304, &b""[..]));
        for name in ["etag", "vary", "cache-control"] {
            assert_eq!(same.header(name), ok.header(name), "RFC 9110 §15.4.5");
        }
        assert_eq!(ask("if-none-match", &format!("\"x\", W/{tag}")).status(), 304);
        assert_eq!(ask("if-none-match", "*").status(), 304);
        assert_eq!(ask("if-none-match", "\"x\"").status(), 200);
        assert_eq!(ask("if-match", tag).status(), 200);
        assert_eq!(ask("if-match", "\"x\"").status(), 412);
        assert_eq!(ask("range", "bytes=0-3").status(), 200, "there are no ranges of it");
    }
    let as_json = site.get_as("application/json", "/").header("etag").unwrap().to_owned();
    let as_html = site.client.get("/").header("if-none-match", &as_json).send();
    assert_eq!(as_html.status(), 200, "each form has its own tag");
}

#[cfg(feature = "compress")]
#[test]
fn a_list_of_any_length_is_sent_compressed_to_who_takes_it() {
    for (count, readme) in [(20, 0), (3, 200_000), (1000, 0)] {
        let site = Site::new(&(0..count).map(|number| format!("file number {number}.txt")).collect::<Vec<_>>());
        site.add("README.txt", "Seven steps.\n".repeat(readme / 13).as_bytes());
        for media_type in ["text/html", "application/json", "text/plain"] {
            let plain = site.get_as(media_type, "/");
            let answer = |coding: &str, known: &str| {
                let request = site.client.get("/").header("accept", media_type);
                request.header("accept-encoding", coding).header("if-none-match", known).send()
            };
            let mut tags = vec![plain.header("etag").unwrap().to_owned()];
            for coding in ["gzip", "br", "zstd"] {
                let coded = answer(coding, "\"other\"");
                let is_small = plain.bytes().len() < 1024;
                assert_eq!(
                    coded.header("content-encoding"),
                    Some(coding).filter(|_| !is_small),
                    "{count} {media_type}"
                );
                assert!(is_small || decode(coding, coded.bytes()) == plain.bytes(), "{count} {media_type} {coding}");
                assert!(is_small || coded.bytes().len() < plain.bytes().len() / 2, "{count} {media_type} {coding}");
                let tag = coded.header("etag").unwrap().to_owned();
                assert_eq!((answer(coding, &tag).status(), answer("identity", &tag).status()), (304, 200));
                tags.push(tag);
            }
            tags.sort();
            tags.dedup();
            assert_eq!(tags.len(), 4, "other bytes have another strong tag: {tags:?}");
        }
    }
}

#[cfg(feature = "compress")]
fn decode(coding: &str, coded: &[u8]) -> Vec<u8> {
    use std::io::Read;

    let mut plain = Vec::new();
    match coding {
        "gzip" => flate2::read::GzDecoder::new(coded).read_to_end(&mut plain),
        "br" => brotli::Decompressor::new(coded, 4096).read_to_end(&mut plain),
        _ => zstd::stream::read::Decoder::new(coded).unwrap().read_to_end(&mut plain),
    }
    .unwrap();
    plain
}
