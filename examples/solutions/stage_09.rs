//! 09: HTTP by hand: lines up to an empty one, an answer with its length, and the connection stays open.

use std::io;
use std::net::SocketAddr;

use qibu::{Connection, Next, Session, WebServer};

struct Http;

/// No head is longer than this: who sends on and on must not fill our memory.
const MOST_BYTES: usize = 16 * 1024;

impl Session for Http {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        while let Some(end) = new_socket.input().windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&new_socket.input()[..end]).into_owned();
            new_socket.consume(end + 4);
            let (status, body) = answer(&head);
            let length = body.len(); // in bytes
            let head_of_answer =
                format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n");
            new_socket.send(format!("{head_of_answer}\r\n{body}").as_bytes());
            if status.starts_with("400") || head.to_lowercase().contains("\r\nconnection: close") {
                return Ok(Next::Close);
            }
        }
        let is_over = new_socket.is_eof() || new_socket.input().len() > MOST_BYTES;
        Ok(if is_over { Next::Close } else { Next::Wait })
    }
}

/// Requests with a body are refused: we would take the body for the next request.
fn answer(head: &str) -> (&'static str, String) {
    let request_line: Vec<_> = head.lines().next().unwrap_or_default().split(' ').collect();
    let ["GET", path, "HTTP/1.1"] = request_line[..] else {
        return ("400 Bad Request", "GET PATH HTTP/1.1 is all I understand\n".to_owned());
    };
    match path.strip_prefix("/hello/") {
        Some(name) => ("200 OK", format!("Hello, {name}!")),
        None => ("404 Not Found", format!("There is no {path}\n")),
    }
}

pub(crate) fn run(address: &str) -> io::Result<()> {
    WebServer::with_protocol(address, || Http)?.start()
}
