//! Many clients on one thread, which waits for all of them at once: an echo server on bare mio.
//!
//! Type:  cargo run --example 09_event_loop
//! and in two more terminals:  nc 127.0.0.1 8090    (or telnet 127.0.0.1 8090)
//!
//! Type lines in both, in any order, and you will see them again. `poll` says whose socket has news, by its token. We then go
//! on until the system says `WouldBlock`: only after that will there be news again. Next: 10_the_class.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

mod support;

const LISTENER: Token = Token(0);

struct Client {
    new_socket: TcpStream,
    /// What the client was too slow to take.
    unsent: Vec<u8>,
}

impl Client {
    /// Sends and receives as far as it goes without waiting, which ends with `WouldBlock`; or to the end, which is `Ok`.
    fn handle_client_request(&mut self) -> io::Result<()> {
        let mut recv_data = [0; 1024];
        loop {
            while !self.unsent.is_empty() {
                let length = self.new_socket.write(&self.unsent)?; // it may take a part
                self.unsent.drain(..length);
            }
            let length = self.new_socket.read(&mut recv_data)?; // not before all is sent: a slow client slows itself
            if length == 0 {
                return Ok(());
            }
            self.unsent.extend(&recv_data[..length]);
        }
    }
}

fn main() -> io::Result<()> {
    let mut tcp_server_socket = TcpListener::bind(support::address().parse().map_err(io::Error::other)?)?;
    support::begin(&tcp_server_socket, self_test);
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(128));
    poll.registry().register(&mut tcp_server_socket, LISTENER, Interest::READABLE)?;
    let (mut clients, mut last) = (HashMap::new(), LISTENER);
    loop {
        poll.poll(&mut events, None)?; // the only place where we wait
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut new_socket, _)) = tcp_server_socket.accept() {
                    last = Token(last.0 + 1);
                    poll.registry().register(&mut new_socket, last, Interest::READABLE | Interest::WRITABLE)?;
                    clients.insert(last, Client { new_socket, unsent: Vec::new() });
                }
            } else if let Some(client) = clients.get_mut(&event.token()) {
                match client.handle_client_request() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {} // till later
                    _ => drop(clients.remove(&event.token())),                    // gone, or broken off
                }
            }
        }
    }
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let (silent, client) = (support::send(address, "")?, support::send(address, "")?);
    let (mut sending, sent) = (client.try_clone()?, "over, over!".repeat(1 << 20));
    std::thread::scope(|threads| {
        threads.spawn(|| sending.write_all(sent.as_bytes()).and_then(|()| sending.shutdown(Shutdown::Write)));
        let received = support::read_all(client)?;
        support::expect(received == sent, "all comes back", received.len())
    })?;
    drop(silent);
    Ok("09_event_loop: 11 MiB came back, while another client was connected and said nothing")
}
