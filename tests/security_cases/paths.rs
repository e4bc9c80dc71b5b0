//! Paths that try to leave the folder, to reach what is hidden in it, or to break whoever reads them.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use qibu::testing::{TestClient, TestConn};
use qibu::{Http, StaticFiles};

use crate::{World, try_all};

/// Ways up, in many spellings. `{}` is the rest of the path.
const WAYS_UP: [&str; 24] = [
    "/../{}",
    "/folder/../../{}",
    "/./../{}",
    "/%2e%2e/{}",
    "/%2E%2e%2f{}",
    "/..%2f{}",
    "/..%5c{}",
    "/..\\{}",
    "/%252e%252e/{}",
    "/%252e%252e%252f{}",
    "/..;/{}",
    "/.../{}",
    "/....//{}",
    "//../{}",
    "/folder//..//..//{}",
    "/%c0%ae%c0%ae/{}",
    "/%uff0e%uff0e/{}",
    "/..%00/{}",
    "/folder/%2e%2e/%2e%2e/{}",
    "/..%c0%af{}",
    "/../site-evil/{}",
    "/c:/{}",
    "/..\u{2215}{}",
    "/%5c..%5c{}",
];

/// What is there to be reached: files, folders, and names that features derive others from.
const GOALS: [&str; 9] =
    ["secret.txt", "a.txt", "about", "about.html", "", "index.html", "404.html", "README.md", "site-evil/"];

#[test]
fn no_path_leads_out_of_the_folder_through_any_feature() {
    let world = World::new();
    for (prefix, client) in world.sites() {
        for way in WAYS_UP {
            for goal in GOALS {
                let path = way.replace("{}", goal);
                let target: String = path
                    .chars()
                    .map(|one| if one.is_ascii() { one.to_string() } else { "%E2%88%95".to_owned() })
                    .collect();
                try_all(&client, &format!("{prefix}{target}"));
            }
        }
    }
}

#[test]
fn hidden_names_are_404_through_every_feature() {
    let world = World::new();
    for (prefix, client) in world.sites() {
        for name in
            ["/.env", "/.hidden", "/.hidden/", "/.hidden/a.txt", "/.hidden/about", "/.hidden/nothing", "/%2eenv"]
        {
            for answer in try_all(&client, &format!("{prefix}{name}")) {
                assert!([302, 404].contains(&answer.status()), "{prefix}{name}: {}", answer.status());
            }
        }
        for answer in try_all(&client, &format!("{prefix}/folder/")) {
            let text = String::from_utf8_lossy(answer.bytes()).into_owned();
            assert!(!text.contains("/.hidden") && !text.contains(">.hidden"), "{text}"); // the page's script has `row.hidden`
        }
    }
}

#[test]
fn a_folder_whose_name_only_begins_like_the_root_is_outside() {
    let world = World::new();
    std::os::unix::fs::symlink("../site-evil", world.root().join("evil")).unwrap();
    std::os::unix::fs::symlink(world.path().join("site-evil/secret.txt"), world.root().join("evil.txt")).unwrap();
    for (prefix, client) in world.sites() {
        for name in
            ["/evil/secret.txt", "/evil/", "/evil", "/evil.txt", "/../site-evil/secret.txt", "/-evil/secret.txt"]
        {
            try_all(&client, &format!("{prefix}{name}"));
        }
    }
}

#[test]
fn slashes_and_dots_have_one_meaning() {
    let world = World::new();
    let client = TestClient::new(StaticFiles::new(world.root()).clean_urls());
    assert_eq!(client.get("/folder/b.txt").send().text(), "inside");
    for target in [
        "//folder/b.txt",
        "/folder//b.txt",
        "/folder%2fb.txt",
        "/folder/./b.txt",
        "/folder/x/..;/b.txt",
        "/folder/../folder/b.txt",
        "/folder\\b.txt",
        "/folder%5cb.txt",
        "/folder/b.txt/",
        "/folder/b.txt%00",
        "/folder/b.txt%2f",
    ] {
        let answer = client.get(target).send();
        assert!([400, 404].contains(&answer.status()), "{target}: {}", answer.status());
    }
}

