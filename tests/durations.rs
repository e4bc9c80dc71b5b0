//! No duration that a setting can have breaks anything: [`Duration::MAX`] is never, zero is at once.
//!
//! Each wait of a connection is entered with its setting at either end. What has no clock of its own to turn
//! (`write_timeout`, `shutdown_within`) is set on a real server.

mod common;

use std::io::Read;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use common::{Client, Server, end_of, eventually, local, serve};
use qibu::sse::Event;
use qibu::testing::{TestClient, TestConn};
use qibu::{
    Body, BodySender, Builder, Cors, Handler, HandlerExt, Http, HttpSettings, Plan, RateLimit, Reply, Request,
    Response, SecurityHeaders, Timeout, blocking, streaming,
};

const DECADE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The settings of HTTP, each of them that long.
fn all(limit: Duration) -> HttpSettings {
    let mut settings = HttpSettings::default();
    settings.head_timeout = limit;
    settings.body_timeout = limit;
    settings.idle_timeout = limit;
    settings.handler_timeout = limit;
    settings.slow_handler_warning = limit;
    settings.min_body_rate = 0; // it has a clock of its own
    settings
}

fn connect(limit: Duration, handler: impl Handler) -> TestConn {
    TestConn::open(Http::with_settings(handler, all(limit))).unwrap()
}

fn text(client: &mut TestConn) -> String {
    String::from_utf8(client.recv()).unwrap()
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

fn post(length: usize) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n").into_bytes()
}

/// Nothing happens in ten years.
#[track_caller]
fn assert_waits(client: &mut TestConn) {
    assert_eq!(text(client.advance(DECADE)), "");
    assert!(!client.is_closed());
}

fn length_of_body(request: &mut Request) -> String {
    request.bytes().map_or(0, |body| body.len()).to_string()
}

#[test]
fn a_connection_without_limits_waits_for_ever_for_its_client() {
    let mut client = connect(Duration::MAX, length_of_body);
    for _ in 0..2 {
        assert_waits(&mut client); // idle
        let head = post(5);
        assert_waits(client.send(&head[..9])); // in a head
        assert_waits(client.send(&head[9..]));
        assert_waits(client.send(b"abc")); // in a body
        assert!(text(client.send(b"de")).ends_with("\r\n\r\n5"));
    }
}

/// Keeps the promise of an answer until the test wants it.
#[derive(Clone, Default)]
struct Promises(Arc<Mutex<Option<Reply>>>);

impl Promises {
    fn handler(&self) -> impl Handler + use<> {
        let kept = self.0.clone();
        move |request: &mut Request| {
            let (reply, pending) = request.later();
            *kept.lock().unwrap() = Some(reply);
            pending
        }
    }

    fn keep(&self) {
        self.0.lock().unwrap().take().unwrap().send("at last");
    }
}

struct Planned<H>(H, Duration);

impl<H: Handler> Handler for Planned<H> {
    fn handle(&self, request: &mut Request) -> Response {
        self.0.handle(request)
    }

    fn plan(&self, _: &mut Request) -> Plan {
        Plan::pool().timeout(self.1)
    }
}

#[test]
fn an_answer_without_a_limit_is_waited_for() {
    let promises = Promises::default();
    let handlers: [Box<dyn Handler>; 4] = [
        Box::new(promises.handler()),
        Box::new(blocking(promises.handler())),
        Box::new(promises.handler().with(Timeout::new(Duration::MAX))),
        Box::new(Planned(promises.handler(), Duration::MAX)),
    ];
    for handler in handlers {
        let mut client = connect(Duration::MAX, handler);
        assert_waits(client.send(&get("/")));
        promises.keep();
        assert!(text(&mut client).ends_with("at last"));
    }
}

#[test]
fn a_handler_that_reads_its_body_may_rest_for_ever() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let handler = streaming(move |request: &mut Request| {
        let _ = wait.lock().unwrap().recv();
        let mut body = Vec::new();
        request.body().read_to_end(&mut body).map_or(0, |length| length).to_string()
    });
    let mut client = connect(Duration::MAX, handler);
    client.send(&post(1_000_000));
    assert_waits(client.send(&[b'x'; 999_999])); // it is sent more than it has room for
    drop(go);
    assert!(client.wait_for_mail());
    assert_waits(&mut client); // it has read what there is
    client.send(b"x");
    while text(&mut client).is_empty() {
        assert!(client.wait_for_mail());
    }
}

