//! Handlers that panic, that never answer, and that never give their thread back.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

use qibu::{Handler, HandlerExt, Plan, Request, RequestId, Response, Router};

use crate::common::{Gate, PATIENCE, eventually, get, local};
use crate::support::{LOG, affordable, assert_normal_meanwhile, connect_as, last_words, serve};

/// 10 connections with 100 requests each in one pipeline. Caught: a panic that takes the connection along, or the loop,
/// or the answers before it.
#[test]
fn every_other_of_1000_requests_panics_and_the_rest_are_answered() {
    let server = serve(local(), |request: &mut Request| {
        let is_fine = request.path().ends_with(['0', '2', '4', '6', '8']);
        assert!(is_fine, "on purpose");
        request.path().to_owned()
    });
    let mut clients: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        let pipeline: String = (0..100).map(|request| get(&format!("/panic-{number}-{request}"))).collect();
        client.send(pipeline);
    }
    for (number, client) in clients.iter_mut().enumerate() {
        for request in 0..100 {
            let answer = client.answer();
            let path = format!("/panic-{number}-{request}");
            match request % 2 {
                0 => assert_eq!(answer.text(), path),
                _ => assert_eq!(answer.status(), 500, "{path}"),
            }
        }
    }
    assert_eq!(server.handle().stats().answers[5], 500);
    let said = LOG.lines(|line| line.contains("GET /panic-") && line.contains("panicked: on purpose"));
    assert_eq!(said.len(), 500, "each is in the log, with what it was asked");
}

#[test]
fn a_panic_is_in_the_log_once_with_the_id_of_its_request_however_many_decorators_there_are() {
    struct Unplanned;
    impl Handler for Unplanned {
        fn handle(&self, _: &mut Request) -> Response {
            unreachable!("it has no plan")
        }
        fn plan(&self, request: &mut Request) -> Plan {
            panic!("no plan for {}", request.path())
        }
    }
    let pass = |request: &mut Request, next: &dyn Handler| next.handle(request);
    let site = Router::new()
        .get("/logged/{where}", |request| -> Response { panic!("no answer for {}", request.path()) })
        .route("/logged/plan", Unplanned);
    let server = serve(local(), site.with(pass).with(pass).with(RequestId::new()).with(pass));
    for (path, route) in [("/logged/loop", "/logged/{where}"), ("/logged/plan", "/logged/plan")] {
        let answer = server.connect().get(path);
        let id = answer.head.field("x-request-id").unwrap();
        let about = format!("GET {path} (route {route}, request id {id}) panicked: no ");
        assert_eq!(answer.status(), 500);
        assert_eq!(LOG.lines(|line| line.contains(&about)).len(), 1, "{about}");
        assert_eq!(LOG.lines(|line| line.contains(path) && line.contains("panicked")).len(), 1);
    }
}

fn ask_as(number: usize, address: std::net::SocketAddr, target: &str) -> TcpStream {
    let mut client = connect_as(number, address, None);
    client.write_all(get(target).as_bytes()).unwrap();
    client
}

#[test]
fn one_thousand_requests_that_are_never_answered_get_503_in_time() {
    let kept = Mutex::new(Vec::new());
    let server = serve(local().handler_timeout(Duration::from_secs(2)), move |request: &mut Request| {
        if request.path() == "/" {
            return Response::text("hello");
        }
        let (reply, pending) = request.later();
        kept.lock().unwrap().push(reply);
        pending
    });
    let clients: Vec<_> = (0..affordable(1000)).map(|number| ask_as(number, server.local_addr(), "/never")).collect();
    let count = clients.len() as u64;
    assert_normal_meanwhile(server.local_addr(), || server.handle().stats().answers[5] >= count);
    for client in &clients {
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let (words, end) = last_words(client);
        assert!(words.starts_with(b"HTTP/1.1 503 ") && end.is_ok(), "{:?}", String::from_utf8_lossy(&words));
        let address = format!("{} ", client.local_addr().unwrap());
        let said = LOG.lines(|line| line.contains(&address) && line.contains("(handler_timeout)"));
        assert!(!said.is_empty(), "the log names handler_timeout and {address}");
    }
}

/// `/stuck` goes to the pool, and never comes back from there; all else is inline.
struct Stuck(Gate);

impl Handler for Stuck {
    fn handle(&self, request: &mut Request) -> Response {
        if request.path() == "/stuck" {
            self.0.pass();
        }
        Response::text("hello")
    }

    fn plan(&self, request: &mut Request) -> Plan {
        if request.path() == "/stuck" { Plan::pool() } else { Plan::inline() }
    }
}

/// 4 workers, a queue of 8. Whoever has a place gets 503 when the time is up, everyone else at once, and when the handlers
/// come back after all, the pool is as good as new.
#[test]
fn with_4_stuck_workers_and_8_who_wait_100_more_get_503_at_once() {
    let gate = Gate::default();
    let builder = local().workers(4).worker_queue(8).handler_timeout(Duration::from_secs(3));
    let server = serve(builder, Stuck(gate.clone()));
    let ask = |number| ask_as(number, server.local_addr(), "/stuck");
    let mut placed: Vec<_> = (0..4).map(ask).collect();
    gate.until_arrived(4);
    placed.extend((4..12).map(ask));
    let bytes = 12 * get("/stuck").len() as u64;
    eventually("the queue is full", || server.handle().stats().received_bytes >= bytes);
    let turned_away: Vec<_> = (0..100).map(ask).collect();
    assert_normal_meanwhile(server.local_addr(), || server.handle().stats().answers[5] >= 112);
    for client in turned_away.iter().chain(&placed) {
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let (words, end) = last_words(client);
        assert!(words.starts_with(b"HTTP/1.1 503 ") && end.is_ok(), "{:?}", String::from_utf8_lossy(&words));
    }
    let is_about = |client: &TcpStream, setting: &str| {
        let address = client.local_addr().unwrap().to_string();
        !LOG.lines(|line| line.contains(setting) && line.split(' ').any(|word| word.trim_end_matches(':') == address))
            .is_empty()
    };
    assert!(turned_away.iter().all(|client| is_about(client, "(worker_queue)")));
    assert!(placed.iter().all(|client| is_about(client, "(handler_timeout)")));
    gate.open();
    let started = std::time::Instant::now();
    while server.connect().get("/stuck").status() != 200 {
        assert!(started.elapsed() < PATIENCE, "the pool does not come back");
    }
}
