//! Signed cookies: what a visitor gets, brings back, and cannot forge.

use std::time::Duration;

use qibu::sessions::Sessions;
use qibu::testing::{TestClient, TestResponse};
use qibu::{Handler, HandlerExt, Plan, Request, Response, Result, StatusCode, TrustedProxies};

const KEY: &[u8] = b"32 bytes that nobody else knows.";

/// `/set/name/value`, `/get/name`, `/clear`, `/late`, `/none`
fn pages(request: &mut Request) -> Result {
    let path = request.path().to_owned();
    match path.trim_start_matches('/').split('/').collect::<Vec<_>>()[..] {
        ["set", name, value] => request.session().insert(name, value)?,
        ["fill"] => request.session().insert("much", "x".repeat(5000))?,
        ["get", name] => return Ok(Response::text(request.session().get(name).unwrap_or("nothing").to_owned())),
        ["clear"] => request.session().clear(),
        ["late"] => {
            request.session().insert("late", "yes")?;
            let (reply, pending) = request.later();
            std::thread::spawn(move || reply.send("at last"));
            return Ok(pending);
        }
        _ => {}
    }
    Ok(Response::text("done"))
}

fn client(sessions: Sessions) -> TestClient {
    TestClient::new(pages.with(sessions))
}

fn set(answer: &TestResponse) -> &str {
    answer.header("set-cookie").unwrap_or("no cookie")
}

fn cookie(answer: &TestResponse) -> String {
    set(answer).split(';').next().unwrap().to_owned()
}

fn get(client: &TestClient, path: &str, cookie: &str) -> TestResponse {
    client.get(path).header("Cookie", cookie).send()
}

#[test]
fn what_is_put_in_comes_back_with_the_cookie() {
    let client = client(Sessions::new(KEY).unwrap());
    let first = client.get("/set/user/alice").send();
    assert_eq!((first.header("vary"), first.header("cache-control")), (Some("cookie"), Some("private")));
    let alice = cookie(&first);
    assert_eq!(get(&client, "/get/user", &alice).text(), "alice");
    assert_eq!(get(&client, "/get/user", &format!("a=b; {alice} ;c=d")).text(), "alice");
    let both = cookie(&get(&client, "/set/theme/dark", &alice));
    assert_eq!(get(&client, "/get/user", &both).text(), "alice");
    assert_eq!(self::client(Sessions::new(KEY).unwrap()).get("/get/user").send().text(), "nothing", "a stranger");
}

