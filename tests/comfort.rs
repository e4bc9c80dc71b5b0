//! One-liners of requests and responses: values, cookies, forms, JSON; what does not fit is a 4xx that names it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use qibu::cookies::{Cookie, SameSite};
use qibu::json::Json;
use qibu::testing::{TestClient, TestResponse};
use qibu::{Body, Error, Html, IntoResponse, Request, Response, Result, Router, StatusCode, http, method};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Status and text.
fn seen(answer: &TestResponse) -> (u16, &str) {
    (answer.status(), answer.text().trim_end())
}

// ---- the query ----

fn page(request: &mut Request) -> Result<String> {
    let (name, page): (String, u32) = (request.query("name")?, request.query_or("page", 1)?);
    Ok(format!("{name} {page}"))
}

#[test]
fn query_values_are_decoded_and_typed() {
    let client = TestClient::new(page);
    assert_eq!(seen(&client.get("/?page=2&name=a+b%26c&page=3").send()), (200, "a b&c 2"));
    assert_eq!(seen(&client.get("/?name=%E4%B8%83").send()), (200, "七 1"));
    assert_eq!(seen(&client.get("/?name=").send()), (200, " 1"));
    assert_eq!(seen(&client.get("/").send()), (400, "the query's `name` is missing"));
    assert_eq!(
        seen(&client.get("/?name=x&page=").send()),
        (400, "the query's `page`: cannot parse integer from empty string")
    );
    assert_eq!(
        seen(&client.get("/?name=x&page=-1").send()),
        (400, "the query's `page`: invalid digit found in string")
    );
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
struct Order {
    item: String,
    count: u8,
    #[serde(default)]
    tags: Vec<String>,
    gift: Option<bool>,
}

#[test]
fn a_query_is_a_struct() {
    let client =
        TestClient::new(|request: &mut Request| -> Result { Ok(Response::json(&request.query_as::<Order>()?)) });
    let order: Order = client.get("/?item=pen&count=3&tags=a&tags=b&gift=true").send().json();
    assert_eq!(order, Order { item: "pen".into(), count: 3, tags: vec!["a".into(), "b".into()], gift: Some(true) });
    assert_eq!(seen(&client.get("/?item=pen").send()), (400, "the query: missing field `count`"));
    let refused = client.get("/?item=pen&count=300").send();
    assert_eq!(seen(&refused), (400, "the query's `count`: number too large to fit in target type"));
}

// ---- forms and JSON ----

#[test]
fn a_form_is_a_struct_and_nothing_else_is_a_form() {
    let client = TestClient::new(|request: &mut Request| -> Result { Ok(Response::json(&request.form::<Order>()?)) });
    let order = Order { item: "a & b".into(), count: 1, tags: vec![], gift: None };
    assert_eq!(client.post("/").form(&order).send().json::<Order>(), order);
    let form = |text: &'static str| {
        client.post("/").header("content-type", "Application/X-WWW-Form-URLencoded; charset=utf-8").body(text).send()
    };
    assert_eq!(seen(&form("count=x&item=1")), (422, "the form's `count`: invalid digit found in string"));
    assert_eq!(seen(&form("")), (422, "the form: missing field `item`"));
    let refused = client.post("/").body("item=pen&count=1").send();
    assert_eq!(seen(&refused), (415, "a form is expected, but the Content-Type says nothing"));
}

#[test]
fn json_says_where_it_does_not_fit() {
    let client =
        TestClient::new(|request: &mut Request| -> Result { Ok(Response::json(&request.json::<Vec<Order>>()?)) });
    let good = json!([{"item": "pen", "count": 1, "tags": ["x"], "gift": null}]);
    let answer = client.post("/").json(&good).send();
    assert_eq!((answer.header("content-type"), answer.json::<serde_json::Value>()), (Some("application/json"), good));
    let bad = client.post("/").json(&json!([{"item": "pen", "count": "one"}])).send();
    let text = "the JSON's `[0].count`: invalid type: string \"one\", expected u8 at line 1 column 15";
    assert_eq!(seen(&bad), (422, text));
    assert_eq!(client.post("/").json(&json!({"item": 1})).send().status(), 422);
    let send =
        |media_type: &str, text: &'static str| client.post("/").header("content-type", media_type).body(text).send();
    assert_eq!(send("application/json", "[{").status(), 400);
    assert_eq!(send("application/json", "[] x").status(), 400);
    assert_eq!(send("application/json", "").status(), 400);
    assert_eq!(send("application/vnd.order+json; charset=utf-8", "[]").status(), 200);
    let refused = send("text/plain", "[]");
    assert_eq!(seen(&refused), (415, "JSON is expected, but the Content-Type says text/plain"));
}

