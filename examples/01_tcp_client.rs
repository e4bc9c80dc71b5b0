//! A TCP client in five steps: socket, connect, send, recv, close.
//!
//! Type:  cargo run --example 02_tcp_server
//! and in a second terminal:  cargo run --example 01_tcp_client
//!
//! You will see the server's answer: 信息已收到，over，over！
//! Words after `--` are sent instead of the greeting. Without a server you will see `Connection refused`: then no program
//! listens at that port, and step 2 fails. Next: 02_tcp_server.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{env, thread};

use encoding_rs::GBK;

mod support;

fn main() -> io::Result<()> {
    if support::is_self_test() {
        println!("{}", self_test()?);
        return Ok(());
    }
    let words: Vec<String> = env::args().skip(1).collect();
    let message = if words.is_empty() { "你好，服务端！".to_owned() } else { words.join(" ") };
    let address: SocketAddr = support::address().parse().map_err(io::Error::other)?;
    println!("received: {}", talk(address, &message)?);
    Ok(())
}

/// Says this to the server, and returns what it answers. Both are GBK, as in the tutorial.
fn talk(address: SocketAddr, message: &str) -> io::Result<String> {
    let mut tcp_client_socket = TcpStream::connect(address)?; // 1. socket, 2. connect
    let (send_data, ..) = GBK.encode(message);
    tcp_client_socket.write_all(&send_data)?; // 3. send
    let mut recv_data = [0; 1024];
    let length = tcp_client_socket.read(&mut recv_data)?; // 4. recv: at most 1024 bytes
    drop(tcp_client_socket); // 5. close
    let (recv_content, ..) = GBK.decode(&recv_data[..length]);
    Ok(recv_content.into_owned())
}

fn self_test() -> io::Result<&'static str> {
    let tcp_server_socket = TcpListener::bind(support::address())?;
    let address = tcp_server_socket.local_addr()?;
    let server = thread::spawn(move || -> io::Result<Vec<u8>> {
        let (mut new_socket, _) = tcp_server_socket.accept()?;
        let mut recv_data = [0; 4]; // as many as 你好 has in GBK
        new_socket.read_exact(&mut recv_data)?;
        new_socket.write_all(b"over")?;
        let mut rest = Vec::new();
        new_socket.read_to_end(&mut rest)?; // until the client has closed
        Ok([&recv_data[..], &rest].concat())
    });
    let answer = talk(address, "你好")?;
    support::expect(answer == "over", "the answer came back", answer)?;
    let received = server.join().expect("the server does not panic")?;
    support::expect(
        received == [0xc4, 0xe3, 0xba, 0xc3],
        "the message went out in GBK, then the client closed",
        received,
    )?;
    let refused = talk(address, "你好").expect_err("its server has gone");
    support::expect(refused.kind() == io::ErrorKind::ConnectionRefused, "nobody listens there any more", refused)?;
    Ok("01_tcp_client: a message went out in GBK, the answer came back; without a server the connection was refused")
}
