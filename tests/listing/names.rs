//! Every name that a disk can hold: it is text, its link leads to its file, and it can do nothing else.

use std::os::unix::fs::symlink;
use std::thread;

use super::*;

/// What stands in a URL, in HTML, on a line, in a terminal or in a path for something else.
const NAMES: [&[u8]; 46] = [
    b"plain.txt",
    b"a b.txt",
    b" leading",
    b"trailing ",
    b"  ",
    b"a%20b",
    b"%2e%2e",
    b"%",
    b"100%",
    b"a#b",
    b"a?b=c&d",
    b"?",
    b"#",
    b"a;b",
    b"a+b",
    b"a:b",
    b"c:",
    b"javascript:alert(1)",
    b"data:text,x",
    b"http:example.com",
    b"\"><img src=x onerror=1>",
    b"'",
    b"' onclick='x",
    b"<title>",
    b"<!-- rows -->",
    b"--><script>alert(1)<",
    b"&amp;&lt;&#60;",
    b"&",
    b"new\nline",
    b"\r\nSet-Cookie: a=b",
    b"\t",
    b"\x1b[31mred",
    b"\x01\x7f",
    b"back\\slash",
    b"\\\\host\\share",
    b"*",
    b"-rf",
    b"~",
    b"$(id)`id`",
    "七步.txt".as_bytes(),
    "e\u{301}\u{e9}".as_bytes(),
    "\u{202e}txt.exe\u{2066}".as_bytes(),
    "\u{2028}\u{85}\u{feff}".as_bytes(),
    "🎈".as_bytes(),
    b"\xff\xfe\x80.txt",
    b"\xed\xa0\x80",
];

fn odd_site() -> Site {
    let site = Site::new::<&str>(&[]);
    for name in NAMES {
        site.add(name, &[b"content of ", name].concat());
        site.add([b"dir ", name, b"/"].concat(), b"");
        site.add([b"dir ", name, b"/inside"].concat(), &[b"inside ", name].concat());
    }
    site
}

/// Asks for each link, in folders for the file inside; what the files say is what there is.
fn follow<'a>(site: &Site, base: &str, links: impl Iterator<Item = &'a str>) {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for link in links {
        assert!(link.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte)), "{link}");
        let inside = if link.ends_with('/') { "inside" } else { "" };
        found.push(site.get(&(resolve(base, link) + inside)).bytes().to_vec());
    }
    let files = NAMES.iter().map(|name| [b"content of ", *name].concat());
    let mut expected: Vec<_> = files.chain(NAMES.iter().map(|name| [b"inside ", *name].concat())).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn every_link_leads_to_its_file_in_the_list_and_in_the_grid() {
    let site = odd_site();
    for target in ["/", "/?sort=size", "/?view=grid", "/?order=desc&view=grid"] {
        let page = site.page(target);
        follow(&site, target, rows(&page).map(|link| link.attribute("href")));
    }
}

#[test]
fn every_url_in_the_json_leads_to_its_file() {
    let site = odd_site();
    let answer = site.get_as("application/json", "/");
    let list: Vec<serde_json::Value> = serde_json::from_slice(answer.bytes()).unwrap();
    follow(&site, "/", list.iter().map(|entry| entry["url"].as_str().unwrap()));
    for entry in &list {
        let url = entry["url"].as_str().unwrap();
        let bytes: Vec<u8> = percent_encoding::percent_decode_str(&url[2..]).collect();
        let name = String::from_utf8_lossy(bytes.strip_suffix(b"/").unwrap_or(&bytes)).into_owned();
        assert_eq!(entry["name"], name, "the url has the bytes of the name");
    }
}

#[test]
fn every_name_is_text() {
    let site = Site::new(&NAMES);
    site.add("a.png", b"");
    for target in ["/", "/?view=grid"] {
        let page = site.page(target);
        let mut found: Vec<_> = rows(&page).map(|link| link.text.clone()).collect();
        let grid = page.iter().filter(|element| element.name == "span").map(|span| span.text.clone());
        if target.contains("grid") {
            found = grid.collect();
        }
        let is_seen = |text: &String| text.chars().all(|character| !character.is_control() && character != '\u{202e}');
        assert!(found.iter().all(is_seen), "{found:?}");
        for name in [
            "a b.txt",
            " leading",
            "\"><img src=x onerror=1>",
            "--><script>alert(1)<",
            "&amp;&lt;&#60;",
            "[U+000D][U+000A]Set-Cookie: a=b",
            "\u{fffd}\u{fffd}\u{fffd}.txt",
            "[U+202E]txt.exe[U+2066]",
            "<!-- rows -->",
        ] {
            assert!(found.iter().any(|text| text == name), "{name:?} is not among {found:?}");
        }
        assert_eq!(found.len(), NAMES.len() + 1);
    }
}

