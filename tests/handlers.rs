//! What can be a handler, what stands around it, where it runs, and what becomes of its mistakes.

mod common;
#[path = "common/http1_support.rs"]
mod support;

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use bytes::Bytes;
use qibu::testing::{TestClient, TestConn, TestResponse};
use qibu::{
    AccessLog, Blocking, Body, Error, Handler, HandlerExt, Http, IntoResponse, Middleware, Plan, Reply, Request,
    Response, Result, StatusCode, With, blocking,
};

use support::{Server, read_answers};

fn get(handler: impl Handler, target: &str) -> TestResponse {
    TestClient::new(handler).get(target).send()
}

fn request(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// Status and text of all that was received until now.
fn answers(conn: &mut TestConn) -> Vec<(u16, String)> {
    let received = conn.recv();
    let answers = read_answers(&received, conn.is_closed(), &[]);
    answers.iter().map(|answer| (answer.status, answer.text().to_owned())).collect()
}

fn pair(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

// ---- what can be a handler ----

fn hello(_: &mut Request) -> &'static str {
    "hello"
}

/// Says its name, takes five bytes of body, and refuses `/refused`.
#[derive(Clone)]
struct Named(&'static str);

impl Handler for Named {
    fn handle(&self, request: &mut Request) -> Response {
        Response::text(format!("{} got {}", self.0, request.text().unwrap_or("no text")))
    }

    fn plan(&self, request: &mut Request) -> Plan {
        match request.path() {
            "/refused" => Plan::refuse(Response::status_page(StatusCode::FORBIDDEN)),
            _ => Plan::inline().body_limit(5),
        }
    }
}

#[test]
fn functions_and_closures_are_handlers() {
    assert_eq!(get(hello, "/").text(), "hello");
    assert_eq!(get(|_: &mut Request| "hello", "/").text(), "hello");
    let state = String::from("state");
    assert_eq!(get(move |request: &mut Request| format!("{state} {}", request.path()), "/a").text(), "state /a");
    let count = AtomicUsize::new(0);
    let client = TestClient::new(move |_: &mut Request| count.fetch_add(1, Ordering::Relaxed).to_string());
    let texts: Vec<_> = (0..3).map(|_| client.get("/").send().text().to_owned()).collect();
    assert_eq!(texts, ["0", "1", "2"], "one handler serves all connections");
}

#[test]
fn boxes_and_arcs_are_handlers_with_the_plan_of_what_is_in_them() {
    let wrap: [fn(Named) -> Box<dyn Handler>; 7] = [
        |named| Box::new(named),
        |named| named.boxed(),
        |named| Box::new(named.boxed()),
        |named| Box::new(Arc::new(named)),
        |named| Box::new(Arc::new(named) as Arc<dyn Handler>),
        |named| Box::new(named.with(|request: &mut Request, next: &dyn Handler| next.handle(request))),
        |named| Box::new(blocking(named)),
    ];
    for wrap in wrap {
        let client = TestClient::new(wrap(Named("Ada")));
        assert_eq!(client.post("/").body("12345").send().text(), "Ada got 12345");
        assert_eq!(client.post("/").body("123456").send().status(), 413);
        assert_eq!(client.get("/refused").send().status(), 403);
    }
}

#[test]
fn what_a_handler_returns_becomes_a_response() {
    let text = Some("text/plain; charset=utf-8");
    let bytes = Some("application/octet-stream");
    let expect = |handler: Box<dyn Handler>, status: u16, media_type: Option<&str>, body: &[u8]| {
        let answer = get(handler, "/");
        assert_eq!((answer.status(), answer.header("content-type"), answer.bytes()), (status, media_type, body));
    };
    expect(Box::new(|_: &mut Request| "a"), 200, text, b"a");
    expect(Box::new(|_: &mut Request| String::from("b")), 200, text, b"b");
    expect(Box::new(|_: &mut Request| Cow::Borrowed("c")), 200, text, b"c");
    expect(Box::new(|_: &mut Request| vec![1, 2]), 200, bytes, &[1, 2]);
    expect(Box::new(|_: &mut Request| b"d".as_slice()), 200, bytes, b"d");
    expect(Box::new(|_: &mut Request| Bytes::from_static(b"e")), 200, bytes, b"e");
    expect(Box::new(|_: &mut Request| Body::from("f")), 200, bytes, b"f");
    expect(Box::new(|_: &mut Request| ()), 204, None, b"");
    expect(Box::new(|_: &mut Request| StatusCode::NOT_FOUND), 404, text, b"404 Not Found\n");
    expect(Box::new(|_: &mut Request| (StatusCode::CREATED, "g")), 201, text, b"g");
    expect(Box::new(|_: &mut Request| Some("h")), 200, text, b"h");
    expect(Box::new(|_: &mut Request| None::<&str>), 404, text, b"404 Not Found\n");
    expect(Box::new(|_: &mut Request| Ok::<_, StatusCode>("i")), 200, text, b"i");
    expect(Box::new(|_: &mut Request| Err::<&str, _>(StatusCode::GONE)), 410, text, b"410 Gone\n");
    expect(Box::new(|_: &mut Request| Response::bytes("a/b", "j")), 200, Some("a/b"), b"j");
    expect(Box::new(|_: &mut Request| Response::html("k")), 200, Some("text/html; charset=utf-8"), b"k");
    let redirect = get(|_: &mut Request| Response::redirect("/there"), "/");
    assert_eq!((redirect.status(), redirect.header("location")), (303, Some("/there")));
}

// ---- errors ----

#[test]
fn an_error_of_ones_own_is_shown_and_any_other_is_not() {
    fn page(request: &mut Request) -> Result<String> {
        match request.path() {
            "/none" => Err(Error::new(StatusCode::NOT_FOUND, "no such page")),
            "/number" => Ok(format!("{}", "twelve".parse::<i32>()?)),
            "/secret" => Err(std::io::Error::other("password is 1234"))?,
            "/text" => Ok(request.text()?.to_owned()),
            _ => Ok("fine".into()),
        }
    }
    let client = TestClient::new(page);
    let ask = |target: &str| {
        let answer = client.get(target).send();
        (answer.status(), answer.text().to_owned())
    };
    assert_eq!(ask("/"), pair(200, "fine"));
    assert_eq!(ask("/none"), pair(404, "no such page\n"));
    assert_eq!(ask("/number"), pair(500, "500 Internal Server Error\n"));
    assert_eq!(ask("/secret"), pair(500, "500 Internal Server Error\n"));
    let answer = client.post("/text").body(vec![0xff]).send();
    assert_eq!((answer.status(), answer.text()), (400, "the body is not UTF-8 text\n"));
    assert_eq!(Error::from(std::fmt::Error).status(), 500);
    assert_eq!(Error::new(StatusCode::CONFLICT, "").status(), 409);
}

// ---- middleware ----

/// Notes when it is passed, on the way in and on the way out.
struct Trace {
    name: &'static str,
    log: Arc<Mutex<Vec<String>>>,
}

impl Middleware for Trace {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        self.log.lock().unwrap().push(format!("{} in", self.name));
        let (name, log) = (self.name, self.log.clone());
        next.handle(request).map(move |response| {
            log.lock().unwrap().push(format!("{name} out"));
            let before = response.headers().get("x-trace").map_or("", |value| value.to_str().unwrap()).to_owned();
            response.with_header("x-trace", before + name)
        })
    }
}

const PASSAGE: [&str; 6] = ["outer in", "middle in", "inner in", "inner out", "middle out", "outer out"];

fn traced(handler: impl Handler) -> (impl Handler, Arc<Mutex<Vec<String>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let trace = |name| Trace { name, log: log.clone() };
    (handler.with(trace("inner")).with(trace("middle")).with(trace("outer")), log)
}

#[test]
fn the_last_middleware_is_the_outermost() {
    let (handler, log) = traced(hello);
    let answer = get(handler, "/");
    assert_eq!((answer.text(), answer.header("x-trace")), ("hello", Some("innermiddleouter")));
    assert_eq!(*log.lock().unwrap(), PASSAGE);
}

#[test]
fn middleware_changes_an_answer_that_comes_later_in_the_same_order() {
    let (replies, receiver) = mpsc::channel::<Reply>();
    let (handler, log) = traced(move |request: &mut Request| {
        let (reply, pending) = request.later();
        replies.send(reply).unwrap();
        pending
    });
    let mut conn = TestConn::open(Http::new(handler)).unwrap();
    conn.send(request("/").as_bytes());
    assert_eq!(*log.lock().unwrap(), PASSAGE[..3], "nothing to change yet");
    assert!(conn.recv().is_empty());
    receiver.recv().unwrap().send("late");
    let answers = read_answers(&conn.recv(), false, &[]);
    assert_eq!((answers[0].text(), answers[0].field("x-trace")), ("late", Some("innermiddleouter")));
    assert_eq!(*log.lock().unwrap(), PASSAGE);
}

#[test]
fn middleware_changes_an_answer_of_the_pool() {
    for blocking_is in ["inside", "outside"] {
        let (handler, log) = match blocking_is {
            "inside" => {
                let (handler, log) = traced(blocking(hello));
                (handler.boxed(), log)
            }
            _ => {
                let (handler, log) = traced(hello);
                (blocking(handler).boxed(), log)
            }
        };
        let answer = get(handler, "/");
        assert_eq!((answer.text(), answer.header("x-trace")), ("hello", Some("innermiddleouter")), "{blocking_is}");
        assert_eq!(*log.lock().unwrap(), PASSAGE);
    }
}

#[test]
fn middleware_changes_a_late_answer_of_the_pool_however_early_it_comes() {
    // The reply may be sent by another thread before the handler has returned on its own.
    let (handler, log) = traced(|request: &mut Request| {
        let (reply, pending) = request.later();
        thread::spawn(move || reply.send("early")).join().unwrap();
        pending
    });
    let answer = get(blocking(handler), "/");
    assert_eq!((answer.text(), answer.header("x-trace")), ("early", Some("innermiddleouter")));
    assert_eq!(*log.lock().unwrap(), PASSAGE);
}

#[test]
fn middleware_can_answer_alone_and_change_what_the_next_one_sees() {
    let guarded = hello.with(|request: &mut Request, next: &dyn Handler| match request.header("x-key") {
        Some(_) => next.handle(request),
        None => StatusCode::UNAUTHORIZED.into_response(),
    });
    let client = TestClient::new(guarded);
    assert_eq!(client.get("/").send().status(), 401);
    assert_eq!(client.get("/").header("X-Key", "1").send().text(), "hello");

    #[derive(Clone)]
    struct User(&'static str);
    let inner = |request: &mut Request| {
        let user = request.extensions().get::<User>().map_or("nobody", |user| user.0);
        format!("{user} {:?} {:?}", request.header("x-added"), request.header("x-removed"))
    };
    let outer = inner.with(|request: &mut Request, next: &dyn Handler| {
        request.extensions_mut().insert(User("Grace"));
        request.headers_mut().insert("x-added", "1".parse().unwrap());
        request.headers_mut().remove("x-removed");
        next.handle(request)
    });
    let answer = TestClient::new(outer).get("/").header("x-removed", "2").send();
    assert_eq!(answer.text(), "Grace Some(\"1\") None");
}

#[test]
fn middleware_can_plan() {
    struct AtMost(u64);
    impl Middleware for AtMost {
        fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
            next.handle(request)
        }
        fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
            next.plan(request).body_limit(self.0)
        }
    }
    let handler: With<AtMost, Named> = Named("Ada").with(AtMost(7));
    let client = TestClient::new(handler);
    assert_eq!(client.post("/").body("1234567").send().text(), "Ada got 1234567");
    assert_eq!(client.post("/").body("12345678").send().status(), 413);
    assert_eq!(client.get("/refused").send().status(), 403, "what the handler refuses stays refused");
}