/// Hands the other end of each body to the test.
fn channel(wrap: impl Fn(Body) -> Body + Send + Sync + 'static) -> (impl Handler, mpsc::Receiver<BodySender>) {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let handler = move |_: &mut Request| {
        let (sender, body) = Body::channel(1000);
        tell.lock().unwrap().send(sender).unwrap();
        Response::text(wrap(body))
    };
    (handler, told)
}

#[test]
fn a_stream_without_a_limit_may_stand_still() {
    let (handler, senders) = channel(|body| body);
    let mut client = connect(Duration::MAX, handler);
    assert!(text(client.send(&get("/"))).starts_with("HTTP/1.1 200 "));
    assert_waits(&mut client);
    senders.recv().unwrap().send("at last").unwrap();
    assert!(text(&mut client).contains("at last"));
}

#[test]
fn a_body_without_an_end_need_not_say_that_it_goes_on() {
    let (handler, _senders) = channel(|body| body.endless("still there", Duration::MAX));
    let mut client = connect(Duration::from_secs(1), handler);
    assert!(text(client.send(&get("/"))).starts_with("HTTP/1.1 200 "));
    assert_waits(&mut client);
    let (handler, _senders) = channel(|body| body.endless("still there", Duration::ZERO));
    let mut client = connect(Duration::MAX, handler);
    client.send(&get("/")).recv();
    assert_eq!(text(client.advance(Duration::from_millis(999))), "");
    assert_eq!(text(client.advance(Duration::from_millis(1))), "b\r\nstill there\r\n", "a second is the least");
}

#[test]
fn a_connection_without_any_time_is_over_with_the_first_wait() {
    let waits: [(_, Box<dyn Handler>, Vec<u8>, _); 7] = [
        ("idle", Box::new(length_of_body), Vec::new(), ""),
        ("in a head", Box::new(length_of_body), b"GET".to_vec(), "HTTP/1.1 408 "),
        ("in a body", Box::new(length_of_body), post(5), "HTTP/1.1 408 "),
        (
            "in an upload",
            Box::new(streaming(length_of_body)),
            [post(500_000), vec![b'x'; 400_000]].concat(),
            "HTTP/1.1 408 ",
        ),
        ("for an answer", Box::new(Promises::default().handler()), get("/"), "HTTP/1.1 503 "),
        ("for the pool", Box::new(blocking(Promises::default().handler())), get("/"), "HTTP/1.1 503 "),
        (
            "in a stream",
            Box::new(|_: &mut Request| {
                let (sender, body) = Body::channel(1000);
                std::mem::forget(sender);
                body
            }),
            get("/"),
            "HTTP/1.1 200 ",
        ),
    ];
    for (name, handler, sent, answer) in waits {
        let mut client = connect(Duration::ZERO, handler);
        client.send(&sent).advance(Duration::ZERO);
        assert!(text(&mut client).starts_with(answer), "{name}");
        assert!(client.advance(Duration::ZERO).is_closed() || answer == "HTTP/1.1 503 ", "{name}");
    }
}

#[test]
fn an_answer_that_may_take_no_time_is_503() {
    let never = Promises::default();
    let handlers: [Box<dyn Handler>; 2] = [
        Box::new(never.handler().with(Timeout::new(Duration::ZERO))),
        Box::new(Planned(never.handler(), Duration::ZERO)),
    ];
    for handler in handlers {
        let mut client = TestConn::open(Http::new(handler)).unwrap();
        assert!(text(client.send(&get("/")).advance(Duration::ZERO)).starts_with("HTTP/1.1 503 "));
    }
}

