//! For each stage a program that is nearly right, and must not pass: the mistakes that the chapters are about.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use encoding_rs::GBK;
use qibu::{HandlerExt, Request, Response, Router, StatusCode, WebServer};
use socket2::{Domain, Socket, Type};

use crate::Stage;

pub(crate) const STAGES: [Stage; 12] = [
    bound_but_not_listening,
    answering_in_utf_8,
    always_utf_8,
    taking_a_recv_for_a_line,
    trusting_udp,
    one_after_the_other,
    without_reuse_of_the_address,
    closing_after_an_error,
    closing_after_an_answer,
    counting_pages_only,
    sleeping_on_the_loop,
    not_saying_what_is_allowed,
];

/// Clients in turn, each with its first kilobyte.
fn serve(address: &str, answer: fn(&[u8], &mut TcpStream) -> io::Result<()>) -> io::Result<()> {
    let server_socket = TcpListener::bind(address)?;
    loop {
        let (mut new_socket, _) = server_socket.accept()?;
        let mut buffer = [0; 1024];
        let length = new_socket.read(&mut buffer)?;
        let _ = answer(&buffer[..length], &mut new_socket);
    }
}

fn bound_but_not_listening(address: &str) -> io::Result<()> {
    bound(address).map(drop)
}

fn bound(address: &str) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn answering_in_utf_8(address: &str) -> io::Result<()> {
    serve(address, |_, client| client.write_all("信息已收到，over，over！".as_bytes()))
}

fn always_utf_8(address: &str) -> io::Result<()> {
    serve(address, |message, client| write!(client, "收到：{}", String::from_utf8_lossy(message)))
}

fn taking_a_recv_for_a_line(address: &str) -> io::Result<()> {
    serve(address, |message, client| {
        writeln!(client, "{}", message.trim_ascii_end().len())?;
        let mut buffer = [0; 1024];
        loop {
            match client.read(&mut buffer)? {
                0 => return Ok(()),
                length => writeln!(client, "{}", buffer[..length].trim_ascii_end().len())?,
            }
        }
    })
}

fn trusting_udp(address: &str) -> io::Result<()> {
    let (socket, mut datagram) = (UdpSocket::bind(address)?, [0; 64]);
    loop {
        let (length, client) = socket.recv_from(&mut datagram)?;
        if datagram[..length].starts_with(b"end ") {
            socket.send_to(b"lost 0", client)?;
        }
    }
}

fn one_after_the_other(address: &str) -> io::Result<()> {
    let server_socket = TcpListener::bind(address)?;
    loop {
        let (mut new_socket, _) = server_socket.accept()?;
        for line in BufReader::new(new_socket.try_clone()?).lines() {
            writeln!(new_socket, "{}", line?)?;
        }
    }
}

fn without_reuse_of_the_address(address: &str) -> io::Result<()> {
    let socket = bound(address)?; // std would have set SO_REUSEADDR
    socket.listen(128)?;
    loop {
        let (mut new_socket, _) = socket.accept()?;
        let _ = new_socket.read(&mut [0; 1024])?;
        new_socket.write_all(&GBK.encode("信息已收到，over，over！").0)?;
    }
}

fn closing_after_an_error(address: &str) -> io::Result<()> {
    serve(address, |message, client| {
        let mut lines = BufReader::new(client.try_clone()?).lines();
        let mut line = String::from_utf8_lossy(message).into_owned();
        loop {
            match line.trim_end() {
                "add 2 3" => writeln!(client, "5")?,
                "upper abc" => writeln!(client, "ABC")?,
                _ => return writeln!(client, "error"),
            }
            line = lines.next().unwrap_or_else(|| Ok(String::new()))?;
        }
    })
}

fn closing_after_an_answer(address: &str) -> io::Result<()> {
    serve(address, |_, client| client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, World!"))
}

fn counting_pages_only(address: &str) -> io::Result<()> {
    let count = std::sync::atomic::AtomicU64::new(1);
    let page = move |_: &mut Request| {
        let count = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Response::text("You are counted.\n").with_header("x-count", count.to_string())
    };
    WebServer::new(address, Router::new().get("/", page))?.start()
}

fn sleeping_on_the_loop(address: &str) -> io::Result<()> {
    let slow = |_: &mut Request| {
        thread::sleep(Duration::from_secs(1));
        "That took a second, and everybody waited.\n"
    };
    let app = Router::new().get("/", |_| "At once.\n").get("/slow", slow);
    WebServer::new(address, app)?.start()
}

fn not_saying_what_is_allowed(address: &str) -> io::Result<()> {
    let app = |request: &mut Request| match request.method().as_str() {
        "POST" => (StatusCode::CREATED, ""),
        "GET" => (StatusCode::OK, "hello from Xi'an\n你好\n"),
        _ => (StatusCode::METHOD_NOT_ALLOWED, "no\n"),
    };
    WebServer::new(address, app.with(qibu::AccessLog::new()))?.start()
}
