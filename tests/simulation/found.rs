//! What the simulation has found, as small as it gets.

use qibu::testing::{PeerId, TestLoop};
use qibu::{Body, Handler, Http, HttpSettings, Plan, Request, Response};

fn connect(server: &mut TestLoop) -> PeerId {
    server.connect("192.0.2.1:4000".parse().unwrap()).unwrap()
}

fn run(server: &mut TestLoop) {
    while !server.is_quiet() {
        server.step();
    }
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Contract 5. Caught: what is consumed when the output is out, or on a note, left its buffer behind.
#[test]
fn an_idle_client_that_pipelined_owns_no_buffer() {
    let mut settings = HttpSettings::default();
    settings.pipeline_depth = 1;
    let mut server = TestLoop::new(Http::with_settings(|_: &mut Request| "", settings));
    let client = connect(&mut server);
    server.send(client, &GET.repeat(100));
    run(&mut server);
    assert_eq!(server.memory(client), 0);
}

/// RFC 9112 section 2.3. Caught: 400, where the version was not there as a whole when it could be told for wrong.
#[test]
fn an_unknown_version_is_505_however_the_head_is_cut() {
    let head = b"GET / HTTP/3.0\r\nHost: a\r\n\r\n";
    for cut in 1..head.len() {
        let mut server = TestLoop::new(Http::new(|_: &mut Request| ""));
        let client = connect(&mut server);
        for part in [&head[..cut], &head[cut..]] {
            server.send(client, part);
            run(&mut server);
        }
        let answer = server.recv(client);
        assert!(answer.starts_with(b"HTTP/1.1 505 "), "cut at {cut}: {:?}", String::from_utf8_lossy(&answer));
    }
}

/// RFC 9112 section 9.3.2. Caught: an error of the session dropped the answers that only waited for their turn to be sent.
#[test]
fn an_aborted_stream_leaves_the_answers_before_it_alone() {
    let mut server = TestLoop::new(Http::new(|request: &mut Request| match request.path() {
        "/" => Response::text("whole"),
        _ => {
            let (sender, body) = Body::channel(100);
            sender.abort();
            Response::text(body)
        }
    }));
    let client = connect(&mut server);
    server.send(client, &[GET, b"GET /aborted HTTP/1.1\r\nHost: a\r\n\r\n"].concat());
    run(&mut server);
    let answers = server.recv(client);
    assert!(answers.starts_with(b"HTTP/1.1 200 OK\r\n"), "{:?}", String::from_utf8_lossy(&answers));
}

/// Contract 8. Caught: what was refused filled the loop's buffer, so that nothing could be read while lingering. A read into
/// no room looks like the peer's end; the connection was dropped with bytes unread, and the reset took the 413 along.
#[test]
fn a_refused_body_that_fills_the_buffer_is_no_end() {
    struct Small;
    impl Handler for Small {
        fn handle(&self, _: &mut Request) -> Response {
            Response::text("small enough")
        }
        fn plan(&self, _: &mut Request) -> Plan {
            Plan::inline().body_limit(1000)
        }
    }
    let mut server = TestLoop::new(Http::new(Small));
    let client = connect(&mut server);
    server.send(client, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    run(&mut server);
    server.send(client, &[&b"20000\r\n"[..], &[b'x'; 0x20000]].concat());
    run(&mut server);
    assert!(!server.is_reset(client), "the peer sends on, and must find nobody who answers it with a reset");
    assert!(server.recv(client).starts_with(b"HTTP/1.1 413 "));
}
