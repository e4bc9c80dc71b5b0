//! 03: the answer is in the encoding of the question.
//!
//! Bytes do not say what they are. But UTF-8 has rules that GBK text breaks almost at once, so the question is only: is
//! this valid UTF-8?

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use encoding_rs::{Encoding, GBK, UTF_8};

pub(crate) fn run(address: &str) -> io::Result<()> {
    let server_socket = TcpListener::bind(address)?;
    loop {
        let (new_socket, ip_port) = server_socket.accept()?;
        if let Err(error) = answer(new_socket) {
            println!("{ip_port}: {error}");
        }
    }
}

fn answer(mut new_socket: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    let length = new_socket.read(&mut buffer)?;
    let (text, encoding) = decode(&buffer[..length]);
    let (answer, _, _) = encoding.encode(&text);
    new_socket.write_all(&answer)
}

fn decode(bytes: &[u8]) -> (String, &'static Encoding) {
    let encoding = if str::from_utf8(bytes).is_ok() { UTF_8 } else { GBK };
    let (text, _, _) = encoding.decode(bytes);
    (format!("收到：{text}"), encoding)
}
