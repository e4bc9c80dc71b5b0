//! The lines of the access log, in each format, and what a client cannot make of them.

use std::sync::{Arc, Mutex};

use qibu::testing::TestConn;
use qibu::{AccessLog, Body, HandlerExt, Http, LogFormat, Request, RequestId, Response, StatusCode};
use serde_json::Value;

const FORMATS: [LogFormat; 4] = [LogFormat::Text, LogFormat::Common, LogFormat::Combined, LogFormat::Json];

fn answer(request: &mut Request) -> Response {
    match request.path() {
        "/none" => Response::new(StatusCode::NO_CONTENT),
        "/stream" => Response::text(Body::channel(1).1),
        "/later" => {
            let (reply, pending) = request.later();
            reply.send("later");
            pending
        }
        _ => Response::text("hello"),
    }
}

/// The lines that these bytes of a client lead to.
fn lines(format: LogFormat, request: &[u8]) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let log = AccessLog::new().format(format).to(move |line| sink.lock().unwrap().push(line.to_owned()));
    let mut client = TestConn::open(Http::new(answer.with(log).with(RequestId::new().keep_incoming()))).unwrap();
    client.send(request).recv();
    drop(client);
    Arc::into_inner(lines).unwrap().into_inner().unwrap()
}

fn line(format: LogFormat, request: &str) -> String {
    let mut lines = lines(format, request.as_bytes());
    assert_eq!(lines.len(), 1, "{request:?}: {lines:?}");
    lines.remove(0)
}

/// `2026-11-24T19:08:40.123Z`, or with other digits.
fn is_rfc3339(time: &str) -> bool {
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000Z"
}

#[test]
fn text_has_the_time_the_client_and_the_answer() {
    let line = line(LogFormat::Text, "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n");
    let (time, rest) = line.split_once(' ').unwrap();
    assert!(is_rfc3339(time), "{line}");
    assert!(rest.ends_with(" GET /a?b=c 200 5"), "{line}");
}