// ---- plans ----

#[test]
fn a_refused_request_is_answered_before_its_body_and_never_handled() {
    let server = Server::new(Named("Ada"));
    let head = "POST /refused HTTP/1.1\r\nHost: a\r\n";
    for body in
        ["Content-Length: 5\r\n\r\n", "Content-Length: 5\r\n\r\n12345", "Transfer-Encoding: chunked\r\n\r\n5\r\n"]
    {
        server.refuses(format!("{head}{body}"), 403);
    }
    let mut conn = server.connect();
    conn.send(format!("{head}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n").as_bytes());
    assert!(conn.recv().starts_with(b"HTTP/1.1 403 "), "and no 100 before it (RFC 9110 §10.1.1)");

    let conversation = server.for_every_split((request("/refused") + &request("/")).as_bytes(), &[]);
    assert_eq!(conversation.answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [403, 200]);
    assert!(!conversation.is_closed, "where there is no body, the connection goes on");
    assert_eq!(conversation.seen, ["GET /"]);
}

#[test]
fn a_plan_can_take_more_than_the_server_and_less() {
    struct Planned(u64);
    impl Handler for Planned {
        fn handle(&self, request: &mut Request) -> Response {
            Response::text(format!("{} bytes", request.bytes().unwrap().len()))
        }
        fn plan(&self, _: &mut Request) -> Plan {
            Plan::inline().body_limit(self.0)
        }
    }
    for (limit, length, status) in [(3, 3, 200), (3, 4, 413), (20, 15, 200), (20, 21, 413), (0, 0, 200), (0, 1, 413)] {
        let server = Server::new(Planned(limit)).with(|settings| settings.body_limit = 10);
        let mut conn = server.connect();
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        conn.send(head.as_bytes()).send(&vec![b'x'; length]);
        let answer = answers(&mut conn);
        assert_eq!(answer.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [status], "{length} of {limit}");
    }
}

