//! Port reuse: a server that is stopped and started again cannot have its port back, but for one line.
//!
//! Type:  cargo run --example 03_port_reuse
//! and you will see, with other numbers:
//!
//!     without SO_REUSEADDR
//!       127.0.0.1:39871 served a client, and closed
//!       127.0.0.1:39871 is in state TIME_WAIT
//!       started again: Address already in use (os error 98)
//!     with SO_REUSEADDR
//!       127.0.0.1:35347 served a client, and closed
//!       127.0.0.1:35347 is in state TIME_WAIT
//!       started again: listening
//!       a second server beside it: Address already in use (os error 98)
//!
//! The end that closes first keeps its port for a minute, in case its last packet must be sent again. On Linux the option
//! must have been set before that, too. `TcpListener::bind` and mio set it on Unix; socket2 lets us leave it out.
//! Next: 04_encodings.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{fs, thread};

use socket2::{Domain, Socket, Type};

mod support;

#[derive(Clone, Copy)]
enum PortReuse {
    No,
    Yes,
}

fn main() -> io::Result<()> {
    println!("without SO_REUSEADDR");
    let refused = started_again(PortReuse::No)?;
    support::expect(refused.is_err_and(|it| it.kind() == io::ErrorKind::AddrInUse), "the port was not given", ())?;
    println!("with SO_REUSEADDR");
    let server = started_again(PortReuse::Yes)??;
    let second = listen(server.local_addr()?, PortReuse::Yes).expect_err("one port, one server");
    println!("  a second server beside it: {second}");
    println!("03_port_reuse: the port was refused without SO_REUSEADDR, and given with it");
    Ok(())
}

fn listen(address: SocketAddr, port_reuse: PortReuse) -> io::Result<TcpListener> {
    let tcp_server_socket = Socket::new(Domain::IPV4, Type::STREAM, None)?; // 1. socket
    if let PortReuse::Yes = port_reuse {
        tcp_server_socket.set_reuse_address(true)?; // the one line
    }
    tcp_server_socket.bind(&address.into())?; // 2. bind
    tcp_server_socket.listen(128)?; // 3. listen
    Ok(tcp_server_socket.into())
}

/// A server has a client, closes first, and ends. Then it is started again, at the port that it had.
fn started_again(port_reuse: PortReuse) -> io::Result<io::Result<TcpListener>> {
    let tcp_server_socket = listen(([127, 0, 0, 1], 0).into(), port_reuse)?; // 0: any free port
    let address = tcp_server_socket.local_addr()?;
    let mut client = TcpStream::connect(address)?;
    drop(tcp_server_socket.accept()?); // 4. accept, 7. close
    client.read_to_end(&mut Vec::new())?; // it has seen the close, and closes, too
    drop((client, tcp_server_socket));
    println!("  {address} served a client, and closed");
    if (0..10_000).any(|_| is_in_time_wait(address)) {
        println!("  {address} is in state TIME_WAIT");
    }
    let again = listen(address, port_reuse);
    println!("  started again: {}", again.as_ref().map_or_else(ToString::to_string, |_| "listening".to_owned()));
    Ok(again)
}

/// Linux says so in /proc/net/tcp: `sl local_address rem_address st`, all in hexadecimal digits.
fn is_in_time_wait(local: SocketAddr) -> bool {
    thread::yield_now();
    let (port, table) = (format!(":{:04X}", local.port()), fs::read_to_string("/proc/net/tcp").unwrap_or_default());
    let mut connections = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    connections.any(|fields| matches!(fields[..], [_, local, _, "06", ..] if local.ends_with(&port)))
}
