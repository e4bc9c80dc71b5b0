//! What the examples share, so that each can show one thing: where to listen, and how to prove what it says.
//!
//! With `--self-test` an example listens on any free port, talks to itself as a client would, prints one line of what
//! that proved and ends with exit code 0; or it says what went wrong and ends with 1.
#![allow(dead_code)] // each example uses some of it

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, fmt, process};

use qibu::WebServer;

/// How long a self-test waits for its server.
const PATIENCE: Duration = Duration::from_secs(10);

/// The tutorial's port, or what `ADDRESS` says; any free one in a self-test.
pub(crate) fn address() -> String {
    let usual = if is_self_test() { "127.0.0.1:0" } else { "127.0.0.1:8090" };
    env::var("ADDRESS").unwrap_or_else(|_| usual.to_owned())
}

pub(crate) fn is_self_test() -> bool {
    env::args().any(|argument| argument == "--self-test")
}

/// Says where the server listens; or begins the self-test, on a thread, since the server needs this one. When the test
/// has passed, a `WebServer` is shut down, so that `start` returns; with a bare socket the program ends there and then.
/// Who stops its server before the self-test has ended joins that thread.
pub(crate) fn begin(
    server: &impl Server,
    self_test: fn(SocketAddr) -> io::Result<&'static str>,
) -> Option<JoinHandle<()>> {
    let (address, stop) = (server.address(), server.stopper());
    if !is_self_test() {
        println!("Listening on {address}. Ctrl-C stops.");
        return None;
    }
    Some(thread::spawn(move || match self_test(address) {
        Ok(proved) => {
            println!("{proved}");
            stop();
        }
        Err(error) => fail(error),
    }))
}

/// The last line of a server that ends by itself: the self-test may still have something to say, and ends the program.
pub(crate) fn end() {
    if is_self_test() {
        thread::sleep(PATIENCE);
        fail("it did not end");
    }
}

fn fail(why: impl fmt::Display) -> ! {
    eprintln!("the self-test failed: {why}");
    process::exit(1);
}

/// What listens: a `WebServer`, or a socket in an example without one.
pub(crate) trait Server {
    fn address(&self) -> SocketAddr;

    fn stopper(&self) -> Box<dyn FnOnce() + Send> {
        Box::new(|| process::exit(0))
    }
}

impl Server for WebServer {
    fn address(&self) -> SocketAddr {
        self.local_addr()
    }

    fn stopper(&self) -> Box<dyn FnOnce() + Send> {
        let handle = self.handle();
        Box::new(move || handle.shutdown())
    }
}

impl Server for TcpListener {
    fn address(&self) -> SocketAddr {
        self.local_addr().expect("it is bound")
    }
}

impl Server for UdpSocket {
    fn address(&self) -> SocketAddr {
        self.local_addr().expect("it is bound")
    }
}

impl Server for mio::net::TcpListener {
    fn address(&self) -> SocketAddr {
        self.local_addr().expect("it is bound")
    }
}

/// Connects, and sends this.
pub(crate) fn send(address: SocketAddr, bytes: impl AsRef<[u8]>) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(bytes.as_ref())?;
    Ok(stream)
}

/// Sends this and nothing more, and takes all that comes back.
pub(crate) fn talk(address: SocketAddr, bytes: impl AsRef<[u8]>) -> io::Result<String> {
    let stream = send(address, bytes)?;
    stream.shutdown(Shutdown::Write)?;
    read_all(stream)
}

/// Asks for a path over HTTP, with fields such as `"Range: bytes=0-1\r\n"`, and takes the whole answer.
pub(crate) fn get(address: SocketAddr, path: &str, fields: &str) -> io::Result<String> {
    read_all(send(address, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n"))?)
}

/// Sends a body to a path over HTTP, with fields such as `"Cookie: a=b\r\n"`, and takes the whole answer.
pub(crate) fn post(address: SocketAddr, path: &str, fields: &str, body: &str) -> io::Result<String> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n"
    );
    read_all(send(address, head + body)?)
}

/// Ends a connection with a reset instead of the usual farewell.
pub(crate) fn break_off(stream: TcpStream) -> io::Result<()> {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))
}

/// Reads until this has come, byte by byte, so that what comes after it is left.
pub(crate) fn wait_for(mut stream: &TcpStream, text: &str) -> io::Result<()> {
    let mut received = Vec::new();
    while !received.ends_with(text.as_bytes()) {
        let mut byte = [0];
        expect(stream.read(&mut byte)? == 1, format_args!("{text:?} comes"), String::from_utf8_lossy(&received))?;
        received.push(byte[0]);
    }
    Ok(())
}

pub(crate) fn read_all(mut stream: TcpStream) -> io::Result<String> {
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// What a self-test is made of.
pub(crate) fn expect(is_true: bool, claim: impl fmt::Display, got: impl fmt::Debug) -> io::Result<()> {
    if is_true { Ok(()) } else { Err(io::Error::other(format!("not so: {claim}; got {got:?}"))) }
}

/// Log lines go to the terminal, or to [`logged`] in a self-test. A program of your own would take `env_logger`.
pub(crate) fn start_log() {
    log::set_logger(&Lines).expect("it is called once");
    log::set_max_level(log::LevelFilter::Info);
}

pub(crate) fn logged() -> String {
    LINES.lock().expect("nobody panics with it").clone()
}

/// Waits for a line with that in it, in a self-test.
pub(crate) fn wait_until_logged(text: &str) {
    let mut lines = LINES.lock().expect("nobody panics with it");
    while !lines.contains(text) {
        lines = NEWS.wait(lines).expect("nobody panics with it");
    }
}

static LINES: Mutex<String> = Mutex::new(String::new());
static NEWS: Condvar = Condvar::new();

struct Lines;

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if is_self_test() {
            LINES.lock().expect("nobody panics with it").push_str(&format!("{}\n", record.args()));
            NEWS.notify_all();
        } else {
            eprintln!("{}", record.args());
        }
    }

    fn flush(&self) {}
}
