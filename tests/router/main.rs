//! The router: which path and method lead to which handler, and what a mounted one sees.

mod own_answers;
mod patterns;
mod spellings;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use qibu::testing::{TestClient, TestResponse};
use qibu::{Handler, HandlerExt, Plan, Request, Response, Result, Router, Slashes, StaticFiles, StatusCode, blocking};

fn get(client: &TestClient, target: &str) -> String {
    let answer = client.get(target).send();
    format!("{} {}", answer.status(), answer.text().trim_end())
}

fn location(answer: &TestResponse) -> (u16, &str) {
    (answer.status(), answer.header("location").unwrap_or("none"))
}

// ---- paths and methods ----

#[test]
fn what_is_written_out_goes_before_parameters_in_any_order() {
    let early =
        Router::new().get("/users/{id}", |_| "one").get("/users/me", |_| "me").get("/users/{id}/{*rest}", |_| "deep");
    let late =
        Router::new().get("/users/{id}/{*rest}", |_| "deep").get("/users/me", |_| "me").get("/users/{id}", |_| "one");
    for app in [early, late] {
        let client = TestClient::new(app);
        assert_eq!(get(&client, "/users/me"), "200 me");
        assert_eq!(get(&client, "/users/meg"), "200 one");
        assert_eq!(get(&client, "/users/me/x/y"), "200 deep");
        assert_eq!(get(&client, "/users/"), "404 404 Not Found");
        assert_eq!(get(&client, "/users"), "404 404 Not Found");
    }
}

#[test]
fn a_known_path_with_another_method_is_405_and_names_the_right_ones() {
    let client = TestClient::new(Router::new().get("/a", |_| "got").put("/a", |_| "put").post("/b", |_| "posted"));
    let answer = client.request("DELETE", "/a").send();
    assert_eq!((answer.status(), answer.header("allow")), (405, Some("GET, PUT, HEAD, OPTIONS")));
    let answer = client.get("/b").send();
    assert_eq!((answer.status(), answer.header("allow")), (405, Some("POST, OPTIONS")));
    assert_eq!(client.request("BREW", "/a").send().status(), 405);
    assert_eq!(client.request("HEAD", "/b").send().status(), 405, "there is no GET that could answer HEAD");
}

#[test]
fn head_is_answered_by_get_and_options_by_the_table() {
    let client = TestClient::new(Router::new().get("/a", |_| "seven"));
    let answer = client.request("HEAD", "/a").send();
    assert_eq!((answer.status(), answer.header("content-length"), answer.bytes()), (200, Some("5"), &b""[..]));
    let answer = client.request("OPTIONS", "/a").send();
    assert_eq!((answer.status(), answer.header("allow")), (204, Some("GET, HEAD, OPTIONS")));
}

#[test]
fn options_of_the_server_itself_is_no_path() {
    let client =
        TestClient::new(Router::new().get("/a", |_| "a").not_found(|_: &mut Request| (StatusCode::NOT_FOUND, "no")));
    assert_eq!(client.request("OPTIONS", "*").send().status(), 204);
}

#[test]
fn head_and_options_of_ones_own_go_first() {
    let app = Router::new()
        .get("/a", |_| "got")
        .head("/a", |_| Response::new(StatusCode::ACCEPTED))
        .options("/a", |_| "mine")
        .patch("/a", |_| "patched")
        .delete("/a", |_| "deleted");
    let client = TestClient::new(app);
    assert_eq!(client.request("HEAD", "/a").send().status(), 202);
    assert_eq!(client.request("OPTIONS", "/a").send().text(), "mine");
    assert_eq!(client.request("PATCH", "/a").send().text(), "patched");
    assert_eq!(client.request("DELETE", "/a").send().text(), "deleted");
}

#[test]
fn a_route_without_a_method_takes_all_that_have_no_handler_of_their_own() {
    let app = Router::new().route("/a", |request: &mut Request| request.method().to_string()).post("/a", |_| "posted");
    let client = TestClient::new(app);
    assert_eq!(client.request("BREW", "/a").send().text(), "BREW");
    assert_eq!(client.request("OPTIONS", "/a").send().text(), "OPTIONS");
    assert_eq!(client.post("/a").send().text(), "posted");
}

