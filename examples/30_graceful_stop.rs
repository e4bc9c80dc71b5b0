//! Ctrl-C while somebody is being answered: who is in is served, nobody else comes in, then the program ends.
//!
//! Type:  cargo run --example 30_graceful_stop
//! and in a second terminal:  curl -i http://127.0.0.1:8090/
//! and within three seconds press Ctrl-C in the first.
//!
//! You will see curl get its answer all the same, and the program end after it. Press Ctrl-C twice, and it does not wait.
//! The library takes no signal by itself, since they belong to the whole program: this one has a thread that waits for them
//! and steers the server by its handle, as a button or a test would.
//!
//! Next: 31_testing.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use qibu::{Request, ServerHandle, WebServer, blocking};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

mod support;

fn slow(_: &mut Request) -> &'static str {
    log::info!("a slow answer begins");
    thread::sleep(Duration::from_secs(3));
    "it took a while\n"
}

/// The first signal lets answers finish, for 30 seconds at most; the second ends at once.
fn watch_signals(server: ServerHandle) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        let mut signals = signals.forever();
        signals.next();
        server.shutdown();
        signals.next();
        server.abort();
    });
    Ok(())
}

fn main() -> io::Result<()> {
    support::start_log();
    let server = WebServer::new(support::address(), blocking(slow))?;
    watch_signals(server.handle())?;
    let test = support::begin(&server, self_test);
    server.start()?;
    test.map(JoinHandle::join);
    println!("Everybody has been answered.");
    Ok(())
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let idle = support::send(address, "\r\n")?; // no request yet; but who says nothing, Linux brings in a second later
    let running = support::send(address, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    support::wait_until_logged("a slow answer begins");
    signal_hook::low_level::raise(SIGINT)?; // what Ctrl-C does

    while TcpStream::connect(address).is_ok() {} // those who were still at the door
    let said = support::read_all(idle)?;
    support::expect(said.is_empty(), "who asks nothing is sent away", &said)?;
    running.set_nonblocking(true)?;
    let early = running.peek(&mut [0]);
    support::expect(early.is_err(), "the slow answer still runs", &early)?;
    running.set_nonblocking(false)?;
    let answer = support::read_all(running)?;
    support::expect(answer.starts_with("HTTP/1.1 200 OK\r\n"), "who was being answered is answered", &answer)?;
    support::expect(answer.contains("\r\nconnection: close\r\n"), "and told that it is the last", &answer)?;
    support::expect(answer.ends_with("it took a while\n"), "to the end", &answer)?;
    Ok("30_graceful_stop: after SIGINT nobody came in, who was idle was sent away, who was being answered was answered")
}
