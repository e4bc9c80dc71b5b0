//! Code of the user that panics on a loop, besides handlers (contract 9 of `src/server/mod.rs`): it costs its own client the
//! connection, and nobody else anything. And where a loop itself cannot go on, the whole server ends, and says so.

mod common;

use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use common::{Client, Server, end_of, eventually, is_end, local, serve_protocol};
use qibu::{Address, Connection, Next, Note, Protocol, ServerHandle, Session};

/// Each method of a session, and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weakness {
    HandleClientRequest,
    OnDrained,
    OnNote,
    OnDeadline,
    OnShutdown,
    Deadline,
    WantsInput,
    ExpectedBytes,
    /// The first call of the session that another becomes.
    Become,
    Drop,
}

const WEAKNESSES: [Weakness; 10] = [
    Weakness::HandleClientRequest,
    Weakness::OnDrained,
    Weakness::OnNote,
    Weakness::OnDeadline,
    Weakness::OnShutdown,
    Weakness::Deadline,
    Weakness::WantsInput,
    Weakness::ExpectedBytes,
    Weakness::Become,
    Weakness::Drop,
];

/// Echoes, until it is told `!`: then it has its weakness.
struct Fragile {
    weakness: Weakness,
    is_struck: Cell<bool>,
    now: Option<Instant>,
}

impl Fragile {
    fn new(weakness: Weakness) -> Self {
        Self { weakness, is_struck: Cell::new(false), now: None }
    }

    fn check(&self, place: Weakness) {
        let is_here = self.is_struck.get() && self.weakness == place;
        if is_here && place == Weakness::Drop {
            self.is_struck.set(false);
        }
        assert!(!is_here, "on purpose: {place:?}");
    }
}

impl Session for Fragile {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        let received = new_socket.recv();
        self.is_struck.set(self.is_struck.get() || received.contains(&b'!'));
        self.check(Weakness::HandleClientRequest);
        new_socket.send(&received);
        self.now = Some(new_socket.now());
        if self.is_struck.get() && self.weakness == Weakness::OnNote {
            new_socket.address().send(());
        }
        if self.is_struck.get() && self.weakness == Weakness::Become {
            let next = Self::new(Weakness::HandleClientRequest);
            next.is_struck.set(true);
            return Ok(Next::Become(Box::new(next)));
        }
        Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
    }

    fn on_drained(&mut self, _: &mut Connection) -> io::Result<Next> {
        self.check(Weakness::OnDrained);
        Ok(Next::Wait)
    }

    fn on_note(&mut self, _: &mut Connection, _: Note) -> io::Result<Next> {
        self.check(Weakness::OnNote);
        Ok(Next::Wait)
    }

    fn on_deadline(&mut self, _: &mut Connection) -> io::Result<Next> {
        self.check(Weakness::OnDeadline);
        Ok(Next::Close)
    }

    fn on_shutdown(&mut self, _: &mut Connection) -> io::Result<Next> {
        self.check(Weakness::OnShutdown);
        Ok(Next::Close)
    }

    fn deadline(&self) -> Option<Instant> {
        self.check(Weakness::Deadline);
        self.now.filter(|_| self.is_struck.get() && self.weakness == Weakness::OnDeadline)
    }

    fn wants_input(&self) -> bool {
        self.check(Weakness::WantsInput);
        true
    }

    fn expected_bytes(&self) -> u64 {
        self.check(Weakness::ExpectedBytes);
        0
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.check(Weakness::Drop);
    }
}

fn is_served(client: &mut Client<TcpStream>) -> bool {
    client.try_send("hello\n").is_ok() && client.line().is_ok_and(|line| line.as_deref() == Some("hello"))
}

/// One on each of two loops.
fn pair(server: &Server) -> [Client<TcpStream>; 2] {
    let mut pair = [server.connect(), server.connect()];
    assert!(pair.iter_mut().all(is_served));
    pair
}

/// Makes its session panic, and waits for the end of the connection.
fn strike(mut client: Client<TcpStream>) {
    let _ = client.try_send("!\n");
    let _ = client.line().map(|_| client.try_send("and more\n")); // some methods are called when more comes
    let _ = client.socket().shutdown(std::net::Shutdown::Write);
    client.rest().map_or_else(|error| assert!(is_end(&error), "{error}"), drop);
}