struct Show(&'static str);

impl Handler for Show {
    fn handle(&self, _: &mut Request) -> Response {
        Response::text(self.0)
    }
}

#[test]
fn structs_and_decorated_handlers_are_routes_too() {
    let app = Router::new()
        .route("GET /one", Show("a struct"))
        .route("GET /two", Show("x").with(|request: &mut Request, next: &dyn Handler| next.handle(request)))
        .route("GET /three", Arc::new(Show("an Arc")))
        .route("GET /four", blocking(|_: &mut Request| "on the pool"));
    let client = TestClient::new(app);
    assert_eq!(get(&client, "/one"), "200 a struct");
    assert_eq!(get(&client, "/two"), "200 x");
    assert_eq!(get(&client, "/three"), "200 an Arc");
    assert_eq!(get(&client, "/four"), "200 on the pool");
    assert_eq!(client.post("/one").send().status(), 405);
}

// ---- parameters ----

fn text(request: &mut Request) -> Result<String> {
    request.param("x")
}

#[test]
fn parameters_are_decoded_after_the_match_and_once() {
    let client = TestClient::new(Router::new().get("/one/{x}", text).get("/all/{*x}", text).get("/{x}.png", text));
    assert_eq!(get(&client, "/one/a%2Fb"), "200 a/b", "an encoded slash is no separator");
    assert_eq!(get(&client, "/one/100%2525"), "200 100%25", "once");
    assert_eq!(get(&client, "/one/%E4%B8%83%E6%AD%A5"), "200 七步");
    assert_eq!(get(&client, "/all/a/b%20c/"), "200 a/b c/");
    assert_eq!(get(&client, "/picture%2F1.png"), "200 picture/1");
    assert_eq!(get(&client, "/one/%2e%2e"), "200 ..", "a parameter is text, not a path");
}

#[test]
fn what_does_not_fit_its_type_is_a_400_that_names_it() {
    let client = TestClient::new(
        Router::new().get("/{id}", |request| -> Result<String> { Ok(format!("{}", request.param::<u8>("id")? + 1)) }),
    );
    assert_eq!(get(&client, "/7"), "200 8");
    assert_eq!(get(&client, "/256"), "400 the path's `id`: number too large to fit in target type");
    assert_eq!(get(&client, "/x"), "400 the path's `id`: invalid digit found in string");
    assert_eq!(get(&client, "/%FF"), "400 the path's `id` is not UTF-8 text");
}

#[test]
fn a_parameter_that_the_route_does_not_have_is_the_programs_mistake() {
    let client = TestClient::new(Router::new().get("/{id}", |request| request.param::<String>("uid")));
    assert_eq!(client.get("/7").send().status(), 500);
}

// ---- mounts ----

fn places(request: &mut Request) -> String {
    format!("{} + {} of {}", request.mount_path(), request.path(), request.target())
}

#[test]
fn a_mounted_handler_sees_the_rest_of_the_path() {
    let inner = Router::new().mount("/b", places).get("/", places).get("/x/{y}", places);
    let client = TestClient::new(Router::new().mount("/a", inner).mount("/t/{tenant}", places).get("/", places));
    assert_eq!(get(&client, "/?q=1"), "200  + / of /?q=1");
    assert_eq!(get(&client, "/a/b/c%20d?q=1"), "200 /a/b + /c%20d of /a/b/c%20d?q=1");
    assert_eq!(get(&client, "/a/b"), "200 /a/b + / of /a/b");
    assert_eq!(get(&client, "/a/b/"), "200 /a/b + / of /a/b/");
    assert_eq!(get(&client, "/a/b//"), "200 /a/b + // of /a/b//");
    assert_eq!(get(&client, "/a"), "200 /a + / of /a");
    assert_eq!(get(&client, "/a/"), "200 /a + / of /a/");
    assert_eq!(get(&client, "/a/x/7"), "200 /a + /x/7 of /a/x/7");
    assert_eq!(get(&client, "/t/acme/x"), "200 /t/acme + /x of /t/acme/x");
    assert_eq!(get(&client, "/ab"), "404 404 Not Found", "a prefix ends at a slash");
}

#[test]
fn a_mount_at_the_top_takes_what_no_route_does() {
    let client = TestClient::new(Router::new().mount("/", places).get("/news", |_| "news"));
    assert_eq!(get(&client, "/news"), "200 news");
    assert_eq!(get(&client, "/newsletter"), "200  + /newsletter of /newsletter");
    assert_eq!(get(&client, "/"), "200  + / of /");
}

#[test]
fn mounts_at_the_top_of_a_mount_see_the_same_path() {
    let client = TestClient::new(Router::new().mount("/a", Router::new().mount("/", Router::new().mount("/", places))));
    assert_eq!(get(&client, "/a"), "200 /a + / of /a");
    assert_eq!(get(&client, "/a/"), "200 /a + / of /a/");
    assert_eq!(get(&client, "/a//"), "200 /a + // of /a//");
    assert_eq!(get(&client, "/a/b"), "200 /a + /b of /a/b");
}

#[test]
fn parameters_of_outer_routers_are_known_within_and_the_innermost_wins() {
    let show = |request: &mut Request| -> Result<String> {
        let outer: String = request.param("outer")?;
        Ok(format!("{outer} {}", request.param::<u32>("id")?))
    };
    let inner = Router::new().get("/{id}", show);
    let client = TestClient::new(Router::new().mount("/{outer}/{id}", inner));
    assert_eq!(get(&client, "/a%20b/1/2"), "200 a b 2");
}

#[test]
fn outside_of_a_mount_the_path_is_whole_again() {
    let app = Router::new().mount("/a", Show("")).with(|request: &mut Request, next: &dyn Handler| {
        let before = places(request);
        let _ = next.handle(request);
        Response::text(format!("{before}, {}, {:?}", places(request), request.route()))
    });
    let expected = r#"200  + /a/x of /a/x,  + /a/x of /a/x, Some("/a/{*rest}")"#;
    assert_eq!(get(&TestClient::new(app), "/a/x"), expected);
}

#[test]
fn a_mounted_folder_redirects_to_where_it_is_mounted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    std::fs::write(folder.path().join("index.html"), "home").unwrap();
    let files = Arc::new(StaticFiles::new(folder.path()));
    let client = TestClient::new(Router::new().mount("/files", files.clone()).mount("/t/{x}", files));
    assert_eq!(get(&client, "/files/"), "200 home");
    assert_eq!(get(&client, "/files/index.html"), "200 home");
    for _ in 0..2 {
        assert_eq!(location(&client.get("/files?a=b").send()), (301, "/files/?a=b"), "links in it would be wrong");
    }
    assert_eq!(location(&client.get("/files/sub").send()), (301, "/files/sub/"));
    assert_eq!(location(&client.get("/t/%2e/sub").send()), (301, "/t/%2e/sub/"));
    assert_eq!(get(&client, "/files/../x"), "404 404 Not Found");
}

