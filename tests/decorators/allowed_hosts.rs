//! Another name than ours is 421, however it is spelled.

use qibu::testing::{TestClient, TestConn};
use qibu::{AllowedHosts, Handler, HandlerExt, Http, Plan, Request, Response};

fn secret(_: &mut Request) -> &'static str {
    "secret"
}

fn status(hosts: AllowedHosts, host: &str) -> u16 {
    TestClient::new(secret.with(hosts)).get("/").header("Host", host).send().status()
}

/// What a client gets that sends these bytes.
fn answer(request: &str) -> String {
    let mut client = TestConn::open(Http::new(secret.with(AllowedHosts::local()))).unwrap();
    String::from_utf8(client.send(request.as_bytes()).recv()).unwrap()
}

#[test]
fn this_computer_is_known_by_all_its_loopback_names() {
    for host in [
        "localhost",
        "LocalHost:80",
        "localhost.",
        "localhost.:80",
        "app.localhost",
        "a.b.localhost:3000",
        "127.0.0.1",
        "127.255.255.254:1",
        "[::1]",
        "[::1]:8080",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]:80",
        "localhost:",
    ] {
        assert_eq!(status(AllowedHosts::local(), host), 200, "{host}");
    }
}

#[test]
fn a_foreign_host_is_421() {
    for host in [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "evillocalhost",
        "xlocalhost.",
        "localhost..",
        "127.0.0.1.evil.example",
        "127.1",
        "127.0.1",
        "127.0.0.0.1",
        "127.0.0.1.",
        "127.0.0.",
        "127.0.0.a",
        "127.0.0.0x1",
        "1.127.0.0",
        "12.7.0.1",
        "0x7f.0.0.1",
        "2130706433",
        "0.0.0.0",
        "192.168.0.1",
        "[::]",
        "[::2]:80",
        "[fe80::1]",
        "local",
        "host",
        "evil.example.localhost.evil.example",
    ] {
        assert_eq!(status(AllowedHosts::local(), host), 421, "{host}");
    }
}

#[test]
fn the_target_says_the_name_where_it_has_one() {
    let evil_target = answer("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(evil_target.starts_with("HTTP/1.1 421 ") && !evil_target.contains("secret"), "{evil_target}");
    let good_target = answer("GET http://localhost:8080/ HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert!(good_target.starts_with("HTTP/1.1 200 "), "{good_target}");
}

#[test]
fn who_says_no_name_is_no_browser() {
    assert!(answer("GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 "));
    assert!(answer("GET / HTTP/1.1\r\nHost:\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_body_for_another_host_is_not_read() {
    let refused = answer("POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 100\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 421 "), "{refused}");
}

#[test]
fn a_name_that_is_changed_after_the_plan_is_looked_at_again() {
    let renamed = |to: &'static str| {
        secret.with(AllowedHosts::local()).with(move |request: &mut Request, next: &dyn Handler| {
            request.headers_mut().insert("host", to.parse().unwrap());
            next.handle(request)
        })
    };
    let status = |to| TestClient::new(renamed(to)).get("/").header("Host", "localhost").send().status();
    assert_eq!(status("evil.example"), 421);
    assert_eq!(status("127.0.0.1"), 200);
}

#[test]
fn the_name_is_looked_at_where_no_plan_was_asked_for() {
    struct WithoutPlan<H>(H);

    impl<H: Handler> Handler for WithoutPlan<H> {
        fn handle(&self, request: &mut Request) -> Response {
            self.0.handle(request)
        }
        fn plan(&self, _: &mut Request) -> Plan {
            Plan::inline()
        }
    }
    let client = TestClient::new(WithoutPlan(secret.with(AllowedHosts::local())));
    let status = |host| client.get("/").header("Host", host).send().status();
    assert_eq!((status("evil.example"), status("localhost")), (421, 200));
    assert_eq!(status("evil.example"), 421, "after one that was let through");
}

#[test]
fn names_can_be_added_with_all_below_them_or_without() {
    let hosts = || AllowedHosts::local().name("Box.Example").unwrap().name(".lan_1.example").unwrap();
    for (host, expected) in [
        ("box.example:99", 200),
        ("BOX.EXAMPLE.", 200),
        ("a.box.example", 421),
        ("xbox.example", 421),
        ("lan_1.example", 200),
        ("a.b.lan_1.example", 200),
        ("xlan_1.example", 421),
        ("évil.example", 400),
    ] {
        assert_eq!(status(hosts(), host), expected, "{host}");
    }
}

#[test]
fn every_address_can_be_let_in_and_still_no_name() {
    for (host, expected) in [("192.168.0.1:80", 200), ("[fe80::1]", 200), ("0.0.0.0", 200), ("evil.example", 421)] {
        assert_eq!(status(AllowedHosts::local().any_address(), host), expected, "{host}");
    }
}

#[test]
fn what_is_no_name_is_refused_at_once() {
    for name in
        ["", ".", "..", "http://a.example", "a.example:80", "a.example/", "*.example", "a..b", "a b", "é.example"]
    {
        let error = AllowedHosts::local().name(name).unwrap_err().to_string();
        assert!(error.contains(&format!("{name:?}")), "{error}");
    }
}

#[test]
fn who_says_a_name_in_letters_of_its_own_is_told_of_the_other_form() {
    let error = |name| AllowedHosts::local().name(name).unwrap_err().to_string();
    assert!(error("例子.测试").contains("xn--") && !error("a b").contains("xn--"));
}
