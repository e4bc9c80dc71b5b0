//! What a pattern is, what it matches, and what is none.

use qibu::testing::{TestClient, TestConn};
use qibu::{Http, Request, RouteError, Router, Slashes};

use crate::{Show, get, location, places, text};

// ---- percent-encoding ----

/// RFC 3986 section 6.2.2.2; raw bytes, as few clients send them, and as browsers do.
#[test]
fn a_route_matches_however_its_path_is_encoded() {
    let app = Router::new()
        .get("/你好", places)
        .get("/caf%C3%A9/{x}", text)
        .get("/a b/100%", |_| "a space")
        .get("/{x}.jpég", text)
        .get("/x%2Fy", |_| "a slash in it")
        .post("/p", |_| "posted")
        .slashes(Slashes::Redirect);
    let client = TestClient::new(app);
    for path in ["/%E4%BD%A0%E5%A5%BD", "/%e4%bd%a0%e5%a5%bd", "/%e4%bd%a0好"] {
        let answer = client.get(path).send();
        let encoded = path.replace('好', "%E5%A5%BD");
        assert_eq!(answer.text(), format!(" + {encoded} of {encoded}"), "the handler sees what was sent");
    }
    let raw = TestConn::open(Http::new(Router::new().get("/你好", |_| "raw")))
        .unwrap()
        .send("GET /你好 HTTP/1.1\r\nHost: a\r\n\r\n".as_bytes())
        .recv();
    assert!(raw.ends_with(b"\r\n\r\nraw"), "{raw:?}");
    assert_eq!(get(&client, "/café/%41%2fé%25"), "200 A/é%");
    assert_eq!(get(&client, "/a%20b/100%25"), "200 a space");
    assert_eq!(get(&client, "/%61%20b/100%"), "200 a space");
    assert_eq!(get(&client, "/%E4%BD%A0%2Ejp%C3%A9%67"), "200 你");
    assert_eq!(get(&client, "/x%2fy"), "200 a slash in it");
    assert_eq!(client.get("/x/y").send().status(), 404);
    assert_eq!(client.get("/x%252Fy").send().status(), 404, "once");
    let answer = client.get("/%70").send();
    assert_eq!((answer.status(), answer.header("allow")), (405, Some("POST, OPTIONS")));
    assert_eq!(location(&client.post("/%70/?a=%70").send()), (308, "/%70?a=%70"));
    assert_eq!(client.get("/%E4%BD%A0%E5%A5").send().status(), 404, "no text, and no route");
}

#[test]
fn a_mount_takes_its_paths_however_they_are_encoded() {
    let inner = Router::new().mount("/b", places).get("/n/{x}", text);
    let app = Router::new().mount("/ä", inner).mount("/t/{x}", places).mount("/", |_: &mut Request| "outside");
    let client = TestClient::new(app);
    assert_eq!(get(&client, "/%C3%A4/%62/%63?q=%62"), "200 /%C3%A4/%62 + /%63 of /%C3%A4/%62/%63?q=%62");
    assert_eq!(get(&client, "/%c3%a4/%62"), "200 /%c3%a4/%62 + / of /%c3%a4/%62");
    assert_eq!(get(&client, "/ä/%62/"), "200 /%C3%A4/%62 + / of /%C3%A4/%62/");
    assert_eq!(get(&client, "/%74/%2F%61/%2F"), "200 /%74/%2F%61 + /%2F of /%74/%2F%61/%2F");
    assert_eq!(get(&client, "/%c3%a4/%6E/%2fx"), "200 /x");
    assert_eq!(get(&client, "/%c3%a4/%6E/"), "404 404 Not Found");
    assert_eq!(get(&client, "/%E4/b"), "200 outside", "Latin-1 is not UTF-8");
    assert_eq!(get(&client, "/ä%2Fb"), "200 outside");
}

