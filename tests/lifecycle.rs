//! Where a server listens, how it starts, and how it ends, over real sockets.

mod common;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{
    Client, Gate, MarkCheck, MarkedFile, PATIENCE, end_of, eventually, get, is_end, local, send_to_all, serve,
};
use qibu::{
    Body, Builder, Connection, Handler, Next, Plan, Protocol, Request, Response, Running, ServerHandle, Session,
    StatusCode, WebServer, blocking,
};

fn hello(_: &mut Request) -> &'static str {
    "hello"
}

fn run(builder: Builder, handler: impl Handler) -> Running {
    builder.build(handler).unwrap().spawn().unwrap()
}

// Addresses.

fn who_are_you(request: &mut Request) -> String {
    request.peer_addr().to_string()
}

/// Asks as a client of this address; the server must see the very address that the client has.
fn assert_answers_at(address: SocketAddr) {
    let mut client = Client::connect(address);
    let own = client.socket().local_addr().unwrap();
    assert_eq!(client.get("/").text(), own.to_string());
}

/// Says so where this host has no IPv6.
fn has_ipv6() -> bool {
    let has = TcpListener::bind("[::1]:0").is_ok();
    if !has {
        println!("skipped: this host has no [::1]");
    }
    has
}

fn at(builder: Builder, address: &str) -> Builder {
    builder.addr(address)
}

#[test]
fn it_answers_on_ipv4() {
    let server = run(at(WebServer::builder(), "127.0.0.1:0"), who_are_you);
    assert_eq!(server.local_addr().ip().to_string(), "127.0.0.1");
    assert_eq!(server.local_addrs(), [server.local_addr()]);
    assert_answers_at(server.local_addr());
}

#[test]
fn it_answers_on_ipv6() {
    if has_ipv6() {
        let server = run(at(WebServer::builder(), "[::1]:0"), who_are_you);
        assert_eq!(server.local_addr().ip().to_string(), "::1");
        assert_answers_at(server.local_addr());
    }
}

#[test]
fn the_ipv6_wildcard_takes_ipv4_clients_and_shows_their_address_as_it_is() {
    if has_ipv6() {
        let server = run(at(WebServer::builder(), "[::]:0"), who_are_you);
        let port = server.local_addr().port();
        assert_answers_at(SocketAddr::new("127.0.0.1".parse().unwrap(), port));
        assert_answers_at(SocketAddr::new("::1".parse().unwrap(), port));
    }
}

#[test]
fn several_addresses_share_the_port_that_the_system_chose() {
    let mut addresses = vec!["127.0.0.1:0"];
    addresses.extend(cfg!(target_os = "linux").then_some("127.0.0.2:0"));
    addresses.extend(has_ipv6().then_some("[::1]:0"));
    for _ in 0..20 {
        let server = run(addresses.iter().copied().fold(WebServer::builder().loops(1), at), who_are_you);
        assert_eq!(server.local_addrs().len(), addresses.len());
        for (address, asked) in server.local_addrs().iter().zip(&addresses) {
            assert_eq!(address.port(), server.local_addr().port());
            assert_eq!(address.ip(), asked.parse::<SocketAddr>().unwrap().ip());
            assert_answers_at(*address);
        }
    }
}

#[test]
fn both_wildcards_can_be_asked_for() {
    if has_ipv6() {
        let server = run(at(at(WebServer::builder(), "0.0.0.0:0"), "[::]:0"), who_are_you);
        let [v4, v6] = server.local_addrs() else { panic!("{server:?}") };
        assert_eq!(v4.port(), v6.port());
        assert_answers_at(SocketAddr::new("127.0.0.1".parse().unwrap(), v4.port()));
        assert_answers_at(SocketAddr::new("::1".parse().unwrap(), v4.port()));
    }
}

#[test]
fn a_name_stands_for_all_its_addresses() {
    let server = run(at(WebServer::builder(), "localhost:0"), who_are_you);
    assert!(!server.local_addrs().is_empty());
    server.local_addrs().iter().for_each(|address| assert_answers_at(*address));
}

