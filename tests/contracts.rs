//! The ten contracts of the loop (the first page of `src/server/mod.rs`), over real sockets.
//!
//! Each test breaks when its contract does: the comments name the mistake that it is there to catch. Where a claim is
//! about order or amount, it is counted and not timed, so that a busy machine proves nothing wrong.

mod common;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use common::{
    Client, Gate, MarkCheck, MarkedFile, PATIENCE, Server, eventually, get, is_end, local, marked_piece, send_to_all,
    serve, serve_protocol,
};
use qibu::{
    Address, Body, Builder, Connection, Handler, HandlerExt, Next, Note, Plan, Reply, Request, Response, ServerHandle,
    Session, StatusCode, blocking,
};

/// What the loop promises of one turn: 1 MiB at most is read in it, in 16 rounds, 64 KiB at once where no body is expected.
const TURN_BYTES: u64 = 16 * READ_BYTES as u64;
const READ_BYTES: usize = 64 * 1024;
const MOST_TURNS_BETWEEN: u64 = 4;

// 1. One thread is one loop; a new client goes to the loop that has the fewest, and stays there.

/// Answers with the name of the loop's thread.
fn which_loop(_: &mut Request) -> String {
    thread::current().name().unwrap_or("?").to_owned()
}

fn count_by_loop(clients: &mut [Client<TcpStream>]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for client in clients {
        *counts.entry(client.get("/").text().to_owned()).or_default() += 1;
    }
    counts
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.map(|(name, count)| (name.to_owned(), count)).into()
}

#[test]
fn clients_that_come_one_by_one_are_spread_evenly() {
    let server = serve(local().loops(2), which_loop);
    let mut clients: Vec<_> = (0..20)
        .map(|_| {
            let mut client = server.connect();
            client.get("/");
            client
        })
        .collect();
    assert_eq!(count_by_loop(&mut clients), counts([("qibu loop 0", 10), ("qibu loop 1", 10)]));
}

#[test]
fn clients_that_come_at_once_are_spread_evenly() {
    let server = serve(local().loops(3), which_loop);
    let mut clients: Vec<_> = (0..60).map(|_| server.connect()).collect();
    assert_eq!(count_by_loop(&mut clients), counts([("qibu loop 0", 20), ("qibu loop 1", 20), ("qibu loop 2", 20)]));
}

/// A round-robin would give half of the new clients to the loop that is full.
#[test]
fn new_clients_go_where_others_have_left() {
    let server = serve(local().loops(2), which_loop);
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    let (_stay, leave): (Vec<_>, Vec<_>) = clients
        .drain(..)
        .map(|mut client| (client.get("/").text() == "qibu loop 0", client))
        .partition(|(is_first, _)| *is_first);
    drop(leave);
    server.until_connected(10);
    let mut newcomers: Vec<_> = (0..10).map(|_| server.connect()).collect();
    assert_eq!(count_by_loop(&mut newcomers), counts([("qibu loop 1", 10)]));
}

#[test]
fn a_client_never_changes_its_loop() {
    let server = serve(local().loops(2), which_loop);
    let mut clients: Vec<_> = (0..4).map(|_| server.connect()).collect();
    let homes: Vec<_> = clients.iter_mut().map(|client| client.get("/").text().to_owned()).collect();
    for _ in 0..25 {
        drop((0..4).map(|_| server.connect()).collect::<Vec<_>>()); // others come and go
        for (client, home) in clients.iter_mut().zip(&homes) {
            assert_eq!(client.get("/").text(), home);
        }
    }
}

// 2. Registered once, edge-triggered: readiness is remembered until `WouldBlock`. Back-pressure is not reading.

/// Holds up the loop of `server` until the gate opens, by asking for `/gate`: what others send meanwhile is all there
/// when the loop looks again, and comes as one event.
fn hold_loop(server: &Server, gate: &Gate) -> Client<TcpStream> {
    let mut holder = server.connect();
    holder.send(get("/gate"));
    gate.until_arrived(1);
    holder
}

/// Answers with the path; `/gate` waits at the gate first.
fn path_behind(gate: &Gate) -> impl Handler + use<> {
    let gate = gate.clone();
    move |request: &mut Request| {
        if request.path() == "/gate" {
            gate.pass();
        }
        request.path().to_owned()
    }
}

/// Caught: taking one read per event for all that there was.
#[test]
fn a_burst_larger_than_the_read_buffer_is_answered_to_its_end() {
    let gate = Gate::default();
    let server = serve(local(), path_behind(&gate));
    let mut client = server.connect();
    client.get("/first");
    let _holder = hold_loop(&server, &gate);
    let burst: String = (0..6000).map(|number| get(&format!("/{number}"))).collect();
    assert!(burst.len() > 3 * READ_BYTES);
    client.send(burst);
    gate.open();
    for number in 0..6000 {
        assert_eq!(client.answer().text(), format!("/{number}"));
    }
}

/// Caught: forgetting that an end stands behind the bytes of a short read, since no further edge will tell.
#[test]
fn a_request_that_comes_with_the_end_is_answered_and_the_end_is_seen() {
    let gate = Gate::default();
    let server = serve(local(), path_behind(&gate));
    let mut client = server.connect();
    client.get("/first");
    let mut holder = hold_loop(&server, &gate);
    client.send(get("/last")).finish();
    gate.open();
    assert_eq!(client.answer().text(), "/last");
    client.assert_end();
    holder.answer();
    for _ in 0..200 {
        let mut client = server.connect();
        client.send(get("/only")).finish();
        assert_eq!(client.answer().text(), "/only");
        client.assert_end();
    }
}

