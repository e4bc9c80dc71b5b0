//! 01: it listens, and a client can connect.

use std::io;
use std::net::TcpListener;

pub(crate) fn run(address: &str) -> io::Result<()> {
    let server_socket = TcpListener::bind(address)?; // socket, bind, listen: the first three steps
    println!("Listening on {}", server_socket.local_addr()?);
    loop {
        let (_new_socket, ip_port) = server_socket.accept()?;
        println!("{ip_port} has connected");
    }
}
