//! 04: lines, and their lengths. TCP is a stream of bytes: what one `recv` gives may be half a line, or three.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

pub(crate) fn run(address: &str) -> io::Result<()> {
    let server_socket = TcpListener::bind(address)?;
    loop {
        let (new_socket, ip_port) = server_socket.accept()?;
        if let Err(error) = measure(new_socket) {
            println!("{ip_port}: {error}");
        }
    }
}

/// A `BufReader` keeps what came too early for the next call, and goes on asking until a line is whole.
fn measure(mut new_socket: TcpStream) -> io::Result<()> {
    for line in BufReader::new(new_socket.try_clone()?).split(b'\n') {
        writeln!(new_socket, "{}", line?.len())?;
    }
    Ok(())
}
