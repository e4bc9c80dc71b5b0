//! A handler that blocks: first the warning, then `blocking(..)`.
//!
//! Type:  cargo run --example 25_blocking
//! and in a second terminal:  curl http://127.0.0.1:8090/held & sleep 0.3; curl http://127.0.0.1:8090/
//!
//! You will see both answers after a second, although the second has nothing to wait for: there is one event loop here, and
//! the first has held it. In the first terminal a warning names the handler. Now ask for /blocking in place of /held: that
//! is the same function, but it runs on a thread of the worker pool, and the second answer comes at once.
//!
//! Next: 26_answer_later, for answers that need no thread while they are waited for.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use qibu::{Request, Router, WebServer, blocking};

mod support;

const A_WHILE: Duration = Duration::from_secs(1);

/// It calls something that blocks: a database, say.
fn ask_database(request: &mut Request) -> &'static str {
    log::info!("{} asks the database", request.path());
    thread::sleep(A_WHILE);
    "the database has answered\n"
}

fn app() -> Router {
    Router::new()
        .get("/", |_| "at once\n")
        .get("/held", ask_database) // on the event loop: the mistake
        .route("GET /blocking", blocking(ask_database)) // on the worker pool: the cure
}

fn main() -> io::Result<()> {
    support::start_log();
    let server = WebServer::builder().addr(support::address()).loops(1).build(app())?;
    support::begin(&server, self_test);
    server.start()
}

/// Asks for something slow; while that runs, for something quick. Has the slow answer come by then?
fn was_answered_first(address: SocketAddr, slow_path: &str) -> io::Result<(bool, TcpStream)> {
    let slow = support::send(address, format!("GET {slow_path} HTTP/1.0\r\n\r\n"))?;
    support::wait_until_logged(&format!("{slow_path} asks the database"));
    let quick = support::get(address, "/", "")?;
    support::expect(quick.ends_with("at once\n"), "the quick one is answered", &quick)?;
    slow.set_nonblocking(true)?;
    let was_first = slow.peek(&mut [0]).is_ok();
    slow.set_nonblocking(false)?;
    Ok((was_first, slow))
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let (was_first, _) = was_answered_first(address, "/held")?;
    let log = support::logged();
    support::expect(was_first, "a handler that blocks the loop holds everybody", was_first)?;
    let warning = "the handler of GET /held (route /held) held ";
    support::expect(log.contains(warning) && log.contains("wrap it in blocking(..)"), "a warning names it", &log)?;
    let (was_first, slow) = was_answered_first(address, "/blocking")?;
    support::expect(!was_first, "on the worker pool it holds nobody", was_first)?;
    let answer = support::read_all(slow)?;
    support::expect(answer.ends_with("the database has answered\n"), "and is answered in the end", &answer)?;
    let log = support::logged();
    support::expect(!log.contains("GET /blocking"), "no warning names it", &log)?;
    Ok("25_blocking: one handler held the loop and was named in a warning; blocking(..) gave the loop back")
}