/// Building fails with this kind, and the message names the culprit.
#[track_caller]
fn assert_refused(builder: Builder, kind: io::ErrorKind, names: &str) {
    let error = builder.build(hello).expect_err("it cannot listen there");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(names), "{error} does not name {names}");
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_the_address() {
    let server = run(local(), hello);
    let address = server.local_addr().to_string();
    assert_refused(at(WebServer::builder(), &address), io::ErrorKind::AddrInUse, &address);
    assert_refused(at(at(WebServer::builder(), "127.0.0.1:0"), &address), io::ErrorKind::AddrInUse, &address);
    assert_eq!(Client::connect(server.local_addr()).get("/").text(), "hello", "who was there stays");
}

#[test]
fn an_address_that_is_none_is_an_error_that_names_it() {
    for wrong in ["nonsense", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:http", ":80:", ""] {
        assert_refused(at(local(), wrong), io::ErrorKind::InvalidInput, wrong);
    }
    assert_refused(at(local(), "192.0.2.1:0"), io::ErrorKind::AddrNotAvailable, "192.0.2.1");
    assert_refused(WebServer::builder(), io::ErrorKind::InvalidInput, "no address");
    assert_refused(WebServer::builder().addr(&[][..]), io::ErrorKind::InvalidInput, "no address");
    assert_eq!(WebServer::new("nonsense", hello).unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

// Unix sockets.

#[cfg(unix)]
mod unix {
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::{Path, PathBuf};

    use super::*;

    fn in_folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.sock");
        (folder, path)
    }

    fn connect(path: &Path) -> Client<UnixStream> {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client::with_buffer(64 * 1024, stream)
    }

    fn at_path(path: &Path) -> Builder {
        WebServer::builder().loops(2).unix(path)
    }

    #[test]
    fn a_unix_socket_answers_and_its_peers_have_no_address() {
        let (_folder, path) = in_folder();
        let server = run(at_path(&path), who_are_you);
        assert_eq!(server.local_addr().to_string(), "0.0.0.0:0");
        assert!(server.local_addrs().is_empty());
        let mut clients: Vec<_> = (0..4).map(|_| connect(&path)).collect();
        clients.iter_mut().for_each(|client| assert_eq!(client.get("/").text(), "0.0.0.0:0"));
    }

    #[test]
    fn large_bodies_pass_a_unix_socket_too() {
        let (_folder, path) = in_folder();
        let file = MarkedFile::new(64 * 1024 * 1024);
        let (content, length) = (file.file.clone(), file.length);
        let server = run(at_path(&path), move |_: &mut Request| {
            Response::new(StatusCode::OK).with_body(Body::file(content.clone(), 0..length))
        });
        let (mut client, mut check) = (connect(&path), MarkCheck::default());
        let head = client.send(get("/")).head();
        client.body(&head, |piece| check.take(piece)).unwrap();
        assert_eq!(check.at, length);
        drop((client, server));
    }

    #[test]
    fn one_server_can_have_tcp_and_unix_sockets() {
        let (_folder, path) = in_folder();
        let server = run(local().unix(&path), hello);
        assert_eq!(connect(&path).get("/").text(), "hello");
        assert_eq!(Client::connect(server.local_addr()).get("/").text(), "hello");
    }

    #[test]
    fn the_path_is_removed_at_the_end() {
        let (_folder, path) = in_folder();
        let server = run(at_path(&path), hello);
        assert!(path.exists());
        server.handle().shutdown();
        end_of(server).unwrap();
        assert!(!path.exists());

        drop(at_path(&path).build(hello).unwrap());
        assert!(!path.exists(), "a server that was never started leaves nothing either");
    }

    #[test]
    fn a_socket_that_an_earlier_run_has_left_behind_is_replaced() {
        let (_folder, path) = in_folder();
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let _server = run(at_path(&path), hello);
        assert_eq!(connect(&path).get("/").text(), "hello");
    }

    #[test]
    fn a_path_in_use_is_an_error_that_names_it() {
        let (_folder, path) = in_folder();
        let _server = run(at_path(&path), hello);
        assert_refused(at_path(&path), io::ErrorKind::AddrInUse, path.to_str().unwrap());
        assert_eq!(connect(&path).get("/").text(), "hello", "who was there stays");
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let (_folder, path) = in_folder();
        std::fs::write(&path, "precious").unwrap();
        assert_refused(at_path(&path), io::ErrorKind::AddrInUse, path.to_str().unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_socket_that_another_has_put_in_its_place_is_left_alone() {
        let (_folder, path) = in_folder();
        let server = run(at_path(&path), hello);
        std::fs::remove_file(&path).unwrap();
        let _other = UnixListener::bind(&path).unwrap();
        server.handle().shutdown();
        end_of(server).unwrap();
        assert!(path.exists());
    }
}

// Starting again.

/// Connections of this port whose end the server's side remembers.
#[cfg(target_os = "linux")]
fn is_in_time_wait(port: u16) -> bool {
    const TIME_WAIT: &str = "06";
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().skip(1).any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields[1].ends_with(&format!(":{port:04X}")) && fields[3] == TIME_WAIT
    })
}

#[test]
#[cfg(target_os = "linux")]
fn a_port_can_be_taken_again_while_old_connections_linger_on_it() {
    let server = run(local(), hello);
    let address = server.local_addr();
    let mut client = Client::connect(address);
    client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").answer();
    client.assert_end(); // the server was first, so it is the one that has to remember
    drop(client);
    server.handle().shutdown();
    end_of(server).unwrap();
    eventually("the connection is in TIME_WAIT", || is_in_time_wait(address.port()));

    let again = || WebServer::builder().addr(address);
    assert_refused(again().reuse_address(false), io::ErrorKind::AddrInUse, &address.to_string());
    let _server = run(again(), hello);
    assert_eq!(Client::connect(address).get("/").text(), "hello");
}

#[test]
fn a_server_can_end_and_another_begin_at_once() {
    let mut address = "127.0.0.1:0".parse::<SocketAddr>().unwrap();
    for _ in 0..10 {
        let server = run(WebServer::builder().addr(address), hello);
        address = server.local_addr();
        assert_eq!(Client::connect(address).get("/").text(), "hello");
        server.handle().shutdown();
        end_of(server).unwrap();
    }
}

#[test]
fn start_serves_on_the_calling_thread_until_another_says_stop() {
    let server = local().build(|_: &mut Request| thread::current().name().unwrap_or_default().to_owned()).unwrap();
    let (address, handle, own_name) =
        (server.local_addr(), server.handle(), thread::current().name().unwrap().to_owned());
    assert!(!handle.is_running());
    let other = thread::spawn(move || {
        let answer = Client::connect(address).get("/");
        let was_running = handle.is_running();
        handle.shutdown();
        (answer, was_running, handle)
    });
    server.start().unwrap();
    let (answer, was_running, handle) = other.join().unwrap();
    assert_eq!(answer.text(), own_name);
    assert!(was_running);
    assert!(!handle.is_running());
}

#[test]
fn a_server_that_was_told_to_stop_before_it_started_ends_at_once() {
    for stop in [ServerHandle::shutdown, ServerHandle::abort] {
        let server = local().loops(2).build(hello).unwrap();
        let (address, handle) = (server.local_addr(), server.handle());
        stop(&handle);
        let running = server.spawn().unwrap();
        end_of(running).unwrap();
        assert!(!handle.is_running());
        assert!(TcpStream::connect(address).is_err());
    }
}

#[test]
fn it_is_running_from_its_start_to_its_end() {
    let server = local().build(hello).unwrap();
    let handle = server.handle();
    assert!(!handle.is_running(), "it was not started");
    let running = server.spawn().unwrap();
    assert!(handle.is_running());
    handle.shutdown();
    end_of(running).unwrap();
    assert!(!handle.is_running(), "it has ended");
}

#[test]
fn it_is_not_running_if_it_was_never_started() {
    for stop in [ServerHandle::shutdown, ServerHandle::abort] {
        let server = local().build(hello).unwrap();
        let handle = server.handle();
        drop(server);
        assert!(!handle.is_running());
        stop(&handle);
        assert!(!handle.is_running(), "an order to stop does not start it");
    }
}

// The end.

/// Shuts down, and waits until nobody can come in any more.
fn shut_the_door(server: &Running) {
    server.handle().shutdown();
    eventually("the door is shut", || TcpStream::connect(server.local_addr()).is_err());
}

/// The system may keep a client that has said nothing to itself for a second ([`qibu::Protocol::client_begins`]).
fn until_accepted(server: &Running, clients: u64) {
    eventually("the silent ones are there too", || server.handle().stats().accepted == clients);
}

/// Says hello to whoever comes.
struct Greeter {
    client_begins: bool,
}

impl Protocol for Greeter {
    fn open(&self, new_socket: &mut Connection) -> io::Result<Box<dyn Session>> {
        new_socket.send(b"hello");
        new_socket.close();
        Ok(Box::new(Echo))
    }

    fn client_begins(&self) -> bool {
        self.client_begins
    }
}

struct Echo;

impl Session for Echo {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        let received = new_socket.recv();
        new_socket.send(&received);
        Ok(Next::Wait)
    }
}