#[test]
fn a_plan_is_asked_once_and_sees_the_head_but_not_the_body() {
    struct Curious(Arc<Mutex<Vec<String>>>);
    impl Handler for Curious {
        fn handle(&self, request: &mut Request) -> Response {
            self.0.lock().unwrap().push(format!("handle {}", request.text().unwrap()));
            Response::text("")
        }
        fn plan(&self, request: &mut Request) -> Plan {
            let body = request.text().unwrap().to_owned();
            let seen = format!("plan {} {:?} {body:?}", request.path(), request.header("x"));
            self.0.lock().unwrap().push(seen);
            Plan::inline()
        }
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut conn = TestConn::open(Http::new(Curious(log.clone()))).unwrap();
    conn.send(b"POST /a HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(*log.lock().unwrap(), ["plan /a Some(\"y\") \"\""]);
    conn.send(b"bo").send(b"dy");
    assert_eq!(log.lock().unwrap()[1..], ["handle body"]);
}

#[test]
fn blocking_handlers_answer_in_order_too() {
    let handler: Blocking<_> = blocking(|request: &mut Request| {
        let body = request.text().unwrap().to_owned();
        format!("{} {body}", request.path())
    });
    let post = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    let conversation = Server::new(handler).for_every_split((post.to_owned() + &request("/2")).as_bytes(), &[]);
    let texts: Vec<_> = conversation.answers.iter().map(|answer| answer.text()).collect();
    assert_eq!(texts, ["/1 abc", "/2 "]);
}

#[test]
fn a_full_worker_queue_is_503_with_retry_after() {
    let gate = common::Gate::default();
    let inner = gate.clone();
    let handler = blocking(move |_: &mut Request| {
        inner.pass();
        thread::current().name().unwrap_or("nameless").to_owned()
    });
    let (line, lines) = mpsc::channel();
    let logged = handler.with(AccessLog::new().to(move |text| line.send(text.to_owned()).unwrap()));
    let server = common::serve(common::local().workers(1).worker_queue(0), logged);
    let mut first = server.connect();
    first.send(request("/"));
    gate.until_arrived(1);
    let refused = server.connect().get("/refused");
    assert!(lines.recv().unwrap().contains(" GET /refused 503 "), "it is in the access log");
    assert_eq!((refused.status(), refused.head.field("retry-after")), (503, Some("1")));
    gate.open();
    assert_eq!(first.answer().text(), "qibu worker", "not the loop");
    common::eventually("there is room again", || server.connect().get("/").status() == 200);
}

// ---- panics ----

/// Panics at `/panic`; else says hello.
fn panic_at_times(request: &mut Request) -> &'static str {
    assert!(request.path() != "/panic", "this panic is part of the test");
    "hello"
}