#[test]
fn a_session_that_panics_in_any_method_costs_its_own_client_the_connection() {
    for weakness in WEAKNESSES.into_iter().filter(|weakness| *weakness != Weakness::OnShutdown) {
        let server = serve_protocol(local().loops(2), move || Fragile::new(weakness));
        let mut others = pair(&server);
        pair(&server).into_iter().for_each(strike);
        eventually(&format!("they are gone ({weakness:?})"), || server.handle().stats().connections == 2);
        assert!(others.iter_mut().all(is_served), "the others of both loops are still served ({weakness:?})");
        assert!(pair(&server).iter_mut().all(is_served), "and so are new ones");
        assert!(server.handle().is_running());
    }
}

#[test]
fn a_server_whose_sessions_panic_at_its_end_ends_well() {
    for weakness in [Weakness::OnShutdown, Weakness::Drop] {
        for (name, end) in [("shutdown", ServerHandle::shutdown as fn(&ServerHandle)), ("abort", ServerHandle::abort)] {
            let running = local().loops(2).build_protocol(move || Fragile::new(weakness)).unwrap().spawn().unwrap();
            let mut clients = [(); 6].map(|()| Client::connect(running.local_addr()));
            for client in &mut clients {
                assert_eq!(client.send("!\n").line().unwrap().as_deref(), Some("!"));
            }
            let handle = running.handle();
            end(&handle);
            end_of(running).unwrap_or_else(|error| panic!("{weakness:?}, {name}: {error}"));
            assert!(!handle.is_running());
        }
    }
}

/// A protocol that cannot say what it should.
struct Speechless;

impl Protocol for Speechless {
    fn open(&self, _: &mut Connection) -> io::Result<Box<dyn Session>> {
        Ok(Box::new(Fragile::new(Weakness::OnShutdown)))
    }

    fn overloaded(&self) -> &[u8] {
        panic!("on purpose")
    }
}

#[test]
fn a_protocol_that_panics_before_one_client_too_many_costs_that_client_alone() {
    let server = serve_protocol(local().max_connections(1), Speechless);
    let mut first = server.connect();
    assert!(is_served(&mut first));
    server.connect().assert_end();
    assert!(is_served(&mut first));
}

/// A note that nobody wants, since its client has gone, and that panics when it is dropped.
struct Thorn(Arc<AtomicUsize>);

impl Drop for Thorn {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("on purpose");
    }
}

/// Tells the test where to reach it, and leaves.
struct Brief(mpsc::Sender<Address>);

impl Session for Brief {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        new_socket.recv();
        let _ = self.0.send(new_socket.address());
        Ok(Next::Close)
    }
}

#[test]
fn a_note_that_comes_too_late_and_panics_costs_nobody_anything() {
    let (tell, told) = mpsc::channel();
    let server = serve_protocol(local(), move || Brief(tell.clone()));
    server.connect().send("!").assert_end();
    server.until_connected(0);
    let dropped = Arc::new(AtomicUsize::new(0));
    told.recv().unwrap().send(Thorn(dropped.clone()));
    eventually("the note was dropped", || dropped.load(Ordering::SeqCst) == 1);
    server.connect().send("!").assert_end();
    assert!(server.handle().is_running());
}

/// A log that breaks the second loop: nothing contains a panic there, since no client is to blame.
struct TouchyLog;

impl log::Log for TouchyLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let is_it = thread::current().name() == Some("qibu loop 1") && record.args().to_string().contains("touchy");
        assert!(!is_it, "on purpose: a log that panics");
    }

    fn flush(&self) {}
}

/// Opens no session on the second loop, which the loop says in the log.
struct OnTheFirstLoop;

impl Protocol for OnTheFirstLoop {
    fn open(&self, _: &mut Connection) -> io::Result<Box<dyn Session>> {
        match thread::current().name() {
            Some("qibu loop 1") => Err(io::Error::other("touchy")),
            _ => Ok(Box::new(Fragile::new(Weakness::OnShutdown))),
        }
    }
}

/// A server that went on with half of its loops would take in clients that nobody serves.
#[test]
fn a_loop_that_panics_ends_the_whole_server_with_an_error() {
    log::set_logger(&TouchyLog).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let running = local().loops(2).build_protocol(OnTheFirstLoop).unwrap().spawn().unwrap();
    let (handle, address) = (running.handle(), running.local_addr());
    let mut first = Client::connect(address);
    assert!(is_served(&mut first));
    let _second = Client::connect(address);
    let error = end_of(running).expect_err("a loop has panicked");
    assert!(error.to_string().contains("panicked"), "{error}");
    assert!(!handle.is_running());
    assert!(!is_served(&mut first), "the other loop has ended, too");
    assert!(TcpStream::connect(address).is_err(), "and nobody is at the door");
}