/// The server stops reading when its answers are not taken, and must take up both directions where it left them.
/// Caught: not asking the session again when the output is out, with requests still in the input.
#[test]
fn a_client_that_writes_long_before_it_reads_gets_every_answer() {
    const REQUESTS: usize = 60_000;
    let server = serve(local(), |request: &mut Request| format!("{}{}", request.path(), "!".repeat(300)));
    let client = server.connect();
    let mut socket = client.socket();
    let writer = thread::spawn(move || {
        for number in 0..REQUESTS {
            socket.write_all(get(&format!("/{number}")).as_bytes()).unwrap();
        }
    });
    // 20 MB of answers: more than the system keeps, so the writer cannot finish before somebody reads.
    let mut stuck_at = 0;
    eventually("the server stops reading", || {
        thread::sleep(Duration::from_millis(50));
        let received = server.handle().stats().received_bytes;
        std::mem::replace(&mut stuck_at, received) == received && received > 0
    });
    let mut client = client;
    for number in 0..REQUESTS {
        assert!(client.answer().text().starts_with(&format!("/{number}!")), "answer {number}");
    }
    writer.join().unwrap();
}

// 3. Drained is not done.

const LARGE: u64 = 256 * 1024 * 1024;

fn send_file(file: &MarkedFile) -> impl Handler + use<> {
    let (file, length) = (file.file.clone(), file.length);
    move |_: &mut Request| Response::new(StatusCode::OK).with_body(Body::file(file.clone(), 0..length))
}

/// Streams the bytes of a [`MarkedFile`] from a thread, in pieces of these sizes by turns.
fn stream_pieces(length: u64, sizes: &'static [usize]) -> impl Handler {
    move |_: &mut Request| {
        let (sender, body) = Body::channel(64 * 1024);
        thread::spawn(move || {
            for (number, at) in (0..length).step_by(1024 * 1024).enumerate() {
                let mut left = marked_piece(at, 1024 * 1024);
                while !left.is_empty() {
                    let rest = left.split_off(sizes[number % sizes.len()].min(left.len()));
                    if sender.send(std::mem::replace(&mut left, rest)).is_err() {
                        return;
                    }
                }
            }
        });
        Response::new(StatusCode::OK).with_body(body)
    }
}

fn assert_large_body_arrives(mut client: Client<TcpStream>) {
    let mut check = MarkCheck::default();
    let head = client.send(get("/")).head();
    client.body(&head, |piece| check.take(piece)).unwrap();
    assert_eq!(check.at, LARGE);
    client.send(get("/")).head(); // and the connection is good for more
}

#[test]
fn a_large_file_arrives_whole_at_a_slow_reader() {
    let server = serve(local(), send_file(&MarkedFile::new(LARGE)));
    assert_large_body_arrives(Client::with_small_window(server.local_addr(), 16 * 1024));
}

/// A reader that keeps up: the turn ends with the socket still writable, so no edge comes to go on.
/// Caught: waiting for an event after a turn that was cut short.
#[test]
fn a_large_file_arrives_whole_at_a_fast_reader() {
    let server = serve(local(), send_file(&MarkedFile::new(LARGE)));
    assert_large_body_arrives(server.connect());
}

/// Caught: not asking the session for more when the output ran empty and the socket stayed writable.
#[test]
fn a_large_stream_arrives_whole_at_a_slow_reader() {
    let server = serve(local(), stream_pieces(LARGE, &[256 * 1024]));
    assert_large_body_arrives(Client::with_small_window(server.local_addr(), 16 * 1024));
}

#[test]
fn a_large_stream_in_pieces_of_many_sizes_arrives_whole_at_a_fast_reader() {
    let server = serve(local(), stream_pieces(LARGE, &[1024 * 1024, 100_000, 4097, 4096, 65_536]));
    assert_large_body_arrives(server.connect());
}

// 4. A turn is bounded, and so is accepting.

/// The server does this now and then while it is flooded, so that the flood is always ahead of it: with nothing left to
/// read, every turn would end by itself.
const FALLING_BEHIND: Duration = Duration::from_millis(1);

/// A busy client: keeps writing `bytes` and throwing away what comes back, until told to stop.
struct Flood {
    is_over: Arc<AtomicBool>,
    client: Client<TcpStream>,
}

impl Flood {
    fn start(server: &Server, bytes: Vec<u8>) -> Self {
        let (is_over, client) = (Arc::new(AtomicBool::new(false)), server.connect());
        let (mut sink, mut source, told) = (client.socket(), client.socket(), is_over.clone());
        thread::spawn(move || io::copy(&mut source, &mut io::sink()));
        thread::spawn(move || while !told.load(Ordering::Relaxed) && sink.write_all(&bytes).is_ok() {});
        Self { is_over, client }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.client.socket().shutdown(std::net::Shutdown::Both);
    }
}

/// Between our request and its answer a few turns of the flooder go by: it can have two in the batch of events that is
/// on (one for the event, one from the ready list) and one in the next. In each round of a turn the session is asked twice: when bytes have come and when its output is out.
/// Caught: serving one client for as long as there is something; a pipeline without depth.
#[test]
fn a_flood_of_pipelined_requests_does_not_keep_others_from_being_served() {
    let flooded = Arc::new(AtomicU64::new(0));
    let count = flooded.clone();
    let builder = local().pipeline_depth(64).requests_per_connection(u64::MAX);
    let server = serve(builder, move |request: &mut Request| match request.path() {
        "/flood" => {
            let number = count.fetch_add(1, Ordering::Relaxed);
            if number.is_multiple_of(64) {
                thread::sleep(FALLING_BEHIND);
            }
            number.to_string()
        }
        _ => count.load(Ordering::Relaxed).to_string(),
    });
    let request = get("/flood");
    let most = MOST_TURNS_BETWEEN * (16 * 2 * 64);
    let mut client = server.connect();
    client.get("/");
    let _flood = Flood::start(&server, request.repeat(20_000).into());
    eventually("the flood has come", || flooded.load(Ordering::Relaxed) > most);
    for _ in 0..10 {
        client.send(get("/"));
        let before = flooded.load(Ordering::Relaxed);
        let between = client.answer().number() - before;
        assert!(between <= most, "{between} requests of another client were served first");
    }
}

