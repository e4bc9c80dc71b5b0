//! The tutorial's server: what you send comes back. It takes the seven steps of every TCP server.
//!
//! Type:  cargo run --example 11_echo
//! and in a second terminal:  nc 127.0.0.1 8090    (or telnet 127.0.0.1 8090)
//!
//! Type a line there, and you will see it again. Open a third terminal and do the same: the second client need not wait
//! until the first has gone, as it must in the Python original, because no step here waits for one client.

use std::io;
use std::net::SocketAddr;

use qibu::{Connection, Next, Session, WebServer};

mod support;

struct Echo;

impl Session for Echo {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _ip_port: SocketAddr) -> io::Result<Next> {
        let received = new_socket.recv(); // 5. recv
        new_socket.send(&received); // 6. send
        if new_socket.is_eof() {
            return Ok(Next::Close); // 7. close
        }
        Ok(Next::Wait)
    }
}

fn main() -> io::Result<()> {
    let server = WebServer::with_protocol(support::address(), || Echo)?; // 1. socket, 2. bind, 3. listen
    support::begin(&server, self_test);
    server.start() // 4. accept, until the end
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let silent = support::send(address, "")?;
    let echo = support::talk(address, "over, over!")?;
    support::expect(echo == "over, over!", "what was sent came back", echo)?;
    drop(silent);
    Ok("11_echo: what was sent came back, while another client was connected and said nothing")
}