#[test]
fn common_and_combined_are_what_log_readers_expect() {
    let request = "GET /a?b=c HTTP/1.1\r\nHost: a\r\nReferer: http://a/\r\nUser-Agent: me (\"you\"; \\)\r\n\r\n";
    let common = line(LogFormat::Common, request);
    let (before, rest) = common.split_once(" - - [").unwrap();
    let (time, rest) = rest.split_once("] ").unwrap();
    assert!(before == "-" || before.parse::<std::net::IpAddr>().is_ok(), "{common}");
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert!(shape.len() == 26 && shape.starts_with("00/") && shape.ends_with("/0000:00:00:00 +0000"), "{common}");
    assert_eq!(rest, r#""GET /a?b=c HTTP/1.1" 200 5"#);
    let combined = line(LogFormat::Combined, request);
    assert!(combined.ends_with(r#""GET /a?b=c HTTP/1.1" 200 5 "http://a/" "me (\"you\"; \\)""#), "{combined}");
    let bare = line(LogFormat::Combined, "GET /none HTTP/1.0\r\n\r\n");
    assert!(bare.ends_with(r#""GET /none HTTP/1.0" 204 - "-" "-""#), "{bare}");
}

#[test]
fn json_is_one_object_a_line() {
    let request = "GET /\"\\\u{1f600}?q HTTP/1.1\r\nHost: a:80\r\nUser-Agent: me \"\\\r\nX-Request-Id: one\r\n\r\n";
    let line = line(LogFormat::Json, request);
    let object: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert!(is_rfc3339(object["time"].as_str().unwrap()), "{line}");
    for (key, value) in [
        ("method", "GET"),
        ("target", "/\"\\\u{1f600}?q"),
        ("version", "HTTP/1.1"),
        ("host", "a:80"),
        ("user_agent", "me \"\\"),
        ("id", "one"),
    ] {
        assert_eq!(object[key], value, "{line}");
    }
    assert_eq!((&object["status"], &object["bytes"]), (&Value::from(200), &Value::from(5)), "{line}");
    assert_eq!(object["referer"], Value::Null, "{line}");
    assert!(object["seconds"].as_f64().unwrap() >= 0.0, "{line}");
}

#[test]
fn the_length_is_that_of_what_is_sent() {
    for (request, length) in [
        ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", Value::from(0)),
        ("GET /none HTTP/1.1\r\nHost: a\r\n\r\n", Value::from(0)),
        ("GET /later HTTP/1.1\r\nHost: a\r\n\r\n", Value::from(5)),
        ("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", Value::from(5)), // its last chunk
    ] {
        let object: Value = serde_json::from_str(&line(LogFormat::Json, request)).unwrap();
        assert_eq!(object["bytes"], length, "{request:?}");
    }
}

/// Control characters of ASCII cannot come in a head; those of C1, and those that turn the direction of writing, can.
#[test]
fn nothing_that_a_client_writes_steers_a_terminal_or_forges_a_line() {
    let evil =
        ["\u{80}", "\u{85}", "\u{9b}31m", "\u{9f}", "\u{202e}", "\u{2066}", "\u{200f}", "\u{2028}", "\u{feff}", "\t"];
    for format in FORMATS {
        for evil in evil {
            let target = evil.trim(); // white space ends a target
            let request =
                format!("GET /x{target}y HTTP/1.1\r\nHost: a\r\nUser-Agent: x{evil}y\r\nReferer: {evil}\r\n\r\n");
            let lines = lines(format, request.as_bytes());
            assert_eq!(lines.len(), 1, "{format:?} {evil:?}: {lines:?}");
            for line in lines {
                let is_harmless = |c: char| !c.is_control() && c.escape_debug().len() == 1 || "\"'\\".contains(c);
                assert!(line.chars().all(is_harmless), "{format:?}: {line:?}");
                if format == LogFormat::Json {
                    let object: Value = serde_json::from_str(&line).unwrap();
                    assert_eq!(object["user_agent"], format!("x{evil}y"), "{line}");
                }
            }
        }
        let not_text = lines(format, b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: \xff\xfe\"\r\n\r\n");
        assert_eq!(not_text.len(), 1, "{format:?}");
        assert!(!not_text[0].contains(char::is_control), "{not_text:?}");
    }
}

/// Refused before any handler was asked; what is known of it is in the log all the same.
#[test]
fn what_the_server_refuses_by_itself_has_a_line_too() {
    for (request, text, common) in [
        ("GET /a HTTP/1.1\r\n\r\n", r#" "GET /a HTTP/1.1" 400 "#, r#" "GET /a HTTP/1.1" 400 "#),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", r#" "GET /a b HTTP/1.1" 400 "#, r#" "GET /a b HTTP/1.1" 400 "#),
        ("\x16\x03\x01\"x\r\n", r#" "\u{16}\u{3}\u{1}\"x" 400 "#, r#" "\x16\x03\x01\"x" 400 "#),
        ("GET /a HTTP/3.0\r\nHost: a\r\n\r\n", r#" "GET /a HTTP/3.0" 505 "#, r#" "GET /a HTTP/3.0" 505 "#),
        (
            "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n",
            " POST /a 413 ",
            r#" "POST /a HTTP/1.1" 413 "#,
        ),
        (
            "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx",
            " POST /a 400 ",
            r#" "POST /a HTTP/1.1" 400 "#,
        ),
    ] {
        assert!(line(LogFormat::Text, request).contains(text), "{request:?}: {}", line(LogFormat::Text, request));
        for format in [LogFormat::Common, LogFormat::Combined] {
            assert!(line(format, request).contains(common), "{request:?}: {}", line(format, request));
        }
    }
}

#[test]
fn json_says_why_it_was_refused() {
    let object = |request| -> Value { serde_json::from_str(&line(LogFormat::Json, request)).unwrap() };
    let nonsense = object("HEAD /\"\r\n\r\n");
    assert_eq!((&nonsense["method"], &nonsense["version"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&nonsense["target"], &nonsense["status"], &nonsense["bytes"]),
        (&"HEAD /\"".into(), &400.into(), &0.into())
    );
    assert_eq!(nonsense["error"], "the request line or a field line is malformed");
    let long = object("POST /a HTTP/1.1\r\nHost: a\r\nX-Request-Id: one\r\nContent-Length: 9999999\r\n\r\n");
    assert_eq!((&long["method"], &long["target"], &long["host"]), (&"POST".into(), &"/a".into(), &"a".into()));
    assert_eq!((&long["status"], &long["id"]), (&413.into(), &"one".into()));
    assert!(long["error"].as_str().unwrap().contains("body_limit"), "{long}");
    assert_eq!(object("GET / HTTP/1.1\r\nHost: a\r\n\r\n")["error"], Value::Null);
}

#[test]
fn a_head_that_does_not_come_in_time_is_in_the_log() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let log = AccessLog::new().to(move |line| sink.lock().unwrap().push(line.to_owned()));
    let mut client = TestConn::open(Http::new(answer.with(log))).unwrap();
    client.send(b"GET /slow HTTP/1.1\r\nHo").advance(std::time::Duration::from_secs(11));
    assert!(client.is_closed());
    let lines = lines.lock().unwrap();
    assert!(lines.len() == 1 && lines[0].contains(r#" "GET /slow HTTP/1.1" 408 "#), "{lines:?}");
}