#[test]
fn a_panic_is_500_for_that_request_alone() {
    struct PanickyPlan;
    impl Handler for PanickyPlan {
        fn handle(&self, _: &mut Request) -> Response {
            Response::text("hello")
        }
        fn plan(&self, request: &mut Request) -> Plan {
            panic_at_times(request);
            Plan::inline()
        }
    }
    let handlers: [Box<dyn Handler>; 5] = [
        Box::new(panic_at_times),
        Box::new(blocking(panic_at_times)),
        Box::new(PanickyPlan),
        Box::new(hello.with(|request: &mut Request, next: &dyn Handler| {
            panic_at_times(request);
            next.handle(request)
        })),
        Box::new(|request: &mut Request| {
            let is_bad = request.path() == "/panic";
            Response::text("hello").map(move |response| {
                assert!(!is_bad, "this panic is part of the test");
                response
            })
        }),
    ];
    for handler in handlers {
        let conversation = Server::new(handler).converse(&[(request("/panic") + &request("/")).as_bytes()], &[]);
        let answers: Vec<_> = conversation.answers.iter().map(|answer| (answer.status, answer.text())).collect();
        assert_eq!(answers, [(500, "500 Internal Server Error\n"), (200, "hello")]);
        assert!(!conversation.is_closed);
    }
}