#[test]
fn the_cookie_is_for_us_alone() {
    let attributes = |sessions: Sessions, proto: &str| {
        let client = TestClient::new(pages.with(sessions).with(TrustedProxies::new(["127.0.0.1"]).unwrap()));
        let answer = client.get("/set/a/b").header("X-Forwarded-Proto", proto).send();
        set(&answer).split_once("; ").unwrap().1.to_owned()
    };
    let plain = || Sessions::new(KEY).unwrap().lifetime(Duration::from_secs(60));
    assert_eq!(attributes(plain(), "http"), "Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    assert_eq!(attributes(plain(), "https"), "Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
    assert_eq!(attributes(plain().secure(), "http"), "Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
}

#[test]
fn who_does_not_use_it_gets_no_cookie_and_his_page_may_be_cached() {
    let client = client(Sessions::new(KEY).unwrap());
    let page = client.get("/none").send();
    assert_eq!((set(&page), page.header("vary"), page.header("cache-control")), ("no cookie", None, None));
    let read = client.get("/get/user").send();
    assert_eq!((set(&read), read.header("vary")), ("no cookie", Some("cookie")));
}

#[test]
fn a_forged_cookie_is_an_empty_session() {
    let client = client(Sessions::new(KEY).unwrap());
    let alice = cookie(&client.get("/set/user/alice").send());
    let forged = [
        alice.replace("alice", "admin"),
        alice.replace("session=1", "session=9"),
        format!("{alice}x"),
        alice[..alice.len() - 1].to_owned(),
        "session=".to_owned(),
        "session".to_owned(),
        "session=.".to_owned(),
        "session=99999999999&user=admin.".to_owned(),
        "session=&&&&....".to_owned(),
        format!("session={}", "A".repeat(20_000)),
        format!("other{alice}"),
        alice.replace("session=", "SESSION="),
    ];
    for forged in forged {
        assert_eq!(get(&client, "/get/user", &forged).text(), "nothing", "{forged:.80}");
    }
    let other = TestClient::new(pages.with(Sessions::with_random_key().unwrap()));
    assert_eq!(get(&other, "/get/user", &alice).text(), "nothing", "of another key");
    assert_eq!(get(&client, "/get/user", &format!("session=forged.x; {alice}")).text(), "alice", "planted beside ours");
}

#[test]
fn an_empty_session_has_no_cookie() {
    let client = client(Sessions::new(KEY).unwrap());
    let alice = cookie(&client.get("/set/user/alice").send());
    let cleared = get(&client, "/clear", &alice);
    assert!(set(&cleared).starts_with("session=; Path=/; Max-Age=0;"), "{}", set(&cleared));
    assert_eq!(set(&client.get("/clear").send()), "no cookie", "there was none");
}

#[test]
fn what_does_not_fit_is_an_error_and_the_cookie_stays_below_4_kib() {
    let client = client(Sessions::new(KEY).unwrap());
    let full = client.get("/fill").send();
    assert_eq!((full.status(), set(&full)), (500, "no cookie"));
    let large = client.get(&format!("/set/a/{}", "x".repeat(3790))).send();
    assert!(set(&large).len() <= 4096, "{}", set(&large).len());
    assert_eq!(get(&client, "/get/a", &cookie(&large)).text().len(), 3790);
}

#[test]
fn a_late_answer_has_the_cookie_too() {
    let client = client(Sessions::new(KEY).unwrap());
    let late = client.get("/late").send();
    assert_eq!(get(&client, "/get/late", &cookie(&late)).text(), "yes");
}

#[test]
fn a_plan_can_be_made_by_it() {
    struct Members;
    impl Handler for Members {
        fn handle(&self, _: &mut Request) -> Response {
            Response::text("welcome")
        }
        fn plan(&self, request: &mut Request) -> Plan {
            match request.session().get("user") {
                Some(_) => Plan::inline(),
                None => Plan::refuse(Response::status_page(StatusCode::FORBIDDEN)),
            }
        }
    }
    let alice = cookie(&client(Sessions::new(KEY).unwrap()).get("/set/user/alice").send());
    let members = TestClient::new(Members.with(Sessions::new(KEY).unwrap()));
    assert_eq!(get(&members, "/", &alice).text(), "welcome");
    assert_eq!(members.get("/").send().status(), 403);
}

#[test]
fn keys_can_be_changed_and_names_too() {
    let alice = cookie(&client(Sessions::new(KEY).unwrap()).get("/set/user/alice").send());
    let rotated = client(Sessions::new(b"another key of thirty-two bytes.").unwrap().old_key(KEY).unwrap());
    let renewed = get(&rotated, "/get/user", &alice);
    assert_eq!(renewed.text(), "alice");
    let only_new = client(Sessions::new(b"another key of thirty-two bytes.").unwrap());
    assert_eq!(get(&only_new, "/get/user", &cookie(&renewed)).text(), "alice", "it was signed anew");
    let named = client(Sessions::new(KEY).unwrap().cookie("__Host-me").unwrap());
    assert!(cookie(&named.get("/set/a/b").send()).starts_with("__Host-me="));
}

#[test]
fn it_may_last_for_ever_or_for_no_time() {
    for (lifetime, value) in [(Duration::MAX, "alice"), (Duration::ZERO, "nothing")] {
        let client = client(Sessions::new(KEY).unwrap().lifetime(lifetime));
        let cookie = cookie(&client.get("/set/user/alice").send());
        assert_eq!(get(&client, "/get/user", &cookie).text(), value, "{lifetime:?}");
    }
}

#[test]
fn a_wrong_setting_is_an_error_that_says_so() {
    assert!(Sessions::new(b"short").unwrap_err().to_string().contains("5 bytes; it needs 32"));
    for name in ["", "a b", "a=b", "a;b", "a\r\nb", "\u{e9}"] {
        assert!(Sessions::new(KEY).unwrap().cookie(name).is_err(), "{name}");
    }
    assert!(!format!("{:?}", Sessions::new(KEY).unwrap()).contains("nobody"));
}

#[test]
fn no_random_cookie_is_ours() {
    let client = client(Sessions::new(KEY).unwrap());
    let real = cookie(&client.get("/set/user/alice").send());
    let mut random = fastrand::Rng::with_seed(13);
    for _ in 0..2000 {
        let mut forged = real.clone().into_bytes();
        for _ in 0..random.usize(1..4) {
            let at = random.usize("session=".len()..forged.len());
            match random.u8(0..3) {
                0 => forged[at] = random.alphanumeric() as u8,
                1 => drop(forged.remove(at)),
                _ => forged.insert(at, b"=&.%;,09"[random.usize(0..8)]),
            }
        }
        let forged = String::from_utf8(forged).unwrap();
        let text = get(&client, "/get/user", &forged).text().to_owned();
        assert!(text == "nothing" || forged.starts_with(&real), "{forged}: {text}");
    }
}