#[test]
fn text_is_utf_8() {
    let client = TestClient::new(|request: &mut Request| -> Result<String> { Ok(request.text()?.to_uppercase()) });
    assert_eq!(client.post("/").body("straße").send().text(), "STRASSE");
    assert_eq!(client.post("/").body(&b"\xff"[..]).send().status(), 400);
}

#[test]
fn what_has_no_json_is_a_500() {
    let client = TestClient::new(|_: &mut Request| Json(BTreeMap::from([((1, 2), "no text, no key")])));
    assert_eq!(seen(&client.get("/").send()), (500, "500 Internal Server Error"));
}

// ---- cookies ----

fn echo_cookie(request: &mut Request) -> Option<String> {
    request.cookie("a").map(str::to_owned)
}

/// A page of a neighbouring domain can set `\u{2003}__Host-a`, but never `__Host-a`: browsers look at the start of the name.
#[test]
fn white_space_of_unicode_is_part_of_a_cookies_name() {
    let client = TestClient::new(|request: &mut Request| request.cookie("__Host-a").map(str::to_owned));
    for white_space in ["\u{a0}", "\u{85}", "\u{2003}", "\u{3000}"] {
        let field = format!("{white_space}__Host-a=theirs");
        assert_eq!(client.get("/").header("cookie", &field).send().status(), 404, "{field:?}");
        let field = format!("{field}; __Host-a=ours");
        assert_eq!(client.get("/").header("cookie", &field).send().text(), "ours", "{field:?}");
    }
}

#[test]
fn cookies_are_read_as_they_were_sent() {
    let client = TestClient::new(echo_cookie);
    let value = |field: &str| seen(&client.get("/").header("cookie", field).send()).1.to_owned();
    assert_eq!(value("a=1"), "1");
    assert_eq!(value("b=2; a=1;c"), "1");
    assert_eq!(value("a=1; a=2"), "1", "the first: its path is the longest");
    assert_eq!(value("a=\"1 2\""), "1 2");
    assert_eq!(value("a=%41=="), "%41==");
    assert_eq!(value("=1; ;;; a=x"), "x");
    assert_eq!(client.get("/").header("cookie", "A=1").send().status(), 404, "names have a case");
    let two = client.get("/").header("cookie", "b=1").header("cookie", "a=2").send();
    assert_eq!(two.text(), "2");
}

#[test]
fn a_cookie_that_would_be_two_fields_is_a_500() {
    let set = |cookie: Cookie| Response::text("ok").with_cookie(cookie);
    assert_eq!(set(Cookie::new("a", "1")).headers()["set-cookie"], "a=1; HttpOnly; SameSite=Lax; Path=/");
    for value in ["a;Domain=evil.test", "a b", "a\r\nb: c", "ä", "\"", ",", "\\"] {
        assert_eq!(set(Cookie::new("a", value)).status(), 500, "{value:?}");
    }
    for name in ["", "a b", "a=b", "a;b", "ä"] {
        assert_eq!(set(Cookie::new(name, "1")).status(), 500, "{name:?}");
    }
    assert_eq!(set(Cookie::new("a", "1").path("/;Domain=evil.test")).status(), 500);
    assert_eq!(set(Cookie::new("a", "1").domain("a.test\r\nb: c")).status(), 500);
    assert_eq!(set(Cookie::new("a", ";")).with_cookie(Cookie::new("a", "1")).status(), 500, "it stays one");
}

#[test]
fn every_attribute_of_a_cookie_can_be_set() {
    let cookie = Cookie::new("a", "1").path("/x").domain("example.org").max_age(Duration::from_secs(90)).secure();
    let cookie = cookie.same_site(SameSite::None).readable_by_scripts();
    let response = Response::text("ok").with_cookie(cookie).with_cookie(Cookie::removal("b"));
    let fields: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    let removal = "b=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0";
    assert_eq!(fields, ["a=1; SameSite=None; Secure; Path=/x; Domain=example.org; Max-Age=90", removal]);
    let longest = Response::text("ok").with_cookie(Cookie::new("a", "1").max_age(Duration::MAX));
    let field = longest.headers()["set-cookie"].to_str().unwrap();
    assert!(field.ends_with(&format!("; Max-Age={}", i64::MAX)), "{field}");
}

