//! An answer that comes later, from another thread or another request: a bell that many wait for.
//!
//! Type:  cargo run --example 26_answer_later
//! and in two more terminals:  curl http://127.0.0.1:8090/wait
//! and in one more:  curl -X POST http://127.0.0.1:8090/ring
//!
//! You will see the first two wait, for as long as nobody rings, and then both answered. While they wait they cost no thread
//! and no loop: what waits is a `Reply`, the right to answer, and any thread may use it. Browsers call this a long poll.
//!
//! Next: 27_stream, for an answer whose beginning is there before its end.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use qibu::{Reply, Request, Response, Router, WebServer, method};

mod support;

#[derive(Default)]
struct Bell {
    waiting: Mutex<Vec<Reply>>,
}

impl Bell {
    /// Gives the right to answer to whoever will ring. A `Reply` that is dropped unsent would be a 500.
    fn wait(&self, request: &mut Request) -> Response {
        let (reply, pending) = request.later();
        self.waiting.lock().expect("no handler panics with it").push(reply);
        pending
    }

    fn ring(&self, _: &mut Request) -> String {
        let waiting = mem::take(&mut *self.waiting.lock().expect("no handler panics with it"));
        let heard = waiting.len();
        waiting.into_iter().for_each(|reply| reply.send("it rings\n")); // who has gone does not hear it
        format!("{heard} have waited\n")
    }

    fn count(&self, _: &mut Request) -> String {
        format!("{} wait\n", self.waiting.lock().expect("no handler panics with it").len())
    }
}

fn main() -> io::Result<()> {
    let bell = Arc::new(Bell::default());
    let app = Router::new()
        .get("/", method(&bell, Bell::count))
        .get("/wait", method(&bell, Bell::wait))
        .post("/ring", method(&bell, Bell::ring));
    let server = WebServer::builder().addr(support::address()).loops(1).build(app)?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let ask = || support::send(address, "GET /wait HTTP/1.0\r\n\r\n");
    let waiting = [ask()?, ask()?];
    while !support::get(address, "/", "")?.ends_with("\r\n\r\n2 wait\n") {} // the one loop answers others meanwhile
    for client in &waiting {
        client.set_nonblocking(true)?;
        let early = client.peek(&mut [0]);
        support::expect(early.is_err(), "nothing comes before it rings", &early)?;
        client.set_nonblocking(false)?;
    }
    let rung = support::post(address, "/ring", "", "")?;
    support::expect(rung.ends_with("2 have waited\n"), "who rings hears how many", &rung)?;
    for client in waiting {
        let answer = support::read_all(client)?;
        support::expect(answer.ends_with("\r\n\r\nit rings\n"), "everyone hears it", &answer)?;
    }
    Ok("26_answer_later: two clients waited without a thread, and a third request answered both")
}