/// Its session may wait for its first word, but who never says one is not forgotten.
#[test]
fn a_silent_client_is_heard_of() {
    for client_begins in [false, true] {
        let server = local().build_protocol(Greeter { client_begins }).unwrap().spawn().unwrap();
        assert_eq!(Client::connect(server.local_addr()).rest().unwrap(), b"hello", "client_begins: {client_begins}");
    }
}

#[test]
fn idle_connections_are_closed_at_once() {
    let server = run(local().loops(2), hello);
    let mut clients: Vec<_> = (0..10).map(|_| Client::connect(server.local_addr())).collect();
    clients.iter_mut().skip(2).for_each(|client| drop(client.get("/"))); // the first two have never asked
    until_accepted(&server, 10);
    server.handle().shutdown();
    clients.iter_mut().for_each(Client::assert_end);
    drop(clients);
    end_of(server).unwrap();
}

/// Only a moment is given to those who do not see that we have finished.
#[test]
fn clients_that_do_not_leave_do_not_hold_up_the_end() {
    let server = run(local(), hello);
    let mut clients: Vec<_> = (0..3).map(|_| Client::connect(server.local_addr())).collect();
    clients.iter_mut().for_each(|client| drop(client.get("/")));
    server.handle().shutdown();
    let started = Instant::now();
    end_of(server).unwrap();
    assert!(started.elapsed() < Duration::from_secs(15), "the grace of 30 s is for answers");
}

