//! The least that a server can do: a mio loop that reads, looks for empty lines, and writes the same answer for each.
//! `floor PORT [BODY-BYTES]`; without a number of bytes it says hello.

use std::io::{self, ErrorKind, Read, Write};

use memchr::memmem;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

const LISTENER: Token = Token(usize::MAX);

fn main() -> io::Result<()> {
    let body = std::env::args().nth(2).map_or("hello, world".to_owned(), |bytes| "x".repeat(bytes.parse().unwrap()));
    let answer = format!(
        "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-type: text/plain; charset=utf-8\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    serve(answer.as_bytes())
}

fn serve(answer: &[u8]) -> io::Result<()> {
    let mut listener = TcpListener::bind(([127, 0, 0, 1], peers::port()).into())?;
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(256));
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (mut clients, mut input, mut output) = (Slab::<TcpStream>::new(), vec![0; 65536], Vec::new());
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            match event.token() {
                LISTENER => accept(&listener, &poll, &mut clients)?,
                Token(slot) => {
                    let is_open = clients.get_mut(slot).is_some_and(|client| turn(client, &mut input, &mut output, answer));
                    if !is_open {
                        clients.try_remove(slot);
                    }
                }
            }
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, clients: &mut Slab<TcpStream>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((mut client, _)) => {
                client.set_nodelay(true)?;
                let slot = clients.vacant_entry();
                poll.registry().register(&mut client, Token(slot.key()), Interest::READABLE)?;
                slot.insert(client);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// One read, one write. Requests are assumed to arrive whole, which they do here.
fn turn(client: &mut TcpStream, input: &mut [u8], output: &mut Vec<u8>, answer: &[u8]) -> bool {
    match client.read(input) {
        Ok(0) => false,
        Ok(count) => {
            output.clear();
            let requests = memmem::find_iter(&input[..count], "\r\n\r\n").count();
            (0..requests).for_each(|_| output.extend_from_slice(answer));
            client.write_all(output).is_ok()
        }
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}