/// A sign that stands for something that is no text in the router's tree.
#[test]
fn no_sign_stands_for_another() {
    let client = TestClient::new(
        Router::new().get("/a%2Fb", |_| "slash").get("/%FF", |_| "byte").get("/{x}", text).get("/{x}F1", text),
    );
    assert_eq!(get(&client, "/a%2Fb"), "200 slash");
    assert_eq!(get(&client, "/a\u{10FF2F}b"), "200 a\u{10FF2F}b");
    assert_eq!(get(&client, "/%ff"), "200 byte");
    assert_eq!(get(&client, "/\u{10FFFF}"), "200 \u{10FFFF}");
    assert_eq!(get(&client, "/%25FF"), "200 %FF");
    assert_eq!(get(&client, "/x%2F1"), "200 x/1", "no sign ends within another");
    assert_eq!(get(&client, "/x%2FF1"), "200 x/");
}

// ---- routes that cannot be ----

fn fault(add: impl FnOnce(&mut Router) -> Result<(), RouteError>) -> String {
    let mut router = Router::new().get("/users/{id}", |_| "").mount("/files", Show(""));
    add(&mut router).unwrap_err().to_string()
}

#[test]
fn conflicts_name_both_patterns() {
    let conflict = |pattern: &str| fault(|router| router.try_route(pattern, Show("")));
    assert_eq!(conflict("/users/{name}"), "the route `/users/{name}` cannot be told from `/users/{id}`");
    assert_eq!(conflict("POST /files/{id}"), "the route `/files/{id}` cannot be told from `/files/{*rest}`");
    assert_eq!(conflict("/files"), "the route `/files` cannot be told from `/files`");
    assert_eq!(conflict("GET /users/{id}"), "the route `/users/{id}` has a handler already");
    let mount = fault(|router| router.try_mount("/users", Show("")));
    assert_eq!(mount, "the route `/users/{*rest}` cannot be told from `/users/{id}`");
    assert_eq!(conflict("/%75sers/{name}"), "the route `/%75sers/{name}` cannot be told from `/users/{id}`");
    let mut router = Router::new().get("/%70/你", |_| "").mount("/%64ocs", Show(""));
    let mut conflict = |pattern: &str| router.try_route(pattern, Show("")).unwrap_err().to_string();
    assert_eq!(conflict("/p/%E4%BD%A0"), "the route `/p/%E4%BD%A0` cannot be told from `/%70/你`");
    assert_eq!(conflict("/docs/{x}"), "the route `/docs/{x}` cannot be told from `/%64ocs/{*rest}`");
}

#[test]
fn what_is_no_pattern_is_refused_with_the_reason() {
    let malformed = |pattern: &str| fault(|router| router.try_route(pattern, Show("")));
    assert_eq!(malformed("users"), "`users` is no route: it must begin with a slash");
    assert!(malformed("GET  /a").contains("begin with a slash"));
    assert!(malformed("G@T /a").contains("before the space stands a method"));
    assert!(malformed("/{a}{b}").contains("one parameter"));
    assert!(malformed("/{*a}/b").contains("the last segment"));
    assert!(malformed("/{a").contains("a parameter is `{name}`"));
    assert!(malformed("/{}").contains("a parameter is `{name}`"));
}