/// Lets a request be at the gate when the server is shut down; its answer must come whole, then the end.
fn assert_answer_finishes(builder: Builder, handler: impl FnOnce(Gate) -> Box<dyn Handler>) {
    let gate = Gate::default();
    let server = run(builder, handler(gate.clone()));
    let mut client = Client::connect(server.local_addr());
    client.send(get("/"));
    gate.until_arrived(1);
    shut_the_door(&server);
    assert!(server.handle().is_running());
    gate.open();
    assert_eq!(client.answer().text(), "begun and finished");
    client.assert_end();
    drop(client);
    end_of(server).unwrap();
}

#[test]
fn a_blocking_handler_finishes() {
    assert_answer_finishes(local(), |gate| {
        Box::new(blocking(move |_: &mut Request| {
            gate.pass();
            "begun and finished"
        }))
    });
}

#[test]
fn a_late_answer_finishes() {
    assert_answer_finishes(local().loops(2), |gate| {
        Box::new(move |request: &mut Request| {
            let ((reply, pending), gate) = (request.later(), gate.clone());
            thread::spawn(move || {
                gate.pass();
                reply.send("begun and finished");
            });
            pending
        })
    });
}

#[test]
fn a_stream_finishes() {
    assert_answer_finishes(local(), |gate| {
        Box::new(move |_: &mut Request| {
            let ((sender, body), gate) = (Body::channel(1024), gate.clone());
            thread::spawn(move || {
                sender.send("begun").unwrap();
                gate.pass();
                sender.send(" and finished").unwrap();
            });
            Response::text(body)
        })
    });
}

/// An inline handler holds the loop that would shut the door.
#[test]
fn an_inline_handler_finishes() {
    let gate = Gate::default();
    let behind = gate.clone();
    let server = run(local(), move |_: &mut Request| behind.pass());
    let mut client = Client::connect(server.local_addr());
    client.send(get("/"));
    gate.until_arrived(1);
    server.handle().shutdown();
    gate.open();
    let answer = client.answer();
    assert_eq!(answer.status(), 204);
    client.assert_end();
    drop(client);
    end_of(server).unwrap();
}