#[test]
fn no_redirect_leads_to_another_site() {
    let world = World::new();
    for folder in ["\\evil.example", "a\r\nset-cookie: x", "evil.example", "folder/sub"] {
        fs::create_dir_all(world.root().join(folder)).unwrap();
    }
    for (prefix, client) in world.sites() {
        for target in [
            "/folder",
            "/folder/sub",
            "//evil.example",
            "//evil.example/..",
            "///evil.example",
            "/%2fevil.example",
            "/\\evil.example",
            "/%5cevil.example",
            "/%5c%5cevil.example",
            "/a%0d%0aset-cookie:%20x",
            "/evil.example",
            "/evil.example%2f..",
            "/about/",
            "/%61bout/",
        ] {
            for answer in try_all(&client, &format!("{prefix}{target}")) {
                assert_eq!(answer.header("set-cookie"), None, "{target}");
            }
        }
    }
}

/// Raw and percent-encoded, in the path, the query and the value of a field.
#[test]
fn every_byte_in_every_place_is_survived() {
    let world = World::new();
    let http = || Http::new(StaticFiles::new(world.root()).clean_urls().single_page());
    let fields = ["host", "range", "if-range", "if-none-match", "if-modified-since", "accept-encoding", "accept"];
    for byte in 0..=255_u8 {
        let mut requests = Vec::new();
        for byte in [vec![byte], format!("%{byte:02x}").into_bytes()] {
            for (before, after) in [("GET /a", ""), ("GET /", "/a.txt"), ("GET /a.txt?", "x")] {
                requests.push([before.as_bytes(), &byte, after.as_bytes(), b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat());
            }
        }
        for name in fields {
            let head = format!("GET /a.txt HTTP/1.1\r\n{}{name}: a", if name == "host" { "" } else { "Host: a\r\n" });
            requests.push([head.as_bytes(), &[byte], b"b\r\n\r\n"].concat());
        }
        for request in requests {
            let mut conn = TestConn::open(http()).unwrap();
            conn.send(&request);
            let mut answer = conn.recv();
            while answer.is_empty() && conn.wait_for_mail() {
                answer = conn.recv(); // it came from a worker
            }
            let text = String::from_utf8_lossy(&answer);
            let is_sound = text.is_empty() || (text.starts_with("HTTP/1.1 ") && !text.starts_with("HTTP/1.1 5"));
            assert!(is_sound, "{:?}: {text}", String::from_utf8_lossy(&request));
        }
    }
    let client = TestClient::with_http(http());
    assert_eq!(client.get("/a.txt").send().text(), "inside");
}

#[test]
fn a_root_that_is_missing_is_404_and_never_the_folder_we_are_in() {
    let world = World::new();
    let missing = world.path().join("missing");
    for path in [missing.clone(), "".into()] {
        let client = TestClient::new(StaticFiles::new(path).clean_urls());
        for target in ["/", "/Cargo.toml", "/src/lib.rs", "/README.md", "/README"] {
            assert_eq!(client.get(target).send().status(), 404, "{target}");
        }
    }
    let client = TestClient::new(StaticFiles::new(&missing));
    fs::create_dir(&missing).unwrap();
    fs::write(missing.join("a.txt"), "there").unwrap();
    assert_eq!(client.get("/a.txt").send().text(), "there");
    fs::rename(&missing, world.path().join("away")).unwrap();
    assert_eq!(client.get("/a.txt").send().status(), 404);
}

#[test]
fn times_that_no_calendar_has_are_survived() {
    let world = World::new();
    let now = SystemTime::now();
    for (name, time) in [
        ("epoch.txt", SystemTime::UNIX_EPOCH),
        ("before.txt", SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 30)),
        ("far.txt", SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33)),
        ("tomorrow.txt", now + Duration::from_secs(86_400)),
    ] {
        world.write(&format!("site/times/{name}"), "inside");
        File::options().write(true).open(world.root().join("times").join(name)).unwrap().set_modified(time).unwrap();
        for (prefix, client) in world.sites() {
            try_all(&client, &format!("{prefix}/times/{name}"));
            try_all(&client, &format!("{prefix}/times/"));
        }
        assert_eq!(
            TestClient::new(StaticFiles::new(world.root())).get(&format!("/times/{name}")).send().text(),
            "inside"
        );
    }
}

/// A compressed form beside a file has a length of its own.
#[test]
fn a_sidecar_is_sent_with_its_own_length() {
    let world = World::new();
    for sidecar in ["short", &"longer than the file itself ".repeat(3000)] {
        world.write("site/a.txt.gz", sidecar);
        let client = TestClient::new(StaticFiles::new(world.root()));
        for _ in 0..2 {
            let answer = client.get("/a.txt").header("accept-encoding", "gzip").send();
            assert_eq!((answer.header("content-encoding"), answer.text()), (Some("gzip"), sidecar));
            assert_eq!(answer.header("content-length"), Some(&*sidecar.len().to_string()));
        }
    }
}