#[test]
fn no_redirect_leads_to_another_server() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    let app = Router::new().mount("/{x}", StaticFiles::new(folder.path())).slashes(Slashes::Redirect);
    let client = TestClient::new(app);
    assert_eq!(location(&client.get("/\\evil.test").send()), (301, "/%5Cevil.test/"));
    assert_eq!(location(&client.get("/\\evil.test/sub").send()), (301, "/%5Cevil.test/sub/"));
    assert_eq!(client.get("//evil.test/sub").send().status(), 404);
    let client = TestClient::new(Router::new().get("/{*all}", |_| "").get("//x/", |_| "").slashes(Slashes::Redirect));
    assert_eq!(client.get("//x").send().status(), 200);
    let client = TestClient::new(Router::new().get("/a{x}/", |_| "").get("//{x}/", |_| "").slashes(Slashes::Redirect));
    assert_eq!(location(&client.get("//evil.test").send()), (308, "/evil.test/"));
}

// ---- plans ----

struct Counting {
    plans: AtomicUsize,
    limit: u64,
}

impl Handler for Counting {
    fn handle(&self, request: &mut Request) -> Response {
        let length = request.bytes().map_or(0, |body| body.len());
        Response::text(format!("{length} bytes, planned {} times", self.plans.load(Ordering::Relaxed)))
    }

    fn plan(&self, _: &mut Request) -> Plan {
        self.plans.fetch_add(1, Ordering::Relaxed);
        Plan::inline().body_limit(self.limit)
    }
}

#[test]
fn the_plan_is_that_of_the_handler_that_will_answer() {
    let counting = |limit| Counting { plans: AtomicUsize::new(0), limit };
    let inner = Router::new().route("POST /small", counting(3)).route("POST /large", counting(100));
    let client = TestClient::new(Router::new().mount("/in", inner).mount("/elsewhere", counting(0)));
    assert_eq!(client.post("/in/small").body("four").send().status(), 413);
    assert_eq!(client.post("/in/large").body("four").send().text(), "4 bytes, planned 1 times");
    assert_eq!(client.post("/in/medium").body("four").send().status(), 404);
}