#[test]
fn answers_after_the_order_to_stop_say_that_they_are_the_last() {
    let gate = Gate::default();
    let behind = gate.clone();
    let server = run(local(), blocking(move |_: &mut Request| behind.pass()));
    let mut client = Client::connect(server.local_addr());
    client.send(get("/"));
    gate.until_arrived(1);
    shut_the_door(&server);
    gate.open();
    assert_eq!(client.answer().head.field("connection"), Some("close"));
}

#[test]
fn what_waits_for_a_worker_is_answered_too() {
    let gate = Gate::default();
    let behind = gate.clone();
    let slow = blocking(move |_: &mut Request| {
        behind.pass();
        "done"
    });
    let server = run(local().workers(1), slow);
    let mut clients: Vec<_> = (0..5).map(|_| Client::connect(server.local_addr())).collect();
    send_to_all(&mut clients, get("/"));
    gate.until_arrived(1);
    shut_the_door(&server);
    gate.open();
    clients.iter_mut().for_each(|client| assert_eq!(client.answer().text(), "done"));
    drop(clients);
    end_of(server).unwrap();
}

#[test]
fn a_large_file_finishes() {
    let file = MarkedFile::new(64 * 1024 * 1024);
    let (content, length) = (file.file.clone(), file.length);
    let server = run(local(), move |_: &mut Request| {
        Response::new(StatusCode::OK).with_body(Body::file(content.clone(), 0..length))
    });
    let mut client = Client::with_small_window(server.local_addr(), 16 * 1024);
    let head = client.send(get("/")).head();
    shut_the_door(&server);
    let mut check = MarkCheck::default();
    client.body(&head, |piece| check.take(piece)).unwrap();
    assert_eq!(check.at, length);
    client.assert_end();
    drop(client);
    end_of(server).unwrap();
}

#[test]
fn a_request_that_is_half_here_is_taken_in_and_answered() {
    let server = run(local(), |request: &mut Request| request.text().map(str::to_owned));
    let (mut in_head, mut in_body) = (Client::connect(server.local_addr()), Client::connect(server.local_addr()));
    in_head.get("/");
    in_head.send("GET / HTTP/1.1\r\nHo");
    in_body.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhe");
    shut_the_door(&server);
    in_head.send("st: test\r\n\r\n");
    in_body.send("llo");
    assert_eq!(in_head.answer().text(), "");
    assert_eq!(in_body.answer().text(), "hello");
    drop((in_head, in_body));
    end_of(server).unwrap();
}

/// An answer that never comes.
fn never() -> impl Handler {
    let kept = std::sync::Mutex::new(Vec::new());
    move |request: &mut Request| {
        let (reply, pending) = request.later();
        kept.lock().unwrap().push(reply);
        pending
    }
}

/// A client that waits for an answer of [`never`].
fn waiting_client(server: &Running) -> Client<TcpStream> {
    let mut client = Client::connect(server.local_addr());
    client.send(get("/"));
    let length = get("/").len() as u64;
    eventually("the request is there", || server.handle().stats().received_bytes >= length);
    client
}

#[test]
fn the_grace_has_a_limit() {
    const GRACE: Duration = Duration::from_millis(500);
    let server = run(local().loops(2), never());
    let mut client = waiting_client(&server);
    let started = Instant::now();
    server.handle().shutdown_within(GRACE);
    end_of(server).unwrap();
    assert!(started.elapsed() >= GRACE, "{:?}", started.elapsed());
    assert!(client.rest().map_or_else(|error| is_end(&error), |rest| rest.is_empty()));
}

#[test]
fn a_second_order_can_shorten_the_grace() {
    let server = run(local(), never());
    let _client = waiting_client(&server);
    shut_the_door(&server);
    server.handle().shutdown_within(Duration::ZERO);
    end_of(server).unwrap();
}

#[test]
fn abort_waits_for_nobody() {
    let server = run(local().loops(2), never());
    let (mut waiting, mut idle) = (waiting_client(&server), Client::connect(server.local_addr()));
    until_accepted(&server, 2);
    server.handle().abort();
    end_of(server).unwrap();
    assert!(waiting.rest().map_or_else(|error| is_end(&error), |rest| rest.is_empty()));
    assert!(idle.rest().map_or_else(|error| is_end(&error), |rest| rest.is_empty()));
}