/// Swallows bytes and counts them; a line that is `?` is answered with the count.
struct Swallow {
    swallowed: Arc<AtomicU64>,
}

impl Session for Swallow {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        let received = new_socket.recv();
        if received == b"?\n" {
            new_socket.send(format!("{}\n", self.swallowed.load(Ordering::Relaxed)).as_bytes());
        } else {
            self.swallowed.fetch_add(received.len() as u64, Ordering::Relaxed);
            thread::sleep(FALLING_BEHIND);
        }
        Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
    }
}

#[test]
fn a_flood_of_bytes_does_not_keep_others_from_being_served() {
    let swallowed = Arc::new(AtomicU64::new(0));
    let count = swallowed.clone();
    let server = serve_protocol(local(), move || Swallow { swallowed: count.clone() });
    let mut client = server.connect();
    let _flood = Flood::start(&server, vec![b'x'; 4 * 1024 * 1024]);
    eventually("the flood has come", || swallowed.load(Ordering::Relaxed) > 4 * TURN_BYTES);
    for _ in 0..20 {
        client.send("?\n");
        let before = swallowed.load(Ordering::Relaxed);
        let between = client.line().unwrap().unwrap().parse::<u64>().unwrap() - before;
        assert!(between <= MOST_TURNS_BETWEEN * TURN_BYTES, "{between} bytes of another client were served first");
    }
}

/// More clients than one turn accepts, all behind one edge of the listener.
/// Caught: not going on with accepting (the rest would wait for the next client to come).
#[test]
fn a_burst_of_clients_is_accepted_to_its_end() {
    let gate = Gate::default();
    let server = serve(local(), path_behind(&gate));
    let _holder = hold_loop(&server, &gate);
    let mut clients: Vec<_> = (0..150).map(|_| server.connect()).collect();
    gate.open();
    for (number, client) in clients.iter_mut().enumerate() {
        assert_eq!(client.get(&format!("/{number}")).text(), format!("/{number}"));
    }
}

/// Who is in goes before most of those at the door. Caught: accepting until nobody is left.
#[test]
fn a_burst_of_clients_does_not_keep_those_who_are_in_from_being_served() {
    let (gate, handle) = (Gate::default(), Arc::new(OnceLock::<ServerHandle>::new()));
    let (behind, own) = (path_behind(&gate), handle.clone());
    let server = serve(local(), move |request: &mut Request| match request.path() {
        "/connected" => Response::text(own.get().unwrap().stats().connections.to_string()),
        _ => behind.handle(request),
    });
    handle.set(server.handle()).unwrap();
    let mut client = server.connect();
    assert_eq!(client.get("/connected").number(), 1);
    let _holder = hold_loop(&server, &gate);
    let _burst: Vec<_> = (0..300).map(|_| server.connect()).collect();
    client.send(get("/connected")); // the listener was ready first
    gate.open();
    let connected = client.answer().number();
    assert!(connected <= 2 + 64, "{connected} clients were accepted first");
    server.until_connected(302);
}

#[test]
fn a_client_too_many_is_told_so_and_another_may_come_when_one_has_left() {
    let server = serve(local().max_connections(3), |_: &mut Request| "hello");
    let mut clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/").text(), "hello"));
    for _ in 0..3 {
        assert_eq!(server.connect().answer().status(), 503);
    }
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/").text(), "hello"));
    for _ in 0..5 {
        clients.remove(0);
        server.until_connected(2);
        clients.push(server.connect());
        assert_eq!(clients[2].get("/").text(), "hello");
    }
}

/// Its request lies unread in the system's buffer when it is turned away, which makes some systems answer with a reset.
#[test]
fn a_client_too_many_that_has_sent_its_request_can_read_why_it_is_turned_away() {
    let gate = Gate::default();
    let server = serve(local().max_connections(1), path_behind(&gate));
    let _holder = hold_loop(&server, &gate);
    let mut clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
    send_to_all(&mut clients, get("/"));
    gate.open();
    for client in &mut clients {
        assert_eq!(client.answer().status(), 503);
        client.assert_end();
    }
}

/// A handler that may block is none of the loop's business, however many of them there are.
#[test]
fn handlers_that_block_do_not_hold_up_the_loop() {
    let gate = Gate::default();
    let behind = path_behind(&gate);
    let slow = blocking(move |request: &mut Request| behind.handle(request));
    let server = serve(local().workers(4), Switch { slow });
    let mut blocked: Vec<_> = (0..4).map(|_| server.connect()).collect();
    send_to_all(&mut blocked, get("/gate"));
    gate.until_arrived(4);
    assert_eq!(server.connect().get("/quick").text(), "quick");
    gate.open();
    blocked.iter_mut().for_each(|client| assert_eq!(client.answer().text(), "/gate"));
}

/// `/gate` goes to the slow handler.
struct Switch<H> {
    slow: H,
}

impl<H: Handler> Handler for Switch<H> {
    fn handle(&self, request: &mut Request) -> Response {
        if request.path() == "/gate" { self.slow.handle(request) } else { Response::text("quick") }
    }

    fn plan(&self, request: &mut Request) -> Plan {
        if request.path() == "/gate" { self.slow.plan(request) } else { Plan::inline() }
    }
}

// 6. Every wait has a deadline; moving one later costs nothing.

const SOON: Duration = Duration::from_millis(200);

#[test]
fn an_idle_connection_is_closed() {
    let server = serve(local().idle_timeout(SOON), |_: &mut Request| "hello");
    server.connect().assert_end();
    let mut client = server.connect();
    assert_eq!(client.get("/").text(), "hello");
    client.assert_end();
    server.until_connected(0);
}