#[test]
fn the_test_client_keeps_cookies_as_a_browser_does() {
    let set = |cookie: Cookie| Response::text("").with_cookie(cookie);
    let app = Router::new()
        .get("/set", move |_| set(Cookie::new("a", "top")).with_cookie(Cookie::new("b", "2")))
        .get("/set/deep", move |_| set(Cookie::new("a", "deep").path("/deep")))
        .get("/unset", move |_| set(Cookie::removal("a")))
        .get("/folder/set", |_| Response::text("").with_header("set-cookie", "c=3"))
        .get("/{*all}", |request| request.header("cookie").unwrap_or("none").to_owned());
    let client = TestClient::new(app);
    let cookies = |target: &str| client.get(target).send().text().to_owned();
    assert_eq!(cookies("/x"), "none");
    cookies("/set");
    cookies("/set/deep");
    assert_eq!(cookies("/x"), "a=top; b=2");
    assert_eq!(cookies("/deep/x?q"), "a=deep; a=top; b=2");
    assert_eq!(cookies("/deeper"), "a=top; b=2");
    cookies("/unset");
    assert_eq!(cookies("/deep"), "a=deep; b=2");
    cookies("/folder/set");
    assert_eq!(cookies("/folder/x"), "c=3; b=2");
    assert_eq!(client.get("/x").header("Cookie", "mine=1").send().text(), "mine=1");
    client.forget_cookies();
    assert_eq!(cookies("/folder/x"), "none");
}