/// What no request can come to, or what means something in another framework.
#[test]
fn slips_are_refused_with_what_was_meant() {
    let slip = |pattern: &str| fault(|router| router.try_route(pattern, Show("")));
    assert_eq!(slip("get /x"), "`get /x` is no route: methods are written in capitals, as in `GET /path`");
    assert!(slip("Post /x").contains("in capitals"));
    for all in ["ANY /x", "* /x", "all /x"] {
        assert!(slip(all).contains("a route for all methods is its path alone"), "{}", slip(all));
    }
    assert!(slip("CONNECT /x").contains("a tunnel"));
    assert!(slip("GET,POST /x").contains("a method, and only one"));
    for query in ["/q?x=1", "GET /x#y", "/{id}?", "/?"] {
        assert!(slip(query).contains("`request.query`") && slip(query).contains("`%3F`"), "{}", slip(query));
    }
    for parameter in ["/:id", "GET /users/:id/edit", "/*path", "/*", "/<id>"] {
        assert!(slip(parameter).contains("a parameter is `{name}`"), "{}", slip(parameter));
    }
    for parameter in
        ["/{id:[0-9]+}", r"/{id:\d{4}}", "/{id?}", "/{tail:.*}", "/{x<int>}", "/{ id }", "/{path..}/{a/b}", "/{**x}"]
    {
        assert!(slip(parameter).contains("`request.param::<u32>(\"id\")`"), "{}", slip(parameter));
    }
    assert!(slip("/{id}/x/{id}").contains("the same name"));
    assert!(slip(r"/a\b").contains("`%5C`"));
    for dots in ["/a/../b", "/.", "/%2e%2E/a", "/a/.%2e"] {
        assert!(slip(dots).contains("`.` and `..`"), "{}", slip(dots));
    }
    assert!(slip("/a ").contains("white space") && slip("/a\n").contains("control character"));
    let mount = fault(|router| router.try_mount("/:tenant/", Show("")));
    assert!(mount.starts_with("`/:tenant` is no route: a parameter is `{name}`"), "{mount}");
}

#[test]
fn what_only_looks_like_a_slip_is_a_route() {
    let app = Router::new()
        .get("/%3Aid", |_| "a colon")
        .get("/%2A", |_| "a star")
        .get("/v1/{name}:cancel", |request| request.param::<String>("name"))
        .get("/q%3Fx=1", |_| "a question mark")
        .get("/~/.well-known/a:b", |_| "plain")
        .get("/...", |_| "three dots")
        .get("/{user_id}/{ключ-1.x}", |request| request.param::<String>("ключ-1.x"))
        .route("purge /x", |_: &mut Request| "purged")
        .mount("/{rest}/in", |_: &mut Request| "mounted");
    let client = TestClient::new(app);
    assert_eq!(get(&client, "/:id"), "200 a colon");
    assert_eq!(get(&client, "/*"), "200 a star");
    assert_eq!(get(&client, "/v1/job:cancel"), "200 job");
    assert_eq!(get(&client, "/q%3fx=1"), "200 a question mark");
    assert_eq!(get(&client, "/~/.well-known/a:b"), "200 plain");
    assert_eq!(get(&client, "/..."), "200 three dots");
    assert_eq!(get(&client, "/1/2"), "200 2");
    assert_eq!(client.request("purge", "/x").send().text(), "purged");
    assert_eq!(get(&client, "/a/in/b"), "200 mounted");
}

#[test]
fn all_that_is_left_is_something() {
    let client = TestClient::new(Router::new().get("/{*x}", text).get("/a/{*x}", text));
    assert_eq!(client.get("/").send().status(), 404);
    assert_eq!(get(&client, "//"), "200 /");
    assert_eq!(get(&client, "/a"), "200 a");
    assert_eq!(get(&client, "/a/"), "200 a/", "it is no path of the other");
}

#[test]
fn a_refused_mount_leaves_the_router_as_it_was() {
    let mut router = Router::new().get("/a/{id}", |_| "one");
    router.try_mount("/a", Show("mounted")).unwrap_err();
    let client = TestClient::new(router.get("/b", |_| "b"));
    assert_eq!(get(&client, "/a/7"), "200 one");
    assert_eq!(get(&client, "/a"), "404 404 Not Found");
    assert_eq!(get(&client, "/b"), "200 b");
}

#[test]
#[should_panic(expected = "the route `/{b}` cannot be told from `/{a}`")]
fn a_conflict_in_the_program_is_reported_when_the_router_is_made() {
    let _ = Router::new().get("/{a}", |_| "").post("/{b}", |_| "");
}

/// What is written out goes before parameters, also within a segment, and is not left again.
#[test]
fn text_around_a_parameter_goes_before_the_bare_one() {
    let client = TestClient::new(Router::new().get("/{x}.git/refs", text).get("/{x}/log", text));
    assert_eq!(get(&client, "/a.git/refs"), "200 a");
    assert_eq!(get(&client, "/a/log"), "200 a");
    assert_eq!(client.get("/a.git/log").send().status(), 404);
}
