//! A chat room over plain TCP: what one client says, all others hear.
//!
//! Type:  cargo run --example 12_room
//! and in two more terminals:  nc 127.0.0.1 8090    (or telnet 127.0.0.1 8090)
//! Type a line in one of them, and you will see it in the other. No client has a thread. To reach the others, a session
//! posts a note to their addresses; that wakes their event loops, and each gives it to its client's session. Next: 13_line_protocol.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use qibu::{Address, Connection, Next, Note, Protocol, Session, WebServer};

mod support;

#[derive(Default, Clone)]
struct Room(Arc<Mutex<HashMap<SocketAddr, Address>>>);

impl Room {
    fn say(&self, who: SocketAddr, what: &str) {
        let line: Arc<str> = format!("{}: {what}\n", who.port()).into(); // made once for all
        let guests = self.0.lock().expect("nobody panics with it");
        guests.iter().filter(|(guest, _)| **guest != who).for_each(|(_, address)| address.send(line.clone()));
    }
}

impl Protocol for Room {
    fn open(&self, new_socket: &mut Connection) -> io::Result<Box<dyn Session>> {
        let ip_port = new_socket.peer_addr();
        self.0.lock().expect("nobody panics with it").insert(ip_port, new_socket.address());
        self.say(ip_port, "(has come)");
        new_socket.send(format!("You are {}.\n", ip_port.port()).as_bytes());
        Ok(Box::new(Guest(self.clone(), ip_port)))
    }
}

struct Guest(Room, SocketAddr);

impl Session for Guest {
    fn handle_client_request(&mut self, new_socket: &mut Connection, ip_port: SocketAddr) -> io::Result<Next> {
        while let Some(length) = new_socket.input().iter().position(|byte| *byte == b'\n') {
            self.0.say(ip_port, String::from_utf8_lossy(&new_socket.input()[..length]).trim_end());
            new_socket.consume(length + 1);
        }
        let is_over = new_socket.is_eof() || new_socket.input().len() > 1000; // bytes of a line without an end
        Ok(if is_over { Next::Close } else { Next::Wait })
    }

    fn on_note(&mut self, new_socket: &mut Connection, note: Note) -> io::Result<Next> {
        let Note::Custom(message) = note else { return Ok(Next::Wait) };
        new_socket.send(message.downcast_ref::<Arc<str>>().expect("we send nothing else").as_bytes());
        Ok(if new_socket.is_full() { Next::Close } else { Next::Wait }) // who does not listen must not fill our memory
    }
}

/// However the conversation has ended.
impl Drop for Guest {
    fn drop(&mut self) {
        self.0.0.lock().expect("nobody panics with it").remove(&self.1);
        self.0.say(self.1, "(has gone)");
    }
}

fn main() -> io::Result<()> {
    let server = WebServer::with_protocol(support::address(), Room::default())?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let ada = support::send(address, "")?;
    support::wait_for(&ada, "You are ")?;
    let bob = support::send(address, "over, over!\n")?;
    support::wait_for(&ada, ": over, over!\n")?;
    drop(bob);
    support::wait_for(&ada, ": (has gone)\n")?;
    Ok("12_room: a guest heard another speak and go")
}