/// Caught: a timer that is not asked again whether its deadline still holds.
#[test]
fn a_connection_in_use_is_not_idle() {
    let server = serve(local().idle_timeout(Duration::from_secs(2)), |_: &mut Request| "hello");
    let (mut client, started) = (server.connect(), Instant::now());
    while started.elapsed() < Duration::from_secs(3) {
        assert_eq!(client.get("/").text(), "hello");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_head_that_does_not_come_to_an_end_gets_408() {
    let server = serve(local().head_timeout(SOON), |_: &mut Request| "hello");
    let mut client = server.connect();
    assert_eq!(client.send("GET / HTTP/1.1\r\nHost:").answer().status(), 408);
    client.assert_end();
}

/// One byte now and then moves nothing: the head has one deadline. Caught: a deadline that each byte moves on.
#[test]
fn a_head_that_trickles_gets_408() {
    let server = serve(local().head_timeout(Duration::from_secs(1)), |_: &mut Request| "hello");
    let (client, is_over) = (server.connect(), Arc::new(AtomicBool::new(false)));
    let (mut socket, told) = (client.socket(), is_over.clone());
    let trickle = thread::spawn(move || {
        let _ = socket.write_all(b"GET / HTTP/1.1\r\n");
        while !told.load(Ordering::Relaxed) && socket.write_all(b"a: b\r\n").is_ok() {
            thread::sleep(Duration::from_millis(300));
        }
    });
    let mut client = client;
    assert_eq!(client.answer().status(), 408);
    is_over.store(true, Ordering::Relaxed);
    trickle.join().unwrap();
}

#[test]
fn a_body_that_stops_coming_gets_408() {
    let server = serve(local().body_timeout(SOON), |_: &mut Request| "hello");
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf");
    assert_eq!(client.answer().status(), 408);
    client.assert_end();
}

#[test]
fn an_answer_that_never_comes_is_503() {
    let kept = Mutex::new(Vec::new());
    let server = serve(local().handler_timeout(SOON), move |request: &mut Request| {
        let (reply, pending) = request.later();
        kept.lock().unwrap().push(reply);
        pending
    });
    let mut client = server.connect();
    assert_eq!(client.get("/").status(), 503);
    client.assert_end();
}

#[test]
fn a_stream_that_stands_still_is_broken_off() {
    let kept = Mutex::new(Vec::new());
    let server = serve(local().handler_timeout(SOON), move |_: &mut Request| {
        let (sender, body) = Body::channel(1024);
        sender.try_send("beginning").unwrap();
        kept.lock().unwrap().push(sender);
        Response::text(body)
    });
    let mut client = server.connect();
    let head = client.send(get("/")).head();
    let mut body = Vec::new();
    let outcome = client.body(&head, |piece| body.extend_from_slice(piece));
    assert_eq!(body, b"beginning");
    assert!(outcome.is_err(), "a body that was broken off must not look complete");
    server.until_connected(0);
}

#[test]
fn a_client_that_reads_nothing_is_dropped() {
    let server = serve(local().write_timeout(SOON), send_file(&MarkedFile::new(LARGE)));
    let mut client = server.connect();
    client.send(get("/"));
    eventually("the server sends", || server.handle().stats().sent_bytes > 0);
    server.until_connected(0);
}

/// Reads the body with a pause after every so many bytes, for so long; then the rest as fast as it can.
fn assert_slow_reader_is_served(server: &Server, bytes: u64, pause: Duration, slow_for: Duration) {
    let mut client = Client::with_buffer(16 * 1024, server.connect().socket());
    let (started, mut check) = (Instant::now(), MarkCheck::default());
    let head = client.send(get("/")).head();
    let whole = client.body(&head, |piece| {
        let before = check.at / bytes;
        check.take(piece);
        if started.elapsed() < slow_for && check.at / bytes > before {
            thread::sleep(pause);
        }
    });
    whole.unwrap_or_else(|error| panic!("{error} after {:?} and {} bytes", started.elapsed(), check.at));
    assert_eq!(check.at, LARGE);
    assert!(started.elapsed() >= slow_for, "the reader was to be slow");
}

/// Caught: a write deadline that counts from the start of the answer.
#[test]
fn a_client_that_takes_long_is_not_dropped() {
    let server = serve(local().write_timeout(Duration::from_secs(2)), send_file(&MarkedFile::new(LARGE)));
    assert_slow_reader_is_served(&server, 1024 * 1024, Duration::from_millis(100), Duration::from_secs(4));
}

/// 320 kB a second, without a pause over 50 ms. Caught: taking it for a pause of the client that the system does not ask
/// for more before a third of its own buffer, which may hold megabytes, has been read.
#[test]
fn a_client_that_reads_slowly_but_steadily_is_not_dropped() {
    let server = serve(local().write_timeout(Duration::from_secs(2)), send_file(&MarkedFile::new(LARGE)));
    assert_slow_reader_is_served(&server, 16 * 1024, Duration::from_millis(50), Duration::from_secs(6));
}

// 7. Slots carry a generation.

/// Tells the test its address, and its client all notes.
struct Addressed {
    tell: mpsc::Sender<Address>,
}

impl Session for Addressed {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        if !new_socket.recv().is_empty() {
            self.tell.send(new_socket.address()).map_err(io::Error::other)?;
        }
        Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
    }

    fn on_note(&mut self, new_socket: &mut Connection, note: Note) -> io::Result<Next> {
        if let Note::Custom(text) = note {
            new_socket.send(text.downcast_ref::<String>().unwrap().as_bytes());
        }
        Ok(Next::Wait)
    }
}

/// Caught: notes that know the slot alone.
#[test]
fn a_note_for_a_client_that_has_gone_never_reaches_the_next() {
    let (tell, addresses) = mpsc::channel();
    let server = serve_protocol(local(), move || Addressed { tell: tell.clone() });
    let connect = || {
        let mut client = server.connect();
        client.send("hello\n");
        (client, addresses.recv_timeout(PATIENCE).unwrap())
    };
    let mut gone = Vec::new();
    for round in 0..100 {
        let (mut client, address) = connect();
        gone.iter().for_each(|address: &Address| address.send(format!("for another, before {round}\n")));
        address.send(format!("for {round}\n"));
        assert_eq!(client.line().unwrap(), Some(format!("for {round}")));
        gone.push(address);
        drop(client);
        server.until_connected(0); // so the next one gets the same slot
    }
}

/// The same with HTTP, where the late answer even has the number of the exchange for which the next client waits.
#[test]
fn a_reply_to_a_client_that_has_gone_never_reaches_the_next() {
    const SLOTS: usize = 10;
    let (tell, replies) = mpsc::channel();
    let server = serve(local().handler_timeout(Duration::from_millis(500)), move |request: &mut Request| {
        let (reply, pending) = request.later();
        tell.send(reply).unwrap();
        pending
    });
    let ask_all = || {
        let clients: Vec<_> = (0..SLOTS)
            .map(|_| {
                let mut client = server.connect();
                client.send(get("/"));
                client
            })
            .collect();
        let replies: Vec<Reply> = (0..SLOTS).map(|_| replies.recv_timeout(PATIENCE).unwrap()).collect();
        (clients, replies)
    };
    let mut reached = 0;
    for _ in 0..3 {
        let (mut old_clients, old_replies) = ask_all();
        old_clients.iter_mut().for_each(|client| assert_eq!(client.answer().status(), 503));
        drop(old_clients);
        server.until_connected(0);

        let (mut new_clients, new_replies) = ask_all();
        old_replies.into_iter().for_each(|reply| reply.send("for another"));
        new_replies.into_iter().for_each(|reply| reply.send("for you"));
        for client in &mut new_clients {
            let answer = client.answer();
            assert_ne!(answer.body, b"for another");
            reached += usize::from(answer.body == b"for you");
        }
        drop(new_clients);
        server.until_connected(0);
    }
    assert!(reached > 0, "all were too late for their own deadline: the test has shown nothing");
}

/// Slots are left and taken all the time, with resets, ends and pipelines in the same batches of events.
#[test]
fn in_a_coming_and_going_everyone_gets_their_own_answers() {
    let server = serve(local(), |request: &mut Request| request.path().to_owned());
    let address = server.local_addr();
    let visit = |visitor: usize| {
        for round in 0..60 {
            let (path, mut client) = (format!("/{visitor}/{round}"), Client::connect(address));
            match round % 4 {
                0 => {
                    client.send(get(&path)); // and leaves before the answer
                }
                1 => {
                    assert_eq!(client.send(get(&path).repeat(3)).answer().text(), path);
                    client.vanish();
                }
                2 => {
                    client.send("GET /ha");
                }
                _ => assert_eq!(client.get(&path).text(), path),
            }
        }
    };
    thread::scope(|scope| (0..8).for_each(|visitor| drop(scope.spawn(move || visit(visitor)))));
    server.until_connected(0);
}

// 8. Closing still sends, then half-closes and waits a moment.

#[test]
fn the_last_answer_arrives_whole_before_the_connection_ends() {
    let server = serve(local(), send_file(&MarkedFile::new(LARGE / 4)));
    let mut client = Client::with_small_window(server.local_addr(), 16 * 1024);
    let head = client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").head();
    let mut check = MarkCheck::default();
    client.body(&head, |piece| check.take(piece)).unwrap();
    assert_eq!(check.at, LARGE / 4);
    client.assert_end();
}

/// Takes no body: refuses some in its plan, others are over its limit.
struct TakesNoBody;

impl Handler for TakesNoBody {
    fn handle(&self, _: &mut Request) -> Response {
        Response::text("taken")
    }

    fn plan(&self, request: &mut Request) -> Plan {
        match request.path() {
            "/private" => Plan::refuse(Response::status_page(StatusCode::UNAUTHORIZED)),
            _ => Plan::inline().body_limit(1000),
        }
    }
}

/// The client writes all of its body before it reads: it must not find a reset where the answer was.
/// Caught: closing at once, which makes the system answer the body with a reset.
#[test]
fn a_client_that_is_refused_while_it_sends_can_read_why() {
    const BODY: usize = 8 * 1024 * 1024;
    let server = serve(local(), TakesNoBody);
    let (body, chunk) = (vec![b'b'; BODY], [b"10000\r\n", &[b'c'; 0x10000][..], b"\r\n"].concat());
    for (target, framing, body, status) in [
        ("/private", format!("Content-Length: {BODY}"), body.clone(), 401),
        ("/upload", format!("Content-Length: {BODY}"), body, 413),
        ("/upload", "Transfer-Encoding: chunked".into(), chunk.repeat(BODY / 0x10000), 413),
    ] {
        for _ in 0..5 {
            let mut client = server.connect();
            client.send(format!("POST {target} HTTP/1.1\r\nHost: test\r\n{framing}\r\n\r\n")).send(&body);
            assert_eq!(client.answer().status(), status);
            client.assert_end();
        }
    }
}

/// An answer that the system has taken but the client has not: it looks idle to us, and yet a reset would destroy what is
/// on its way. The client has asked again meanwhile, and the bytes of that request must not do it.
/// Caught: closing an idle connection at once.
fn assert_answer_on_its_way_survives(builder: Builder, close: impl FnOnce(&Server)) {
    const BODY: u64 = 200_000;
    let server = serve(builder, |_: &mut Request| "x".repeat(BODY as usize));
    let mut client = Client::with_small_window(server.local_addr(), 16 * 1024);
    client.send(get("/"));
    eventually("the system has taken the answer", || server.handle().stats().sent_bytes > BODY);
    close(&server);
    let _ = client.try_send(get("/"));
    let head = client.head();
    let mut arrived = 0;
    let outcome = client.body(&head, |piece| arrived += piece.len() as u64);
    assert_eq!(arrived, BODY, "bytes of the first answer: {outcome:?}");
}

#[test]
fn the_end_of_the_server_does_not_destroy_an_answer_on_its_way() {
    assert_answer_on_its_way_survives(local(), |server| {
        server.handle().shutdown();
        eventually("the door is shut", || TcpStream::connect(server.local_addr()).is_err());
    });
}

#[test]
fn the_end_of_an_idle_connection_does_not_destroy_an_answer_on_its_way() {
    assert_answer_on_its_way_survives(local().idle_timeout(SOON), |_| {
        thread::sleep(3 * SOON); // it is idle for longer than it may be
    });
}

/// The moment is bounded: neither silence nor bytes without end can make it longer.
#[test]
fn a_client_that_does_not_leave_is_dropped_after_a_moment() {
    let server = serve(local(), TakesNoBody);
    let refused = || {
        let mut client = server.connect();
        client.send("POST /private HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999999\r\n\r\n");
        assert_eq!(client.answer().status(), 401);
        client
    };
    let (_silent, talker) = (refused(), refused());
    let mut socket = talker.socket();
    let talking = thread::spawn(move || while socket.write_all(&[0; 4096]).is_ok() {});
    server.until_connected(0);
    talking.join().unwrap();
}

// 9. Nothing a peer sends can panic; a handler's panic is a 500 for that request alone.

/// Panics where the path says so.
struct Fragile;

impl Handler for Fragile {
    fn handle(&self, request: &mut Request) -> Response {
        assert_ne!(request.path(), "/handle", "on purpose");
        assert_ne!(request.path(), "/pool", "on purpose");
        if request.path() == "/later" {
            let (reply, pending) = request.later();
            thread::spawn(move || reply.send("later"));
            return pending;
        }
        Response::text("fine")
    }

    fn plan(&self, request: &mut Request) -> Plan {
        assert_ne!(request.path(), "/plan", "on purpose");
        if request.path() == "/pool" { Plan::pool() } else { Plan::inline() }
    }
}

#[test]
fn a_panic_of_a_handler_is_a_500_for_that_request_alone() {
    let server = serve(local(), Fragile);
    let (mut client, mut other) = (server.connect(), server.connect());
    for path in ["/handle", "/pool", "/plan"] {
        assert_eq!(client.get(path).status(), 500, "{path}");
        assert_eq!(client.get("/").text(), "fine", "on the same connection, after {path}");
        assert_eq!(other.get("/").text(), "fine", "on another connection, after {path}");
    }
    let mut answers = server.connect();
    answers.send([get("/"), get("/handle"), get("/"), get("/pool"), get("/")].concat());
    let statuses = [(); 5].map(|()| answers.answer().status());
    assert_eq!(statuses, [200, 500, 200, 500, 200], "in a pipeline, too");
}

/// A decorator's change runs when the answer comes: on the loop, and long after the handler was called.
#[test]
fn a_panic_of_a_change_to_a_late_answer_is_a_500_for_that_request_alone() {
    let breaks = |request: &mut Request, next: &dyn Handler| {
        let is_late = request.path() == "/later";
        next.handle(request).map(move |response| {
            assert!(!is_late, "on purpose");
            response
        })
    };
    let server = serve(local(), Fragile.with(breaks));
    let (mut client, mut other) = (server.connect(), server.connect());
    assert_eq!(other.get("/").text(), "fine");
    client.send(get("/later"));
    let answer = client.try_answer().ok().flatten().map(|answer| answer.status());
    assert_eq!(answer, Some(500));
    assert_eq!(other.get("/").text(), "fine");
}

/// Panics at the sight of an exclamation mark, else echoes.
struct FragileEcho;

impl Session for FragileEcho {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        let received = new_socket.recv();
        assert!(!received.contains(&b'!'), "on purpose");
        new_socket.send(&received);
        Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
    }
}

