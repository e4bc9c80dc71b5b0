//! 06: an echo of lines for many clients, a thread each. Who is silent stops his own thread only; so does who breaks off.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

pub(crate) fn run(address: &str) -> io::Result<()> {
    let server_socket = TcpListener::bind(address)?;
    loop {
        let (new_socket, ip_port) = server_socket.accept()?;
        thread::spawn(move || match echo(new_socket) {
            Ok(()) => println!("{ip_port} has gone"),
            Err(error) => println!("{ip_port}: {error}"), // ConnectionReset, for example
        });
    }
}

fn echo(mut new_socket: TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(new_socket.try_clone()?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        new_socket.write_all(&line)?;
        line.clear();
    }
    Ok(())
}