/// A thread of the pool cannot be stopped, but the server need not wait for it.
#[test]
fn a_worker_that_hangs_does_not_hold_up_the_end() {
    let gate = Gate::default();
    let behind = gate.clone();
    let server = run(local(), blocking(move |_: &mut Request| behind.pass()));
    let mut client = Client::connect(server.local_addr());
    client.send(get("/"));
    gate.until_arrived(1);
    server.handle().shutdown_within(Duration::from_millis(100));
    end_of(server).unwrap();
    gate.open();
}

#[test]
fn dropping_a_running_server_ends_it_and_waits_for_its_answers() {
    let (gate, has_answered) = (Gate::default(), Arc::new(AtomicBool::new(false)));
    let behind = gate.clone();
    let slow = blocking(move |_: &mut Request| {
        behind.pass();
        "finished"
    });
    let server = run(local(), slow);
    let (address, handle, answered) = (server.local_addr(), server.handle(), has_answered.clone());
    let mut client = Client::connect(address);
    client.send(get("/"));
    gate.until_arrived(1);
    let dropping = thread::spawn(move || {
        drop(server);
        answered.load(Ordering::SeqCst)
    });
    eventually("the door is shut", || TcpStream::connect(address).is_err());
    assert!(handle.is_running());
    assert!(!dropping.is_finished());
    has_answered.store(true, Ordering::SeqCst);
    gate.open();
    assert_eq!(client.answer().text(), "finished");
    drop(client);
    eventually("it is dropped", || dropping.is_finished());
    assert!(dropping.join().unwrap());
    assert!(!handle.is_running());
}

// At the door.

/// Holds up the only accepting loop, so that clients queue behind the door; says stop; lets the loop go on. All who had
/// sent a request before the order must be answered.
fn assert_all_at_the_door_are_answered(loops: usize, count: usize) {
    let gate = Gate::default();
    let behind = gate.clone();
    let server = serve(local().loops(loops), move |request: &mut Request| {
        if request.path() == "/gate" {
            behind.pass();
        }
        request.path().to_owned()
    });
    let mut holder = server.connect();
    holder.send(get("/gate"));
    gate.until_arrived(1);
    let mut clients: Vec<_> = (0..count).map(|_| server.connect()).collect();
    send_to_all(&mut clients, get("/"));
    server.handle().shutdown();
    gate.open();
    assert_eq!(holder.answer().text(), "/gate");
    let answered = clients.iter_mut().filter_map(|client| client.try_answer().ok().flatten()).count();
    assert_eq!(answered, count, "clients that were answered");
}

#[test]
fn a_few_clients_at_the_door_are_answered() {
    assert_all_at_the_door_are_answered(1, 40);
}

/// More than the server accepts in one turn.
#[test]
fn many_clients_at_the_door_are_answered() {
    assert_all_at_the_door_are_answered(1, 200);
}

/// The second loop has nobody and ends at once, while the first is still held up by its handler: whom it accepts
/// afterwards must not be handed to a loop that is no more.
#[test]
fn nobody_is_handed_to_a_loop_that_has_ended() {
    let gate = Gate::default();
    let behind = gate.clone();
    let server = serve(local().loops(2), move |request: &mut Request| {
        if request.path() == "/gate" {
            behind.pass();
        }
        request.path().to_owned()
    });
    let (mut holder, mut other) = (server.connect(), server.connect());
    assert_eq!(holder.get("/").text(), "/");
    assert_eq!(other.get("/").text(), "/"); // it lives on the second loop
    holder.send(get("/gate"));
    gate.until_arrived(1);
    let mut queued: Vec<_> = (0..3).map(|_| server.connect()).collect();
    send_to_all(&mut queued, get("/queued"));

    server.handle().shutdown();
    other.assert_end();
    drop(other);
    server.until_connected(1); // the second loop has nobody left
    gate.open();
    assert_eq!(holder.answer().text(), "/gate");
    for client in &mut queued {
        assert_eq!(client.answer().text(), "/queued");
    }
}