#[test]
fn a_panic_in_a_change_of_a_late_answer_is_500_for_that_request_alone() {
    let handler = |request: &mut Request| {
        let (reply, pending) = request.later();
        reply.send(request.path().to_owned());
        pending.map(|response| {
            assert!(response.body().as_bytes() != Some(b"/panic"), "this panic is part of the test");
            response
        })
    };
    let conversation = Server::new(handler).converse(&[(request("/panic") + &request("/ok")).as_bytes()], &[]);
    let answers: Vec<_> = conversation.answers.iter().map(|answer| (answer.status, answer.text())).collect();
    assert_eq!(answers, [(500, "500 Internal Server Error\n"), (200, "/ok")]);
}

// ---- replies ----

#[test]
fn a_reply_that_is_dropped_is_500_and_the_connection_goes_on() {
    let dropping: [fn(Reply); 2] = [drop, |reply| {
        let panicked = thread::spawn(move || {
            let _reply = reply;
            panic!("this panic is part of the test");
        });
        assert!(panicked.join().is_err());
    }];
    for dropping in dropping {
        let server = Server::new(move |request: &mut Request| {
            if request.path() == "/next" {
                return Response::text("next");
            }
            let (reply, pending) = request.later();
            dropping(reply);
            pending
        });
        let (answer, is_closed) = server.one_answer(request("/"));
        assert_eq!((answer.status, is_closed), (500, false));
    }
}

/// What a handler or a decorator sets on the response that stands for a later one, in all ways in which it can.
#[test]
fn what_is_set_on_a_response_that_comes_later_is_set_when_it_comes() {
    let later = |request: &mut Request| {
        let (reply, pending) = request.later();
        match request.path() {
            "/dropped" => drop(reply),
            _ => reply.send(Response::text("made").with_header("x-a", "reply").with_header("x-own", "1")),
        }
        let mut pending = pending.with_header("x-a", "pending");
        pending.headers_mut().append("x-a", "too".parse().unwrap());
        (StatusCode::CREATED, pending)
    };
    let handler = later
        .with(|request: &mut Request, next: &dyn Handler| next.handle(request).map(|r| r.with_header("x-b", "inner")))
        .with(|request: &mut Request, next: &dyn Handler| next.handle(request).with_header("x-b", "outer"));
    let handler = Arc::new(handler);
    for is_on_the_pool in [false, true] {
        let handler = handler.clone();
        let client = TestClient::new(if is_on_the_pool { blocking(handler).boxed() } else { handler.boxed() });
        let answer = client.get("/").send();
        assert_eq!((answer.status(), answer.text(), answer.header("x-own")), (201, "made", Some("1")));
        let values: Vec<_> = answer.headers("x-a").collect();
        assert_eq!((values, answer.header("x-b")), (vec!["pending", "too"], Some("outer")));

        // The server's own answer is none of theirs, but what a decorator maps is any.
        let answer = client.get("/dropped").send();
        assert_eq!((answer.status(), answer.header("x-a"), answer.header("x-b")), (500, None, Some("inner")));
    }
}

