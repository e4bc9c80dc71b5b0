//! Paths that try to get around a mount: into a folder that lies in another one, and that only the mount's guard lets see.

use std::fmt::Write;

use qibu::testing::TestClient;
use qibu::{Handler, HandlerExt, Request, Response, Router, Slashes, StaticFiles, StatusCode};

use crate::{World, try_all};

/// The folder `guarded` of the site, whose files say [`OUTSIDE`](crate::OUTSIDE), is for nobody; all around it is for
/// everyone. The mounts, in every order and depth that a program may have, each with the path that leads to the guard.
fn guarded(world: &World) -> Vec<(&'static str, TestClient)> {
    for name in ["secret.txt", "index.html", "404.html", "about.html", "secret.txt.gz", "deep/secret.txt"] {
        world.write(&format!("site/guarded/{name}"), crate::OUTSIDE);
    }
    let all = || StaticFiles::new(world.root()).clean_urls().single_page();
    let within = || StaticFiles::new(world.root().join("guarded")).with(nobody);
    let router = |at: &str| Router::new().mount(at, within()).mount("/", StaticFiles::new(world.root()));
    vec![
        ("/guarded", TestClient::new(router("/guarded"))),
        ("/guarded", TestClient::new(router("/%67uarded/"))),
        ("/guarded", TestClient::new(router("/guarded").slashes(Slashes::Ignore))),
        ("/guarded", TestClient::new(router("/guarded").slashes(Slashes::Redirect))),
        ("/guarded", TestClient::new(Router::new().mount("/", all()).mount("/guarded", within()))),
        ("/guarded", TestClient::new(Router::new().mount("/guarded", within()).not_found(all()))),
        ("/guarded", TestClient::new(Router::new().mount("/", router("/guarded")))),
        ("/up/guarded", TestClient::new(Router::new().mount("/up", router("/guarded")))),
        ("/up/guarded", TestClient::new(Router::new().mount("/{any}", router("/guarded")))),
        (
            "/guarded",
            TestClient::new(Router::new().mount("/guarded", Router::new().mount("/", within())).not_found(all())),
        ),
        (
            "/guarded",
            TestClient::new(
                Router::new().route("/guarded/{*all}", nobody_at_all).mount("/", StaticFiles::new(world.root())),
            ),
        ),
    ]
}

fn nobody(request: &mut Request, _: &dyn Handler) -> Response {
    nobody_at_all(request)
}

fn nobody_at_all(_: &mut Request) -> Response {
    Response::status_page(StatusCode::UNAUTHORIZED)
}

/// Every spelling in which `percent` says which of the bytes but the slashes are percent-encoded, and how.
fn spelled(path: &str, percent: impl Fn(usize) -> Option<bool>) -> String {
    path.bytes().enumerate().fold(String::new(), |mut target, (at, byte)| {
        match percent(at) {
            Some(true) if byte != b'/' => write!(target, "%{byte:02X}").unwrap(),
            Some(false) if byte != b'/' => write!(target, "%{byte:02x}").unwrap(),
            _ => target.push(char::from(byte)),
        }
        target
    })
}

/// RFC 3986 §6.2.2.2: what is percent-encoded without need is the same path, and so the same mount.
#[test]
fn no_percent_encoding_of_a_path_gets_around_a_mount() {
    let world = World::new();
    for (prefix, client) in guarded(&world) {
        let path = format!("{prefix}/secret.txt");
        let mut targets = vec![path.clone(), spelled(&path, |_| Some(true)), spelled(&path, |_| Some(false))];
        for byte in 1..path.len() {
            targets.push(spelled(&path, |at| (at == byte).then_some(true)));
            targets.push(spelled(&path, |at| (at == byte).then_some(false)));
            targets.push(spelled(&path, |at| (at >= byte).then_some(at % 2 == 0)));
        }
        for target in targets {
            for answer in try_all(&client, &target) {
                assert_eq!(answer.status(), 401, "{target}");
            }
        }
        let free = format!("{}/a.txt", prefix.strip_suffix("/guarded").unwrap());
        let free = spelled(&free, |at| (at % 2 == 0).then_some(true));
        assert_eq!(client.get(&free).send().text(), "inside", "{free}");
    }
}

/// What is no plain spelling leads to the guard, or to nothing: no two parts of the server may take it for two paths.
#[test]
fn no_odd_path_gets_around_a_mount() {
    const ODD: [&str; 44] = [
        "/x/../guarded/",
        "/x/%2e%2e/guarded/",
        "/x/..%2fguarded/",
        "/./guarded/",
        "/%2e/guarded/",
        "/%2E%2e/guarded/",
        "/../guarded/",
        "/folder/../guarded/",
        "/folder/%2e./guarded/",
        "//guarded/",
        "///guarded/",
        "/guarded//",
        "/guarded/./",
        "/guarded/%2e/",
        "/guarded/deep/../",
        "/guarded/x/%2e%2e/",
        "/guarded/..%2fguarded/",
        "/guarded%2f",
        "/guarded%2F",
        "/%2fguarded/",
        "/%2fguarded%2f",
        "/folder%2f..%2fguarded/",
        "/guarded\\",
        "/guarded%5c",
        "/\\guarded/",
        "/%5cguarded/",
        "/folder\\..\\guarded/",
        "/folder%5c..%5cguarded/",
        "/guarded%00/",
        "/%00guarded/",
        "/guarded/%00/",
        "/guarded./",
        "/guarded%2e/",
        "/guarded%20/",
        "/guarded::$INDEX_ALLOCATION/",
        "/guarded;x/",
        "/;/guarded/",
        "/%2567uarded/",
        "/%c1%a7uarded/", // overlong UTF-8
        "/%e0%81%a7uarded/",
        "/%u0067uarded/",
        "/%EF%BD%87uarded/", // a wide g
        "/%67%75arded%",
        "/guarded%2f%2e%2e%2fguarded%2f",
    ];
    let world = World::new();
    for (prefix, client) in guarded(&world) {
        let up = prefix.strip_suffix("/guarded").unwrap();
        for odd in ODD {
            for name in ["", "secret.txt", "index.html", "about", "deep/secret.txt", "secret%2etxt"] {
                for target in
                    [format!("{up}{odd}{name}"), format!("{up}{odd}{name}/"), format!("http://a{up}{odd}{name}")]
                {
                    for answer in try_all(&client, &target) {
                        assert!([301, 308, 400, 401, 404].contains(&answer.status()), "{target}: {}", answer.status());
                    }
                }
            }
        }
    }
}