/// Whatever a session's panic may cost, there must be no server left that takes clients in and never serves them:
/// either the others go on, or the whole server ends with an error.
#[test]
fn a_panic_of_a_session_leaves_no_server_that_takes_clients_and_never_serves_them() {
    let server = serve_protocol(local().loops(2), || FragileEcho);
    let (mut first, mut second) = (server.connect(), server.connect()); // one on each loop
    for client in [&mut first, &mut second] {
        assert_eq!(client.send("hello\n").line().unwrap().as_deref(), Some("hello"));
    }
    second.send("hello!\n");
    let _ = second.rest(); // an end or a reset
    eventually("it is gone", || server.handle().stats().connections < 2);
    let mut newcomers = Vec::new();
    for number in 0..4 {
        if !server.handle().is_running() {
            break; // all of it has ended, which is fair
        }
        newcomers.push(server.connect());
        let echo = newcomers[number].send("hello\n").line();
        let is_served = echo.is_ok_and(|line| line.as_deref() == Some("hello"));
        assert!(
            is_served || !server.handle().is_running(),
            "client {number} after the panic was taken in and never served"
        );
    }
}

/// The same where the protocol cannot even open a session.
#[test]
fn a_panic_at_the_opening_of_a_session_costs_that_client_alone() {
    let opened = AtomicU64::new(0);
    let server = serve_protocol(local().loops(2), move || {
        assert!(!(2..6).contains(&opened.fetch_add(1, Ordering::Relaxed)), "on purpose");
        FragileEcho
    });
    let mut echoes = |client: &mut Client<TcpStream>| client.send("hello\n").line().ok().flatten().is_some();
    let mut clients = [server.connect(), server.connect()];
    assert!(clients.iter_mut().all(&mut echoes), "one on each loop");
    for _ in 0..4 {
        server.connect().assert_end();
    }
    assert!(clients.iter_mut().all(&mut echoes), "they are still served");
    let mut newcomers = [server.connect(), server.connect()];
    assert!(newcomers.iter_mut().all(&mut echoes), "and so are others");
}