#[test]
fn what_decorators_and_events_say_of_time_may_be_any() {
    for limit in [Duration::ZERO, Duration::MAX] {
        let app = (|_: &mut Request| "fine")
            .with(RateLimit::new(2, limit))
            .with(Timeout::new(limit))
            .with(Cors::any().max_age(limit))
            .with(SecurityHeaders::new().hsts(limit));
        assert_eq!(TestClient::new(app).get("/").send().text(), "fine");
        let event = Event::new("fine").retry(limit).into_bytes();
        assert!(event.ends_with(b"data: fine\n\n"));
    }
}

// ---- over sockets ----

type Setting = fn(Builder, Duration) -> Builder;

const SETTINGS: [(&str, Setting); 6] = [
    ("head_timeout", Builder::head_timeout),
    ("body_timeout", Builder::body_timeout),
    ("idle_timeout", Builder::idle_timeout),
    ("handler_timeout", Builder::handler_timeout),
    ("write_timeout", Builder::write_timeout),
    ("slow_handler_warning", Builder::slow_handler_warning),
];

/// More than the system takes before the client has read some.
const MUCH: usize = 32 * 1024 * 1024;

fn much_or_little(request: &mut Request) -> Response {
    match request.path() {
        "/much" => Response::text(vec![b'x'; MUCH]),
        _ => Response::text(length_of_body(request)),
    }
}

/// A client for each wait; all of them are answered.
fn use_server(server: &Server) {
    let mut clients = [(); 4].map(|()| server.connect());
    clients[0].get("/");
    clients[1].send("GET / HTTP/1.1\r\n");
    clients[2].send(post(5)).send("abc");
    clients[3].send(get("/much"));
    assert!(clients[3].has_more(), "and the rest waits to be sent");
    assert_eq!(clients[0].get("/").text(), "0");
    assert_eq!(clients[1].send("Host: a\r\n\r\n").answer().text(), "0");
    assert_eq!(clients[2].send("de").answer().text(), "5");
    assert_eq!(clients[3].answer().body.len(), MUCH);
}

#[test]
fn a_server_serves_without_any_of_its_limits() {
    for (name, setting) in SETTINGS {
        let server = serve(setting(local().loops(2), Duration::MAX), much_or_little);
        use_server(&server);
        use_server(&server);
        assert!(server.handle().is_running(), "{name}");
    }
    let unlimited = SETTINGS.iter().fold(local(), |builder, (_, setting)| setting(builder, Duration::MAX));
    use_server(&serve(unlimited.min_body_rate(0).min_write_rate(0), much_or_little));
}

#[test]
fn a_server_that_gives_no_time_goes_on_with_who_needs_none() {
    for (name, setting) in SETTINGS {
        let server = serve(setting(local(), Duration::ZERO), much_or_little);
        let mut client = server.connect();
        let _ = client.try_send(get("/much"));
        let _ = client.try_answer(); // or the end
        server.connect().send("GET").finish();
        server.connect().send(post(5)).finish();
        drop(client);
        server.until_connected(0);
        assert!(server.handle().is_running(), "{name}");
    }
}

#[test]
fn a_shutdown_waits_for_as_long_as_it_is_told() {
    let running = local().loops(2).build(|request: &mut Request| {
        let (reply, pending) = request.later();
        std::thread::spawn(move || reply.send("fine"));
        pending
    });
    let running = running.unwrap().spawn().unwrap();
    let mut client = Client::connect(running.local_addr());
    assert_eq!(client.get("/").text(), "fine");
    let before = running.handle().stats().received_bytes;
    client.send("GET / HTTP/1.1\r\n"); // it has begun, and is waited for
    eventually("it has arrived", || running.handle().stats().received_bytes > before);
    running.handle().shutdown_within(Duration::MAX);
    assert_eq!(client.send("Host: a\r\n\r\n").answer().text(), "fine");
    end_of(running).unwrap();
}

#[test]
fn a_shutdown_may_take_no_time() {
    let running = local().loops(2).build(Promises::default().handler()).unwrap().spawn().unwrap();
    let mut client = Client::connect(running.local_addr());
    client.send(get("/")); // nobody will answer that
    eventually("it has arrived", || running.handle().stats().received_bytes > 0);
    running.handle().shutdown_within(Duration::ZERO);
    end_of(running).unwrap();
}