/// features.md §4, row 8: names as markup, of files, of folders, and in the way down to them.
#[test]
fn no_name_becomes_markup_wherever_it_is_shown() {
    let evil = ["\"><img src=x onerror=1>", "'", "<title>", "javascript:alert(1)", "<script>alert(1)<"];
    let path: String = evil.iter().map(|name| format!("{name}/")).collect();
    let site = Site::new(&[&*path]);
    for name in evil {
        site.add(format!("{path}{name}"), b"");
        site.add(format!("{path}dir {name}/"), b"");
    }
    let url = |names: &[&str]| -> String {
        let encode = |name: &&str| {
            percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string() + "/"
        };
        std::iter::once("/".to_owned()).chain(names.iter().map(encode)).collect()
    };
    for view in ["", "?view=grid", "?q=%22%3E%3Cimg%20src=x%3E", "?q=<script>&sort=<b>&order='\"&view=<i>"] {
        let target = url(&evil) + view;
        let answer = site.get(&target);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let page = parse(answer.text()); // which fails where text is not escaped
        let is_ours = |element: &&Element| {
            [
                "html", "head", "link", "meta", "title", "style", "body", "nav", "ol", "li", "a", "main", "h1", "div",
                "p", "form", "input", "noscript", "button", "table", "thead", "tbody", "tr", "th", "td", "ul", "span",
                "script",
            ]
            .contains(&&*element.name)
        };
        assert_eq!(page.iter().filter(|element| !is_ours(element)).count(), 0, "no img, no b, no i");
        assert_eq!(page.iter().filter(|element| element.name == "script").count(), 1, "our own");
        let events = page.iter().flat_map(|element| &element.attributes).filter(|(name, _)| name.starts_with("on"));
        assert_eq!(events.count(), 0);
        assert!(page.iter().all(|element| !element.attribute("href").contains("javascript:")));
        assert_eq!(page.iter().find(|element| element.name == "h1").unwrap().text, evil[4]);
        let crumbs: Vec<_> = page
            .iter()
            .filter(|element| element.name == "a" && element.parent == "li" && !element.has("class"))
            .map(|link| (&*link.text, resolve(&target, link.attribute("href"))))
            .collect();
        let above: Vec<_> = (0..5).map(|depth| ([&["Home"][..], &evil].concat()[depth], url(&evil[..depth]))).collect();
        assert_eq!(crumbs, above);
    }
}

#[test]
fn the_policy_lets_in_no_more_than_the_page_needs() {
    let site = Site::new(&["a"]);
    let answer = site.get("/");
    let policy = answer.header("content-security-policy").unwrap();
    let directives: Vec<_> = policy.split(';').map(str::trim).collect();
    for directive in [
        "default-src 'none'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ] {
        assert!(directives.contains(&directive), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    let page = answer.text();
    assert!(
        !page.contains(" style=\"") && !page.contains("http://") && !page.contains("https://"),
        "it would not count"
    );
}

#[test]
fn what_cannot_be_asked_for_is_not_listed() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let site = Site::new(&["in", ".hidden", ".well-known/", "sub/", "sub/.well-known/", "sub/.git/", ".git/", "sub/b"]);
    for (link, to) in [
        ("link", Path::new("in")),
        ("sub/up", Path::new("../in")),
        ("folder", Path::new("sub")),
        ("out", outside.path()),
        ("out file", &outside.path().join("secret")),
        ("out relative", Path::new("../../../../etc/passwd")),
        ("sub/out", Path::new("../..")),
        ("dangling", Path::new("nowhere")),
        ("loop", Path::new("loop")),
        ("device", Path::new("/dev/null")),
        ("process", Path::new("/proc/self/root")),
    ] {
        symlink(to, site.path(link)).unwrap();
    }
    let _socket = std::os::unix::net::UnixListener::bind(site.path("socket")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(site.path("pipe")).status();
    assert!(pipe.unwrap().success());
    assert_eq!(site.names("/"), [".well-known/", "folder/", "sub/", "in", "link"]);
    assert_eq!(site.names("/sub/"), ["b", "up"]);
    assert_eq!(site.names("/folder/"), ["b", "up"], "the same by its link");
    assert_eq!(site.get_as("text/plain", "/sub/").text(), "b\nup\n");
}

#[test]
fn a_folder_that_comes_and_goes_is_there_or_not() {
    let site = Site::new(&["sub/"]);
    thread::scope(|scope| {
        let changing = scope.spawn(|| {
            for round in 0..100 {
                (0..5).for_each(|number| site.add(format!("sub/{round}-{number}"), b""));
                fs::remove_dir_all(site.path("sub")).unwrap();
                site.add("sub/", b"");
            }
        });
        while !changing.is_finished() {
            for form in ["text/html", "application/json", "text/plain"] {
                let status = site.get_as(form, "/sub/").status();
                assert!(matches!(status, 200 | 404), "{status}");
            }
        }
    });
    assert_eq!(site.names("/sub/"), Vec::<String>::new());
}

#[test]
fn under_a_mount_every_link_leads_where_it_says() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("sub/deep")).unwrap();
    fs::write(folder.path().join("sub/deep/a.txt"), "found").unwrap();
    let client = TestClient::new(qibu::Router::new().mount("/x/my%20files", StaticFiles::new(folder.path())));
    let top = client.get("/x/my%20files").send();
    assert_eq!(
        (top.status(), top.header("location")),
        (301, Some("/x/my%20files/")),
        "its relative links need the slash"
    );
    let base = "/x/my%20files/sub/deep/";
    let page = parse(client.get(base).send().text());
    let above = page.iter().filter(|element| element.name == "a" && element.parent == "li");
    let above: Vec<_> = above.map(|link| (&*link.text, resolve(base, link.attribute("href")))).collect();
    assert_eq!(above, [("my files", "/x/my%20files/".to_owned()), ("sub", "/x/my%20files/sub/".to_owned())]);
    for (_, link) in &above {
        assert_eq!(client.get(link).send().status(), 200, "{link}");
    }
    let file = resolve(base, rows(&page).next().unwrap().attribute("href"));
    assert_eq!(client.get(&file).send().text(), "found");
}