/// Whoever has sent a request before the order to stop gets an answer, on an old connection or a new one.
#[test]
fn a_request_that_was_sent_before_the_order_to_stop_is_answered() {
    for round in 0..60 {
        let server = serve(local().loops(2), hello);
        let mut clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
        clients.iter_mut().for_each(|client| drop(client.get("/")));
        clients.extend((0..3).map(|_| server.connect()));
        send_to_all(&mut clients, get("/"));
        server.handle().shutdown();
        for (number, client) in clients.iter_mut().enumerate() {
            let answer = client.try_answer();
            let answer = answer.unwrap_or_else(|error| panic!("round {round}, client {number}: {error}"));
            assert_eq!(answer.unwrap_or_else(|| panic!("round {round}, client {number}: the end")).text(), "hello");
            client.assert_end();
        }
    }
}

/// Whoever is late finds the end, or a reset in place of the first byte of an answer, so that it knows that nothing has
/// been done. Never half an answer.
#[test]
fn a_request_that_races_the_order_to_stop_gets_all_or_nothing() {
    for _ in 0..20 {
        let server = serve(local().loops(2), |_: &mut Request| "x".repeat(20_000));
        let racers: Vec<_> = (0..4)
            .map(|_| {
                let mut client = server.connect();
                assert_eq!(client.get("/").body.len(), 20_000);
                thread::spawn(move || {
                    while client.try_send(get("/")).is_ok() && client.has_more() {
                        assert_eq!(client.answer().body.len(), 20_000);
                    }
                })
            })
            .collect();
        server.handle().shutdown();
        racers.into_iter().for_each(|racer| racer.join().unwrap());
    }
}

// Figures.

#[test]
fn stats_count_clients_requests_and_bytes() {
    let server = run(local().loops(2), |request: &mut Request| match request.path() {
        "/3" => Response::redirect("/"),
        "/4" => Response::status_page(StatusCode::NOT_FOUND),
        "/5" => Response::status_page(StatusCode::BAD_GATEWAY),
        _ => Response::text("hello"),
    });
    let handle = server.handle();
    assert_eq!(handle.stats().accepted + handle.stats().connections + handle.stats().requests(), 0);

    let (mut sent, mut received) = (0, 0);
    for _ in 0..4 {
        let requests = [get("/"), get("/3"), get("/4"), get("/5"), get("/4"), "rubbish\r\n\r\n".into()].concat();
        let mut client = Client::connect(server.local_addr());
        client.send(&requests);
        sent += requests.len() as u64;
        received += client.rest().unwrap().len() as u64; // the rubbish ends it
    }
    let mut idle = Client::connect(server.local_addr()).socket();
    idle.write_all(get("/").as_bytes()).unwrap();
    sent += get("/").len() as u64;
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        let mut byte = [0];
        idle.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    received += answer.len() as u64;

    eventually("all is counted", || handle.stats().connections == 1 && handle.stats().sent_bytes >= received);
    let stats = handle.stats();
    assert_eq!(stats.accepted, 5);
    assert_eq!(stats.answers, [0, 0, 5, 4, 12, 4]);
    assert_eq!(stats.requests(), 25);
    assert_eq!(stats.received_bytes, sent);
    assert_eq!(stats.sent_bytes, received);
    drop(idle);
    eventually("the last one has left", || handle.stats().connections == 0);

    handle.shutdown();
    end_of(server).unwrap();
    assert_eq!(handle.stats().requests(), 25, "the figures outlive the server");
}

/// The plan can refuse; that is an answer like any other.
#[test]
fn stats_count_refusals_too() {
    struct Closed;
    impl Handler for Closed {
        fn handle(&self, _: &mut Request) -> Response {
            Response::text("open")
        }
        fn plan(&self, _: &mut Request) -> Plan {
            Plan::refuse(Response::status_page(StatusCode::FORBIDDEN))
        }
    }
    let server = run(local(), Closed);
    let mut client = Client::connect(server.local_addr());
    assert_eq!(client.get("/").status(), 403);
    assert_eq!(client.get("/").status(), 403, "on the same connection");
    assert_eq!(server.handle().stats().answers, [0, 0, 0, 0, 2, 0]);
}
