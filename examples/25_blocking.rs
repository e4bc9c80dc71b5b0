//! Answers that take a while, without making anybody else wait.
//!
//! Type:  cargo run --example 25_blocking
//! and in a second terminal:  curl http://127.0.0.1:8090/blocking & curl http://127.0.0.1:8090/later & curl http://127.0.0.1:8090/
//!
//! You will see the third answer at once and the others a second later, although there is one event loop only:
//! /blocking sleeps on a thread of the worker pool, and /later has been put off: no thread of the server waits for it.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use qibu::{Blocking, Handler, Plan, Request, Response, WebServer, blocking};

mod support;

const A_WHILE: Duration = Duration::from_secs(1);

/// It calls something that blocks: a database, say.
fn ask_database(_: &mut Request) -> &'static str {
    thread::sleep(A_WHILE);
    "the database has answered\n"
}

/// It gives the right to answer away, to whoever will know the answer.
fn ask_later(request: &mut Request) -> Response {
    let (reply, pending) = request.later();
    thread::spawn(move || {
        thread::sleep(A_WHILE);
        reply.send("somebody has answered\n");
    });
    pending
}

/// A handler that is made of handlers. What is asked first is the plan, and it decides where `handle` will run.
struct Office<H> {
    database: Blocking<H>,
}

impl<H: Handler> Handler for Office<H> {
    fn plan(&self, request: &mut Request) -> Plan {
        if request.path() == "/blocking" { self.database.plan(request) } else { Plan::inline() }
    }

    fn handle(&self, request: &mut Request) -> Response {
        match request.path() {
            "/blocking" => self.database.handle(request),
            "/later" => ask_later(request),
            _ => Response::text("at once\n"),
        }
    }
}

fn main() -> io::Result<()> {
    let office = Office { database: blocking(ask_database) };
    let server = WebServer::builder().addr(support::address()).loops(1).build(office)?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let ask = |path: &str| support::send(address, format!("GET {path} HTTP/1.0\r\n\r\n"));
    let (database, later) = (ask("/blocking")?, ask("/later")?);
    let at_once = support::get(address, "/", "")?;
    support::expect(at_once.ends_with("at once\n"), "the loop is free", &at_once)?;
    for slow in [&database, &later] {
        slow.set_nonblocking(true)?;
        let early = slow.peek(&mut [0]);
        support::expect(early.is_err(), "the slow ones are still at it", &early)?;
        slow.set_nonblocking(false)?;
    }
    let answers = support::read_all(database)? + &support::read_all(later)?;
    support::expect(answers.matches("has answered\n").count() == 2, "they answer in the end", &answers)?;
    Ok("25_blocking: one loop answered a third client while two answers were being worked on")
}