#[test]
fn a_router_that_was_not_asked_for_its_plan_answers_all_the_same() {
    let (first, second) = (Router::new().get("/a", |_| "a"), Router::new().get("/b/{x}", text));
    let either = move |request: &mut Request| {
        let answer = first.handle(request);
        if answer.status() == 404 { second.handle(request) } else { answer }
    };
    let client = TestClient::new(either);
    assert_eq!(get(&client, "/a"), "200 a");
    assert_eq!(get(&client, "/b/c"), "200 c");
    assert_eq!(get(&client, "/c"), "404 404 Not Found");
}

#[test]
fn one_router_in_two_places_is_two_routers() {
    let shared = Arc::new(Router::new().get("/{x}", places));
    let client = TestClient::new(Router::new().mount("/a", shared.clone()).mount("/b/c", shared));
    assert_eq!(get(&client, "/a/1"), "200 /a + /1 of /a/1");
    assert_eq!(get(&client, "/b/c/1"), "200 /b/c + /1 of /b/c/1");
}

// ---- when nothing matches ----

#[test]
fn not_found_answers_what_no_path_matches_and_only_that() {
    let inner = Router::new().get("/", |_| "in");
    let app = Router::new().get("/a", |_| "a").mount("/in", inner).not_found(|request: &mut Request| {
        (StatusCode::NOT_FOUND, format!("nothing at {} ({:?})", request.path(), request.route()))
    });
    let client = TestClient::new(app);
    assert_eq!(get(&client, "/b"), "404 nothing at /b (None)");
    assert_eq!(client.post("/a").send().status(), 405);
    assert_eq!(get(&client, "/in/x"), "404 404 Not Found", "a mounted router has its own");
}

#[test]
fn not_found_may_be_any_handler() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "a file").unwrap();
    let app = Router::new().get("/{x}/{y}", |_| "two").not_found(StaticFiles::new(folder.path()));
    let client = TestClient::new(app);
    assert_eq!(get(&client, "/a.txt"), "200 a file");
    assert_eq!(get(&client, "/a/b"), "200 two");
    let app = Router::new().not_found(Router::new().get("/x/{x}", text));
    assert_eq!(get(&TestClient::new(app), "/x/7"), "200 7");
}

#[test]
fn slashes_are_strict_unless_told_otherwise() {
    let app = |slashes| {
        let inner = Router::new().get("/b", places).slashes(slashes);
        let outer = Router::new().get("/a", |_| "a").get("/f/", |_| "f").get("/v/{x}", text).get("/w/{x}/", text);
        TestClient::new(outer.mount("/m", inner).slashes(slashes))
    };
    let strict = app(Slashes::Strict);
    for path in ["/a/", "/f", "/v/1/", "/w/1", "/m/b/"] {
        assert_eq!(strict.get(path).send().status(), 404, "{path}");
    }
    let redirect = app(Slashes::Redirect);
    assert_eq!(location(&redirect.get("/a/?q=1").send()), (308, "/a?q=1"));
    assert_eq!(location(&redirect.post("/f").send()), (308, "/f/"));
    assert_eq!(location(&redirect.get("/m/b/").send()), (308, "/m/b"));
    assert_eq!(location(&redirect.get("/b").send()), (404, "none"));
    assert_eq!(location(&redirect.get("/a").send()), (200, "none"));
    let ignore = app(Slashes::Ignore);
    assert_eq!(get(&ignore, "/a/"), "200 a");
    assert_eq!(get(&ignore, "/f"), "200 f");
    assert_eq!(get(&ignore, "/v/1%20/"), "200 1");
    assert_eq!(get(&ignore, "/w/12"), "200 12");
    assert_eq!(get(&ignore, "/m/b/"), "200 /m + /b/ of /m/b/");
    assert_eq!(ignore.post("/a/").send().status(), 405);
    assert_eq!(get(&ignore, "/b/"), "404 404 Not Found");
}

#[test]
fn the_name_of_a_route_is_its_pattern() {
    let name = |request: &mut Request| request.route().map(str::to_owned);
    let inner = Router::new().get("/{id}/edit", name).get("/{{x}}", name);
    let client = TestClient::new(Router::new().mount("/a/{b}", inner).get("/users/{id}", name).mount("/m", name));
    assert_eq!(get(&client, "/users/7"), "200 /users/{id}");
    assert_eq!(get(&client, "/a/1/2/edit"), "200 /a/{b}/{id}/edit");
    assert_eq!(get(&client, "/a/1/%7Bx%7D"), "200 /a/{b}/{{x}}", "browsers encode braces");
    assert_eq!(get(&client, "/a/1/{x}"), "200 /a/{b}/{{x}}");
    assert_eq!(get(&client, "/m/1/2"), "200 /m/{*rest}");
}
