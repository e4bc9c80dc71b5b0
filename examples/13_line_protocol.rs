//! A protocol of our own, with two states: a small store of keys and values, for who knows the password.
//!
//! Type:  cargo run --example 13_line_protocol
//! and in a second terminal:  nc 127.0.0.1 8090    (or telnet 127.0.0.1 8090)
//! `SET city Beijing` is answered with `? AUTH first`. Say `AUTH qibu`, which is answered with `+`, and try again.
//! `GET city` now says `+ Beijing`, to all clients. A stranger and a client who is known are two sessions, and
//! `Next::Become` leads from one to the other (the State pattern): no command asks `if is_known`. Next: 14_blocking_threads.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use qibu::{Connection, Next, Session, WebServer};

mod support;

type Store = Arc<Mutex<HashMap<String, String>>>;

struct Stranger(Store);

impl Session for Stranger {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        while let Some(line) = next_line(new_socket) {
            if line == "AUTH qibu" {
                new_socket.send(b"+\n");
                return Ok(Next::Become(Box::new(Known(self.0.clone())))); // it is called at once with what is left
            }
            new_socket.send(b"? AUTH first\n");
        }
        Ok(wait_or_close(new_socket))
    }
}

struct Known(Store);

impl Session for Known {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        while let Some(line) = next_line(new_socket) {
            let mut store = self.0.lock().expect("nobody panics with it");
            let answer = match line.splitn(3, ' ').collect::<Vec<_>>()[..] {
                ["SET", key, value] => store.insert(key.into(), value.into()).map_or("+".into(), |_| "+ again".into()),
                ["GET", key] => store.get(key).map_or("-".into(), |value| format!("+ {value}")),
                ["DEL", key] => store.remove(key).map_or("-".into(), |old| format!("+ was {old}")),
                _ => "? SET key value, GET key, DEL key".into(),
            };
            new_socket.send(format!("{answer}\n").as_bytes());
        }
        Ok(wait_or_close(new_socket))
    }
}

/// A whole line, if one has arrived. What has no end yet stays in the input.
fn next_line(new_socket: &mut Connection) -> Option<String> {
    let length = new_socket.input().iter().position(|byte| *byte == b'\n')?;
    let line = String::from_utf8_lossy(&new_socket.input()[..length]).trim_end().to_owned();
    new_socket.consume(length + 1);
    Some(line)
}

fn wait_or_close(new_socket: &Connection) -> Next {
    let is_too_long = new_socket.input().len() > 1000; // bytes, and no end yet
    if new_socket.is_eof() || is_too_long { Next::Close } else { Next::Wait }
}

fn main() -> io::Result<()> {
    let store = Store::default();
    let server = WebServer::with_protocol(support::address(), move || Stranger(store.clone()))?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let answers = support::talk(address, "SET city Beijing\nAUTH qibu\nGET city\nSET city Beijing\n")?;
    support::expect(answers == "? AUTH first\n+\n-\n+\n", "commands come after AUTH", answers)?;
    let answers = support::talk(address, "AUTH qibu\nGET city\n")?;
    support::expect(answers == "+\n+ Beijing\n", "all share the store", answers)?;
    Ok("13_line_protocol: a stranger was refused; who was known was obeyed, and another client saw what was set")
}