/// Good requests with a few bytes changed: whatever the answers are, the server is there at the end.
#[test]
fn nothing_that_a_peer_sends_ends_the_server() {
    let server = serve(local().head_timeout(SOON).body_timeout(SOON), |request: &mut Request| {
        let _ = (request.headers().len(), request.text().map(str::len).unwrap_or_default(), request.query_string());
        format!("{request:?}")
    });
    let whole = b"POST /a%20b?c=d HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n\
        5;x=y\r\nhello\r\n0\r\nTrailer: t\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc";
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    for _ in 0..400 {
        let mut bytes = whole.to_vec();
        for _ in 0..=next(4) {
            let (at, value) = (next(bytes.len()), next(256));
            match next(3) {
                0 => bytes[at] = value as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"\r\n :;0fF\0\xff"[value % 10]),
            }
        }
        let mut client = server.connect();
        client.send(&bytes).finish();
        client.rest().map_or_else(|error| assert!(is_end(&error), "{error}"), drop);
    }
    assert!(server.handle().is_running());
    assert!(server.connect().get("/").text().starts_with("Request"));
    assert_eq!(server.handle().stats().answers[5], 0, "none of it was our fault: {:?}", server.handle().stats());
}

// 5 and 10, and the parts of 2 and 4 that show in a process's memory, time and descriptors.

