//! Peers that finish or leave before it is their turn.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use qibu::{Body, Handler, Plan, Request, Response, StatusCode};

use crate::common::{Client, MarkCheck, MarkedFile, get, local, marked_piece};
use crate::support::serve;

/// Fits into the systems' buffers.
const SMALL: u64 = 64 * 1024;

/// Does not, by far: most of it is sent when the client's end has long been seen.
const LARGE: u64 = 8 * 1024 * 1024;

/// The same bytes by every way there is; the query says how many.
struct Everyway(MarkedFile);

impl Handler for Everyway {
    fn handle(&self, request: &mut Request) -> Response {
        let length = request.query_string().unwrap().parse().unwrap();
        let ok = |body: Body| Response::new(StatusCode::OK).with_body(body);
        match request.path() {
            "/file" => ok(Body::file(self.0.file.clone(), 0..length)),
            "/later" => {
                let (reply, pending) = request.later();
                thread::spawn(move || reply.send(ok(marked(length).into())));
                pending
            }
            "/stream" => {
                let (sender, body) = Body::channel(16 * 1024);
                thread::spawn(move || marked(length).chunks(50_000).try_for_each(|chunk| sender.send(chunk.to_vec())));
                ok(body)
            }
            _ => ok(marked(length).into()),
        }
    }

    fn plan(&self, request: &mut Request) -> Plan {
        if request.path() == "/pool" { Plan::pool() } else { Plan::inline() }
    }
}

fn marked(length: u64) -> Vec<u8> {
    let pieces = (0..length).step_by(1024 * 1024);
    pieces.flat_map(|at| marked_piece(at, (length - at).min(1024 * 1024) as usize)).collect()
}

/// Every other one has sent two requests before its end.
fn assert_half_closed_are_answered(target: &str, length: u64, count: usize) {
    let server = serve(local(), Everyway(MarkedFile::new(LARGE)));
    let ask = |number: usize| {
        let mut client = Client::with_small_window(server.local_addr(), 16 * 1024);
        client.send(get(&format!("{target}?{length}")).repeat(1 + number % 2)).finish();
        client
    };
    for (number, mut client) in (0..count).map(ask).collect::<Vec<_>>().into_iter().enumerate() {
        for _ in 0..=number % 2 {
            let (head, mut check) = (client.head(), MarkCheck::default());
            client.body(&head, |piece| check.take(piece)).unwrap();
            assert_eq!((head.status, check.at), (200, length), "{target}");
        }
        client.assert_end();
    }
    server.until_connected(0);
}

#[test]
fn one_hundred_half_closed_connections_get_their_answers_of_each_kind() {
    for target in ["/inline", "/pool", "/later", "/stream", "/file"] {
        assert_half_closed_are_answered(target, SMALL, 100);
        assert_half_closed_are_answered(target, LARGE, 2);
    }
}

#[test]
fn one_hundred_peers_that_leave_in_each_kind_of_body_never_reach_the_handler() {
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    let server = serve(local(), move |_: &mut Request| {
        count.fetch_add(1, Ordering::Relaxed);
        "taken"
    });
    let begun = |framing: &str| {
        let mut client: Client<TcpStream> = server.connect();
        client.send(format!("POST / HTTP/1.1\r\nHost: test\r\n{framing}"));
        client
    };
    let (known, chunked) = ("Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\na\r\nhalf");
    let last_missing = "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    for framing in [known, chunked, last_missing, "Content-Length: 10\r\n\r\n"] {
        let mut clients: Vec<_> = (0..100).map(|_| begun(framing)).collect();
        for client in clients.split_off(50) {
            client.vanish();
        }
        for mut client in clients {
            client.finish();
            assert_eq!(client.answer().status(), 400, "{framing:?}");
            client.assert_end();
        }
    }
    server.until_connected(0);
    assert_eq!(asked.load(Ordering::Relaxed), 0, "half a body is no request");
    assert_eq!(server.connect().get("/").text(), "taken");
}