/// A connection whose handler hands out a reply for each request, and answers `/at-once` without waiting for it.
fn replying() -> (TestConn, mpsc::Receiver<Reply>) {
    let (replies, receiver) = mpsc::channel();
    let conn = TestConn::open(Http::new(move |request: &mut Request| {
        let (reply, pending) = request.later();
        replies.send(reply).unwrap();
        if request.path() == "/at-once" { Response::text("at once") } else { pending }
    }));
    (conn.unwrap(), receiver)
}

#[test]
fn a_reply_to_an_earlier_request_is_no_answer_to_a_later_one() {
    let (mut conn, replies) = replying();
    conn.send(request("/at-once").as_bytes());
    assert_eq!(answers(&mut conn), [pair(200, "at once")]);
    let stale = replies.recv().unwrap();
    conn.send(request("/later").as_bytes());
    stale.send("stale");
    assert_eq!(answers(&mut conn), []);
    replies.recv().unwrap().send("fresh");
    assert_eq!(answers(&mut conn), [pair(200, "fresh")]);

    // Dropping one is no answer either.
    conn.send(request("/at-once").as_bytes());
    assert_eq!(answers(&mut conn), [pair(200, "at once")]);
    drop(replies.recv().unwrap());
    assert_eq!(answers(&mut conn), []);
    assert!(!conn.is_closed());
}

#[test]
fn the_first_of_several_replies_to_a_request_counts() {
    let (replies, receiver) = mpsc::channel();
    let mut conn = TestConn::open(Http::new(move |request: &mut Request| {
        let (first, _) = request.later();
        let (second, pending) = request.later();
        replies.send([first, second]).unwrap();
        pending
    }))
    .unwrap();
    conn.send((request("/1") + &request("/2")).as_bytes());
    let [first, second] = receiver.recv().unwrap();
    second.send("second");
    first.send("first");
    assert_eq!(answers(&mut conn), [pair(200, "second")]);
    let [first, second] = receiver.recv().unwrap();
    first.send("first of the next");
    drop(second);
    assert_eq!(answers(&mut conn), [pair(200, "first of the next")]);
}

#[test]
fn a_reply_to_a_client_that_has_gone_is_dropped() {
    let (mut conn, replies) = replying();
    conn.send(request("/later").as_bytes());
    let reply = replies.recv().unwrap();
    drop(conn);
    reply.send("nobody reads this");
}

#[test]
fn a_reply_can_be_anything_that_a_handler_can_return() {
    let (mut conn, replies) = replying();
    conn.send(request("/later").repeat(4).as_bytes());
    replies.recv().unwrap().send(StatusCode::CREATED);
    assert_eq!(answers(&mut conn), [pair(201, "201 Created\n")]);
    replies.recv().unwrap().send(Err::<&str, _>(Error::new(StatusCode::CONFLICT, "taken")));
    assert_eq!(answers(&mut conn), [pair(409, "taken\n")]);
    let (sender, body) = Body::channel(100);
    replies.recv().unwrap().send(Response::text(body));
    sender.send("in pieces").unwrap();
    drop(sender);
    assert_eq!(answers(&mut conn), [pair(200, "in pieces")]);
    replies.recv().unwrap().send(());
    assert_eq!(answers(&mut conn), [pair(204, "")]);
}
