//! Framing: TCP carries a stream of bytes, not messages. One `recv` is not one `send`, so messages need an end of their own.
//!
//! Type:  cargo run --example 05_framing
//! and you will see messages joined and cut, lines and lengths put that right, and a partial `send`. Next: 06_many_clients.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

mod support;

fn main() -> io::Result<()> {
    let tcp_server_socket = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(tcp_server_socket.local_addr()?)?;
    let mut new_socket = tcp_server_socket.accept()?.0;
    joined_and_cut(&mut client, &mut new_socket)?;
    let mut reader = BufReader::new(new_socket); // keeps what has come too early, for the next message
    lines(&mut client, &mut reader)?; // a message ends at its \n
    lengths(&mut client, &mut reader)?; // four bytes say how long it is; any byte can be in it
    partial_send(&mut client)?;
    println!("05_framing: messages were joined and cut; lines and lengths put that right; a send took only a part");
    Ok(())
}

fn joined_and_cut(client: &mut TcpStream, new_socket: &mut TcpStream) -> io::Result<()> {
    client.write_all(b"hello")?;
    client.write_all(b"world")?;
    client.write_all(&[b'x'; 3000])?;
    while new_socket.peek(&mut [0; 4096])? < 3010 {
        std::thread::yield_now(); // the server has something else to do, until all of it has arrived
    }
    let mut recv_data = [0; 1024];
    for expected in [1024, 1024, 962] {
        let length = new_socket.read(&mut recv_data)?;
        println!("recv(1024): {length} bytes, {:?}...", String::from_utf8_lossy(&recv_data[..12]));
        support::expect(length == expected, "the first has two messages and more, and none has the third", length)?;
    }
    Ok(())
}

fn lines(client: &mut TcpStream, reader: &mut impl BufRead) -> io::Result<()> {
    client.write_all(b"hello\nworld\nha")?;
    client.write_all(b"lf\n")?;
    for sent in ["hello\n", "world\n", "half\n"] {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        println!("a line: {line:?}");
        support::expect(line == sent, "a line is a message", line)?;
    }
    Ok(())
}

fn lengths(client: &mut TcpStream, reader: &mut impl Read) -> io::Result<()> {
    client.write_all(b"\0\0\0\x05hello\0\0\0\x09two\nlines")?;
    for sent in ["hello", "two\nlines"] {
        let mut length = [0; 4];
        reader.read_exact(&mut length)?;
        let mut message = vec![0; u32::from_be_bytes(length) as usize]; // what strangers send needs a limit here
        reader.read_exact(&mut message)?;
        println!("a length, {length:?}, and a message: {:?}", String::from_utf8_lossy(&message));
        support::expect(message == sent.as_bytes(), "so many bytes are a message", message)?;
    }
    Ok(())
}

/// The other side does not read, and there is room for so much only; in blocking mode, `send` would wait for more room.
fn partial_send(client: &mut TcpStream) -> io::Result<()> {
    client.set_nonblocking(true)?;
    let large = vec![b'x'; 64 << 20];
    let sent = client.write(&large)?;
    println!("send: {sent} of 67108864 bytes");
    support::expect(sent < large.len(), "a send may take a part", sent)?;
    let refused = loop {
        if let Err(error) = client.write(&large) {
            break error;
        }
    };
    println!("send, again and again: {refused}");
    support::expect(refused.kind() == ErrorKind::WouldBlock, "or nothing", refused)
}