proptest! {
    /// Whatever a client writes, reading it never fails, and what we would set comes back.
    #[test]
    fn any_cookie_field_has_a_reading(field in "[ -~]{0,60}", value in "[!#-+\\--:<-\\[\\]-~]{0,20}") {
        let client = TestClient::new(|request: &mut Request| {
            let all: Vec<_> = request.cookies().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {:?}", all.len(), request.cookie("sid"))
        });
        prop_assert_eq!(client.get("/").header("cookie", &field).send().status(), 200);
        let client = TestClient::new(move |request: &mut Request| match request.cookie("sid") {
            Some(value) => Response::text(value.to_owned()),
            None => Response::text("").with_cookie(Cookie::new("sid", value.clone())),
        });
        let set = client.get("/").send();
        let expected = set.header("set-cookie").unwrap().split(';').next().unwrap();
        let again = client.get("/").send();
        prop_assert_eq!(again.text(), expected.strip_prefix("sid=").unwrap());
    }

    /// Whatever stands in a query or a form, the answer is a success or a 4xx.
    #[test]
    fn any_query_and_form_have_a_reading(text in "[!$-;=?-~]{0,40}", body in proptest::collection::vec(any::<u8>(), 0..60)) {
        let client = TestClient::new(|request: &mut Request| -> Result<String> {
            let pairs = request.query_pairs().count();
            let query = request.query_as::<Order>().is_ok();
            Ok(format!("{pairs} {query} {:?}", request.form::<Order>()?))
        });
        let answer = client
            .post(&format!("/?{text}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send();
        prop_assert!(matches!(answer.status(), 200 | 422), "{}", answer.status());
    }
}

// ---- what is accepted ----

#[test]
fn the_most_precise_range_of_accept_decides() {
    let accepts = |accept: Option<&str>| {
        let client = TestClient::new(|request: &mut Request| request.accepts("text/html").to_string());
        let request = client.get("/");
        match accept {
            Some(accept) => request.header("accept", accept).send().text() == "true",
            None => request.send().text() == "true",
        }
    };
    for accept in ["text/html", "TEXT/*", "*/*", "a/b, text/html;level=1;q=0.1", "text/*;q=0, text/html", "*/*;q=0.001"]
    {
        assert!(accepts(Some(accept)), "{accept}");
    }
    for accept in ["", "text", "text/plain", "text/html;q=0", "text/*;q=0.0, */*", "text/html ; Q=0.000, text/*", "a/*"]
    {
        assert!(!accepts(Some(accept)), "{accept}");
    }
    assert!(accepts(None));
}

// ---- answers ----

#[test]
fn usual_types_are_answers() {
    let app = Router::new()
        .get("/html", |_| (StatusCode::CREATED, Html(String::from("<p>"))))
        .get("/json", |_| Json(json!({"a": 1})))
        .get("/some", |_| Some(Json(vec![1])))
        .get("/none", |_| None::<Html<&'static str>>)
        .get("/http", made_by_http)
        .get("/error", |_| -> Result<()> { Err(Error::new(StatusCode::GONE, "gone")) })
        .get("/redirect", |_| Response::redirect("/html"));
    let client = TestClient::new(app);
    let html = client.get("/html").send();
    assert_eq!((html.status(), html.header("content-type")), (201, Some("text/html; charset=utf-8")));
    assert_eq!(client.get("/json").send().text(), r#"{"a":1}"#);
    assert_eq!(client.get("/some").send().text(), "[1]");
    assert_eq!(client.get("/none").send().status(), 404);
    let made = client.get("/http").send();
    assert_eq!((made.status(), made.headers("x-two").collect::<Vec<_>>(), made.text()), (418, vec!["1", "2"], "tea"));
    assert_eq!(seen(&client.get("/error").send()), (410, "gone"));
    assert_eq!(client.get("/redirect").send().header("location"), Some("/html"));
}

fn made_by_http(_: &mut Request) -> http::Response<Body> {
    http::Response::builder().status(418).header("x-two", "1").header("x-two", "2").body(Body::from("tea")).unwrap()
}

#[test]
fn a_file_is_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("七.txt");
    std::fs::write(&path, "seven").unwrap();
    let at = folder.path().to_owned();
    let client = TestClient::new(move |request: &mut Request| -> Result {
        Ok(Response::file(at.join(request.query::<String>("name")?))?)
    });
    let answer = client.get("/?name=%E4%B8%83.txt").send();
    assert_eq!(seen(&answer), (200, "seven"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("content-length"), Some("5"));
    assert!(answer.header("last-modified").is_some());
    let before_http = std::time::SystemTime::UNIX_EPOCH - Duration::from_secs(3_600);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(before_http).unwrap();
    let answer = client.get("/?name=%E4%B8%83.txt").send();
    assert_eq!((seen(&answer), answer.header("last-modified")), ((200, "seven"), None), "no date that HTTP could say");
    assert_eq!(seen(&client.get("/?name=none").send()), (500, "500 Internal Server Error"), "a wrong path of ours");
    assert_eq!(client.get("/?name=.").send().status(), 500);
}

#[test]
fn errors_of_the_system_are_hidden_and_of_the_client_are_shown() {
    let client = TestClient::new(|request: &mut Request| -> Result<String> {
        match request.path() {
            "/system" => Ok(std::fs::read_to_string("/a secret path")?),
            "/number" => Ok("x".parse::<u8>()?.to_string()),
            _ => Err(Error::new(StatusCode::NOT_FOUND, "no such page")),
        }
    });
    assert_eq!(seen(&client.get("/system").send()), (500, "500 Internal Server Error"));
    assert_eq!(seen(&client.get("/number").send()), (500, "500 Internal Server Error"));
    assert_eq!(seen(&client.get("/else").send()), (404, "no such page"));
    assert_eq!(Error::new(StatusCode::CONFLICT, "x").into_response().status(), 409);
}

// ---- methods of an object ----

struct Counter {
    step: u32,
}

impl Counter {
    fn add(&self, request: &mut Request) -> Result<String> {
        Ok((request.param::<u32>("to")? + self.step).to_string())
    }
}

#[test]
fn methods_of_an_object_are_handlers() {
    let app = {
        let counter = Arc::new(Counter { step: 7 });
        Router::new().get("/{to}", method(&counter, Counter::add)).route("PUT /{to}", method(&counter, Counter::add))
    };
    let client = TestClient::new(app);
    assert_eq!(client.get("/1").send().text(), "8");
    assert_eq!(client.put("/2").send().text(), "9");
    assert_eq!(client.patch("/2").send().status(), 405);
    assert_eq!(client.delete("/2").send().status(), 405);
}
