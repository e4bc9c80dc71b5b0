//! Section 4.2: what the server checks before it opens a WebSocket.

use qibu::testing::TestConn;
use qibu::ws::{Message, Sender, WebSocket};
use qibu::{Http, Request};

use super::support::{ASK, CLOSE, FIN, TEXT, frame, open, read, said, text};

fn answer_with(settings: WebSocket, request: &str) -> String {
    let server = Http::new(move |request: &mut Request| {
        settings.upgrade(request, |peer: &Sender, message: Message| {
            let _ = peer.send(message);
        })
    });
    String::from_utf8(TestConn::open(server).unwrap().send(request.as_bytes()).recv()).unwrap()
}

fn answer(request: &str) -> String {
    answer_with(WebSocket::new(), request)
}

#[test]
fn the_key_of_the_standard_gets_the_answer_of_the_standard() {
    let answer = answer(ASK);
    assert!(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{answer}");
    for field in ["upgrade: websocket", "connection: upgrade", "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="] {
        assert_eq!(answer.matches(&format!("\r\n{field}\r\n")).count(), 1, "{field} in {answer}");
    }
    for field in ["content-length", "transfer-encoding", "sec-websocket-protocol", "sec-websocket-extensions"] {
        assert!(!answer.contains(field), "{field} in {answer}");
    }
}

#[test]
fn frames_that_come_with_the_request_are_heard_wherever_the_bytes_are_cut() {
    let input = [ASK.as_bytes(), &text("first"), &text("second")].concat();
    for at in 0..=input.len() {
        let server = Http::new(|request: &mut Request| {
            WebSocket::new().upgrade(request, |peer: &Sender, message: Message| {
                let _ = peer.send(message);
            })
        });
        let mut client = TestConn::open(server).unwrap();
        let received = client.send(&input[..at]).send(&input[at..]).recv();
        let head = received.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
        assert_eq!(read(&received[head..]), [said(TEXT, "first"), said(TEXT, "second")], "cut at {at}");
    }
}

#[test]
fn what_is_no_proper_handshake_is_refused() {
    let with = |from: &str, to: &str| {
        assert!(ASK.contains(from));
        ASK.replace(from, to)
    };
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (request, status, why) in [
        (with("Upgrade: websocket\r\n", ""), 426, "no Upgrade"),
        (with("Connection: Upgrade\r\n", ""), 426, "no Connection"),
        (with("Upgrade: websocket", "Upgrade: h2c"), 426, "another protocol"),
        (with("GET /chat HTTP/1.1", "POST /chat HTTP/1.1"), 426, "not GET"),
        (with("HTTP/1.1", "HTTP/1.0"), 426, "HTTP/1.0"),
        (with("Sec-WebSocket-Version: 13\r\n", ""), 426, "no version"),
        (with("Version: 13", "Version: 8"), 426, "an old version"),
        (with("Version: 13", "Version: 14"), 426, "a new version"),
        (with("Version: 13", "Version: 1 3"), 426, "no number"),
        (with(key, ""), 400, "no key"),
        (with(key, &key.repeat(2)), 400, "two keys"),
        (with("dGhlIHNhbXBsZSBub25jZQ==", ""), 400, "an empty key"),
        (with("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ"), 400, "no padding"),
        (with("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j"), 400, "15 bytes"),
        (with("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZWU="), 400, "17 bytes"),
        (with("dGhlIHNhbXBsZSBub25jZQ==", "????????????????????????"), 400, "no base64"),
    ] {
        let answer = answer(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{why}: {answer}");
        if status == 426 {
            assert!(answer.contains("\r\nsec-websocket-version: 13\r\n"), "{why}: {answer}");
            assert!(answer.contains("\r\nupgrade: websocket\r\n"), "{why}: {answer}");
        }
        assert!(!answer.contains("sec-websocket-accept"), "{why}: {answer}");
    }
}

#[test]
fn words_are_compared_without_their_case_and_lists_are_lists() {
    for request in [
        ASK.replace("Upgrade: websocket", "UPGRADE: WebSocket"),
        ASK.replace("Connection: Upgrade", "connection: keep-alive,\tUPGRADE"),
        ASK.replace("Upgrade: websocket", "Upgrade: h2c, websocket"),
    ] {
        let answer = answer(&request);
        assert!(answer.starts_with("HTTP/1.1 101 "), "{request}: {answer}");
    }
}

#[test]
fn a_page_of_another_site_is_refused_unless_it_was_allowed() {
    let ask = |origin: &str| ASK.replace("Origin: http://server.example.com\r\n", origin);
    let (strict, listed) = (WebSocket::new(), WebSocket::new().allow_origin("https://app.example.org:8443"));
    for (origin, by_default, with_list, with_any) in [
        ("", 101, 101, 101), // no browser
        ("Origin: http://server.example.com\r\n", 101, 101, 101),
        ("Origin: HTTPS://Server.Example.Com\r\n", 101, 101, 101),
        ("Origin: https://app.example.org:8443\r\n", 403, 101, 101),
        ("Origin: http://app.example.org:8443\r\n", 403, 403, 101),
        ("Origin: https://app.example.org\r\n", 403, 403, 101),
        ("Origin: http://server.example.com:8080\r\n", 403, 403, 101),
        ("Origin: http://evil.example/server.example.com\r\n", 403, 403, 101),
        ("Origin: http://server.example.com.evil.example\r\n", 403, 403, 101),
        ("Origin: null\r\n", 403, 403, 101),
        ("Origin: \r\n", 403, 403, 101),
    ] {
        for (settings, status) in
            [(strict.clone(), by_default), (listed.clone(), with_list), (strict.clone().any_origin(), with_any)]
        {
            let answer = answer_with(settings, &ask(origin));
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{origin}: {answer}");
        }
    }
}

#[test]
fn the_first_subprotocol_that_the_server_likes_is_agreed_on() {
    let settings = WebSocket::new().subprotocols(&["chat.v2", "chat.v1"]);
    for (offers, agreed) in [
        ("", None),
        ("Sec-WebSocket-Protocol: chat.v1\r\n", Some("chat.v1")),
        ("Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n", Some("chat.v2")),
        ("Sec-WebSocket-Protocol: chat.v1\r\nSec-WebSocket-Protocol: chat.v2\r\n", Some("chat.v2")),
        ("Sec-WebSocket-Protocol: CHAT.V2, chat\r\n", None),
    ] {
        let answer = answer_with(settings.clone(), &ASK.replace("Origin", &format!("{offers}Origin")));
        assert!(answer.starts_with("HTTP/1.1 101 "), "{offers}: {answer}");
        let said = answer.lines().find_map(|line| line.strip_prefix("sec-websocket-protocol: "));
        assert_eq!(said, agreed, "{offers}");
    }
}

#[test]
fn the_handler_knows_its_client_and_the_subprotocol() {
    struct Greeter;
    impl qibu::ws::Handler for Greeter {
        fn on_open(&mut self, peer: &Sender) {
            peer.send(format!("{} {:?}", peer.peer_addr(), peer.subprotocol())).unwrap();
        }
        fn on_message(&mut self, _: &Sender, _: Message) {}
    }
    let mut client = open(WebSocket::new(), || Greeter);
    client.send(&frame(FIN | CLOSE, ""));
    let server = Http::new(|request: &mut Request| WebSocket::new().subprotocols(&["a"]).upgrade(request, Greeter));
    let mut client = TestConn::open(server).unwrap();
    let received = client.send(ASK.replace("Origin", "Sec-WebSocket-Protocol: a\r\nOrigin").as_bytes()).recv();
    let greeting = b"127.0.0.1:50000 Some(\"a\")";
    assert!(received.ends_with(greeting), "{}", String::from_utf8_lossy(&received));
}
