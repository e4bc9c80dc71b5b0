//! 08: a protocol of our own. The server stays as it was in stage 07; only the session is another.

use std::io;
use std::net::SocketAddr;

use qibu::{Connection, Next, Session, WebServer};

struct Commands;

/// Longer lines are no commands: who sends one is shown the door.
const MOST_BYTES: usize = 8 * 1024;

impl Session for Commands {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        while let Some(end) = new_socket.input().iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&new_socket.input()[..end]).into_owned();
            new_socket.consume(end + 1);
            let answer = answer(&line).unwrap_or_else(|| "error".to_owned());
            new_socket.send(format!("{answer}\n").as_bytes());
        }
        // What is left is a part of a line: it stays in `input` until the rest has come.
        let is_over = new_socket.is_eof() || new_socket.input().len() > MOST_BYTES;
        Ok(if is_over { Next::Close } else { Next::Wait })
    }
}

/// `None` for what is no command.
fn answer(line: &str) -> Option<String> {
    let (command, rest) = line.trim_end().split_once(' ')?;
    match command {
        "add" => {
            let (one, other) = rest.split_once(' ')?;
            Some(one.parse::<i64>().ok()?.checked_add(other.parse().ok()?)?.to_string())
        }
        "upper" => Some(rest.to_uppercase()),
        _ => None,
    }
}

pub(crate) fn run(address: &str) -> io::Result<()> {
    WebServer::with_protocol(address, || Commands)?.start()
}
