//! What went wrong in other programs that serve files, tried on this one: `docs/security-cases.md` has the list, and says for
//! each case which test tries it, or why it cannot happen here; `table.rs` sees to it that those tests exist.
//!
//! A path, a name or a link is tried against every feature that derives a name from it: the index of a folder, a compressed
//! form beside a file, clean URLs, the single page, 404.html, a README, the listing, mounts, redirects.
#![cfg(unix)]

mod links;
mod mounts;
mod names;
mod paths;
mod source;
mod table;

use std::fs;
use std::path::Path;

use qibu::testing::{TestClient, TestResponse};
use qibu::{HandlerExt, Redirects, Router, StaticFiles, StatusCode};

/// What no answer may ever hold.
const OUTSIDE: &str = "OUTSIDE";

/// A folder that is served, and what lies around it: the same names, all of which say [`OUTSIDE`].
struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        for name in ["a.txt", "about.html", "index.html", "404.html", "README.md", "a.txt.gz", "secret.txt"] {
            world.write(name, OUTSIDE);
            world.write(&format!("site-evil/{name}"), OUTSIDE);
            world.write(&format!("site/.hidden/{name}"), OUTSIDE);
        }
        world.write("site/.env", OUTSIDE);
        world.write("site/a.txt", "inside");
        world.write("site/about.html", "<p>inside");
        world.write("site/folder/b.txt", "inside");
        world.write("site/folder/deep/c.txt", "inside");
        world
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn root(&self) -> std::path::PathBuf {
        self.path().join("site")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The folder with every feature, alone and together, at the top and mounted: a prefix for the paths, and a client.
    fn sites(&self) -> Vec<(&'static str, TestClient)> {
        let files = || StaticFiles::new(self.root());
        let all = || files().clean_urls().single_page().header("**", "x-rule", "yes").unwrap();
        let moved = || Redirects::new().add("/moved/**", "/a/**", StatusCode::FOUND).unwrap();
        vec![
            ("", TestClient::new(files())),
            ("", TestClient::new(files().cache_limit(0))),
            ("", TestClient::new(files().clean_urls())),
            ("", TestClient::new(files().single_page())),
            ("", TestClient::new(all().with(moved()))),
            ("/moved", TestClient::new(all().with(moved()))),
            ("/docs", TestClient::new(Router::new().mount("/docs", all()).mount("/", files()))),
        ]
    }
}

/// As different clients ask: a script, a browser that wants a page, one that wants a listing for a program.
const CLIENTS: [&[(&str, &str)]; 4] = [
    &[],
    &[("sec-fetch-mode", "navigate"), ("accept", "text/html"), ("accept-encoding", "gzip, br, zstd")],
    &[("accept", "application/json")],
    &[("accept", "text/plain"), ("range", "bytes=0-99")],
];

/// The answers to GET and HEAD of all clients, none of which may hold a byte from outside or lead to another site.
fn try_all(client: &TestClient, target: &str) -> Vec<TestResponse> {
    let mut answers = Vec::new();
    for fields in CLIENTS {
        for method in ["GET", "HEAD"] {
            let request = client.request(method, target);
            let answer = fields.iter().fold(request, |request, (name, value)| request.header(name, value)).send();
            let body = String::from_utf8_lossy(answer.bytes()).into_owned();
            assert!(!body.contains(OUTSIDE), "{method} {target} {fields:?}: {body}");
            assert_ne!(answer.status(), 500, "{method} {target} {fields:?}: {body}");
            if let Some(location) = answer.header("location") {
                let mut bytes = location.bytes();
                assert_eq!(bytes.next(), Some(b'/'), "{target}: {location}");
                assert!(!matches!(bytes.next(), Some(b'/' | b'\\')), "{target}: {location}");
            }
            answers.push(answer);
        }
    }
    answers
}
