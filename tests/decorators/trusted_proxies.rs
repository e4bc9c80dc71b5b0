//! Whom to believe about the client: the first hop that is not trusted, read from our end. Test clients are 127.0.0.1.

use qibu::testing::TestClient;
use qibu::{HandlerExt, Request, TrustedProxies};

fn seen(request: &mut Request) -> String {
    let scheme = if request.is_secure() { "https" } else { "http" };
    format!("{scheme} {} {}", request.client_addr(), request.header("host").unwrap_or("-"))
}

fn believed(proxies: TrustedProxies, fields: &[(&str, &str)]) -> String {
    let client = TestClient::new(seen.with(proxies));
    let request = fields.iter().fold(client.get("/"), |request, (name, value)| request.header(name, value));
    let answer = request.send();
    if answer.status() == 200 { answer.text().to_owned() } else { answer.status().to_string() }
}

fn trusted() -> TrustedProxies {
    TrustedProxies::new(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]).unwrap()
}

#[test]
fn the_first_who_is_not_trusted_is_the_client() {
    for (value, client) in [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("6.6.6.6,203.0.113.9 , 10.1.2.3,fd00::1", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711, [fd00::2]", "2001:db8::1"),
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, ::ffff:10.0.0.1", "6.6.6.6"),
        ("", "127.0.0.1"),
        ("6.6.6.6, unknown", "127.0.0.1"),
        ("6.6.6.6, unknown, 10.0.0.1", "10.0.0.1"),
        ("6.6.6.6, 10.0.0.999, 10.0.0.1", "10.0.0.1"),
        ("6.6.6.6,, ,", "127.0.0.1"),
    ] {
        assert_eq!(believed(trusted(), &[("X-Forwarded-For", value)]), format!("http {client} localhost"), "{value}");
    }
}

#[test]
fn lines_of_the_field_are_one_list() {
    let lines = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.9"), ("x-forwarded-for", "10.0.0.1")];
    assert_eq!(believed(trusted(), &lines), "http 203.0.113.9 localhost");
}

#[test]
fn a_peer_that_is_not_trusted_is_not_believed_and_its_fields_are_taken_away() {
    let shows = |request: &mut Request| {
        let names = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"];
        let left = names.iter().filter(|name| request.header(name).is_some()).count();
        format!("{left} left, {}", seen(request))
    };
    let client = TestClient::new(shows.with(TrustedProxies::new(["192.0.2.1", "unix"]).unwrap()));
    let request = client.get("/").header("X-Forwarded-For", "203.0.113.9").header("X-Forwarded-Proto", "https");
    let answer = request.header("X-Forwarded-Host", "evil.example").header("Forwarded", "for=\"").send();
    assert_eq!(answer.text(), "0 left, http 127.0.0.1 localhost");
}

#[test]
fn scheme_and_host_are_those_of_the_same_hop() {
    let both = |for_, proto, host| {
        let fields = [("X-Forwarded-For", for_), ("X-Forwarded-Proto", proto), ("X-Forwarded-Host", host)];
        believed(trusted(), &fields)
    };
    assert_eq!(both("203.0.113.9", "https", "a.example:8443"), "https 203.0.113.9 a.example:8443");
    assert_eq!(both("6.6.6.6, 203.0.113.9", "https, http", "evil, good"), "http 203.0.113.9 good");
    assert_eq!(both("203.0.113.9, 10.0.0.1", "https, http", "a, b"), "https 203.0.113.9 a");
    assert_eq!(both("203.0.113.9, 10.0.0.1", "https", "a"), "https 203.0.113.9 a", "the first proxy alone wrote it");
    assert_eq!(believed(trusted(), &[("X-Forwarded-Proto", "https")]), "https 127.0.0.1 localhost");
}

#[test]
fn a_host_is_a_host_and_nothing_more() {
    for host in ["a@b", "a b", "a/b", "a?b", "", "\u{e9}", "a\"<script>", ":80"] {
        assert_eq!(believed(trusted(), &[("X-Forwarded-Host", host)]), "http 127.0.0.1 localhost", "{host}");
    }
}

#[test]
fn forwarded_is_read_where_the_proxies_write_it_and_then_the_others_are_not() {
    let fields = [
        ("Forwarded", "for=6.6.6.6, for=\"[2001:db8::1]\";proto=https;host=a.example"),
        ("X-Forwarded-For", "6.6.6.6"),
    ];
    assert_eq!(believed(trusted().forwarded(), &fields), "https 2001:db8::1 a.example");
    assert_eq!(believed(trusted(), &[fields[0]]), "http 127.0.0.1 localhost", "and the other way round");
}

#[test]
fn a_malformed_forwarded_is_refused() {
    for value in
        ["for=\"203.0.113.9", "for=\"x, for=\"[2001:db8::1]\"", "for=1.2.3.4, nonsense", "for=\"a\"b", "=", "a=b c"]
    {
        assert_eq!(believed(trusted().forwarded(), &[("Forwarded", value)]), "400", "{value}");
    }
}

#[test]
fn an_enormous_list_is_read_from_our_end() {
    let forged = "6.6.6.6,".repeat(2000) + "203.0.113.9";
    assert_eq!(believed(trusted(), &[("X-Forwarded-For", &forged)]), "http 203.0.113.9 localhost");
}

#[test]
fn what_is_no_network_is_an_error_that_names_it() {
    for wrong in ["", "localhost", "10.0.0.0/33", "10.0.0", "unix:/tmp/a"] {
        let error = TrustedProxies::new([wrong]).unwrap_err().to_string();
        assert!(error.contains(&format!("TrustedProxies: {wrong:?}")), "{error}");
    }
}