#[cfg(target_os = "linux")]
mod process {
    //! Servers in a process of their own, seen from outside through /proc.

    use std::env;
    use std::io::{BufRead, BufReader};
    use std::process::{ChildStdin, Command, Stdio};

    use super::*;

    const ROLE: &str = "QIBU_TEST_SERVER";

    /// How a process of ours may be limited.
    enum Descriptors {
        AsManyAsAllowed,
        AtMost(usize),
    }

    /// A server in another process: this test binary again, running [`server_process`] alone.
    struct ServerProcess {
        process: std::process::Child,
        commands: ChildStdin,
        lines: mpsc::Receiver<String>,
        address: SocketAddr,
    }

    impl ServerProcess {
        fn start(role: &str, descriptors: &Descriptors) -> Self {
            let limit = match descriptors {
                Descriptors::AsManyAsAllowed => "$(ulimit -Hn)".to_owned(),
                Descriptors::AtMost(count) => count.to_string(),
            };
            let mut process = Command::new("sh")
                .args(["-c", &format!("ulimit -n {limit} && exec \"$0\" \"$@\"")])
                .arg(env::current_exe().unwrap())
                .args(["--exact", "process::server_process", "--ignored", "--nocapture", "--test-threads=1"])
                .env(ROLE, role)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let (commands, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
            let (tell, lines) = mpsc::channel();
            thread::spawn(move || {
                let ours =
                    output.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix('@').map(str::to_owned));
                ours.for_each(|line| drop(tell.send(line)));
            });
            let address = lines.recv_timeout(PATIENCE).expect("the process starts").parse().unwrap();
            Self { process, commands, lines, address }
        }

        fn connect(&self) -> Client<TcpStream> {
            Client::connect(self.address)
        }

        /// Asks the process for one of its figures.
        fn figure(&mut self, which: &str) -> u64 {
            writeln!(self.commands, "{which}").unwrap();
            self.lines.recv_timeout(PATIENCE).expect("the process answers").parse().unwrap()
        }

        fn until_connected(&mut self, is_enough: impl Fn(u64) -> bool) {
            eventually("enough clients are connected", || is_enough(self.figure("connections")));
        }

        /// Memory that the process itself has filled, in bytes.
        fn memory(&self) -> u64 {
            let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.process.id())).unwrap();
            let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
        }

        /// CPU time so far, in hundredths of a second.
        fn cpu_ticks(&self) -> u64 {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
            let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
            fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
        }
    }

    impl Drop for ServerProcess {
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    #[test]
    #[ignore = "the other process of the tests below; alone it does nothing"]
    fn server_process() {
        let Ok(role) = env::var(ROLE) else { return };
        log::set_logger(&EXHAUSTIONS).unwrap();
        log::set_max_level(log::LevelFilter::Info);
        let server = match &*role {
            "echo" => serve_protocol(local(), || Echo),
            _ => serve(local(), send_file_or_page()),
        };
        println!("\n@{}", server.local_addr());
        for command in io::stdin().lines().map_while(Result::ok) {
            match &*command {
                "connections" => println!("@{}", server.handle().stats().connections),
                "exhaustions" => println!("@{}", EXHAUSTIONS.0.load(Ordering::Relaxed)),
                _ => break,
            }
        }
        server.handle().abort();
    }

    /// Counts how often the log says that nobody can be accepted.
    struct Exhaustions(AtomicU64);

    static EXHAUSTIONS: Exhaustions = Exhaustions(AtomicU64::new(0));

    impl log::Log for Exhaustions {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            if record.level() == log::Level::Error && record.args().to_string().contains("accepted") {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }

        fn flush(&self) {}
    }

    fn send_file_or_page() -> impl Handler {
        let (file, page) = (send_file(&MarkedFile::new(LARGE)), "3000 bytes".repeat(300));
        move |request: &mut Request| match request.path() {
            "/file" => file.handle(request),
            _ => Response::text(page.clone()),
        }
    }

    /// The tutorial's: it never looks whether its output is full.
    struct Echo;

    impl Session for Echo {
        fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
            let received = new_socket.recv();
            new_socket.send(&received);
            Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
        }
    }

    fn files_allowed() -> usize {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX)
    }

    /// 64 descriptors, 150 clients. Caught: dying of it, trying again at once, saying so each time, and never accepting
    /// again.
    #[test]
    fn without_descriptors_the_server_waits_and_goes_on() {
        let mut server = ServerProcess::start("page", &Descriptors::AtMost(64));
        let mut clients: Vec<_> = (0..150).map(|_| server.connect()).collect();
        send_to_all(&mut clients, get("/"));
        server.until_connected(|count| count > 40);
        eventually("it has been said", || server.figure("exhaustions") > 0);

        let before = server.cpu_ticks();
        thread::sleep(Duration::from_secs(1)); // not for something to happen: in this second nothing may
        let spent = server.cpu_ticks() - before;
        assert!(spent <= 15, "{spent} hundredths of a second of work in a second without news: it spins");
        assert_eq!(server.figure("exhaustions"), 1, "it is said once");

        let mut waiting = clients.split_off(40);
        for client in &mut clients {
            client.answer();
            client.get("/"); // who is in is served
        }
        let last = waiting.split_off(80);
        drop((clients, waiting)); // some who were in, and some who gave up at the door
        for mut client in last {
            client.answer();
        }
        server.connect().get("/");
    }

    /// Each one who leaves makes room for one who waits; the lack is the same as before.
    #[test]
    fn a_lack_of_descriptors_is_said_once_however_many_come_and_go() {
        let mut server = ServerProcess::start("page", &Descriptors::AtMost(64));
        let mut clients: Vec<_> = (0..150).map(|_| server.connect()).collect();
        send_to_all(&mut clients, get("/"));
        eventually("it has been said", || server.figure("exhaustions") > 0);
        let room = server.figure("connections") as usize;
        for _ in 0..15 {
            clients.remove(0);
            clients[room - 1].answer(); // it was the first at the door
        }
        assert_eq!(server.figure("exhaustions"), 1);
    }

    /// Request heads of 2 KiB and answers of 3 KiB: a client that kept either buffer would be found out.
    #[test]
    fn an_idle_client_owns_no_buffer() {
        let count = 5000.min(files_allowed().saturating_sub(300) / 2);
        if count < 200 {
            return println!("skipped: only {} files may be open", files_allowed());
        }
        let mut server = ServerProcess::start("page", &Descriptors::AsManyAsAllowed);
        let request = format!("GET / HTTP/1.1\r\nHost: test\r\nCookie: {}\r\n\r\n", "c".repeat(2000));
        let ask = || {
            let mut client = server.connect();
            client.send(&request).answer();
            client.socket() // without the buffer
        };
        let mut idle: Vec<_> = (0..100).map(|_| ask()).collect(); // what is needed once is there
        let before = server.memory();
        idle.extend((0..count).map(|_| ask()));
        let each = server.memory().saturating_sub(before) / count as u64;
        assert!(each < 1024, "{each} bytes for an idle client");
        server.until_connected(|connected| connected == idle.len() as u64);
    }

    /// Caught: reading on while the answers are not taken; file bytes in memory; all files of a pipeline open at once.
    #[test]
    fn peers_that_send_and_never_read_cost_no_memory() {
        let (echo, pages) = (
            ServerProcess::start("echo", &Descriptors::AsManyAsAllowed),
            ServerProcess::start("page", &Descriptors::AsManyAsAllowed),
        );
        let pipeline = |target| get(target).repeat(2000).into_bytes();
        for (server, bytes) in [(&echo, vec![b'e'; 64 * 1024]), (&pages, pipeline("/file")), (&pages, pipeline("/"))] {
            server.connect().send(&bytes[..64]);
            let before = server.memory();
            let clients: Vec<_> = (0..4).map(|_| server.connect()).collect();
            thread::scope(|scope| {
                for client in &clients {
                    let (mut socket, bytes) = (client.socket(), &bytes);
                    scope.spawn(move || {
                        socket.set_write_timeout(Some(Duration::from_millis(700))).unwrap();
                        let sent =
                            (0..256 * 1024 * 1024).step_by(bytes.len()).find(|_| socket.write_all(bytes).is_err());
                        assert!(sent.is_some(), "256 MiB were taken from a peer that reads nothing");
                    });
                }
            });
            let growth = server.memory().saturating_sub(before);
            assert!(growth < 4 * 1024 * 1024, "{growth} bytes for 4 clients");
        }
    }

    /// How many packets with data the server has sent on its only connection, as `ss` tells; `None` without it.
    fn data_packets(server: &Server) -> Option<u64> {
        let filter = format!("sport = :{}", server.local_addr().port());
        let output = Command::new("ss").args(["-tin", "state", "established", &filter]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let value = |name| text.split_whitespace().find_map(|word: &str| word.strip_prefix(name)?.parse().ok());
        value("data_segs_out:").or_else(|| text.contains("segs_in:").then_some(0))
    }

    /// On a socket without delay each write is a packet of its own. Caught: head and body in two writes, an answer of a
    /// pipeline in its own, a file's head without `MSG_MORE`.
    #[test]
    fn what_belongs_together_leaves_in_one_write() {
        let file = MarkedFile::new(2000);
        let small = send_file(&file);
        let server = serve(local(), move |request: &mut Request| match request.path() {
            "/file" => small.handle(request),
            _ => Response::text("hello"),
        });
        for (what, requests, answers) in [
            ("a head and its small body", get("/"), 1),
            ("the answers to a pipeline", get("/").repeat(10), 10),
            ("a head and its small file", get("/file"), 1),
        ] {
            let mut client = server.connect();
            server.until_connected(1);
            let Some(before) = data_packets(&server) else {
                return println!("skipped: there is no `ss` that knows data_segs_out");
            };
            client.send(requests);
            (0..answers).for_each(|_| drop(client.answer()));
            assert_eq!(data_packets(&server).unwrap() - before, 1, "packets for {what}");
            drop(client);
            server.until_connected(0);
        }
    }
}
