//! A TCP server in seven steps: socket, bind, listen, accept, recv, send, close. It has one client, and ends.
//!
//! Type:  cargo run --example 02_tcp_server
//! and in a second terminal:  cargo run --example 01_tcp_client
//!
//! The server prints who sent what, and the client what the server answered:
//!
//!     ('127.0.0.1', 50514)客户端发送过来的消息：你好，服务端！
//!
//! Next: 03_port_reuse.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};

use encoding_rs::GBK;

mod support;

fn main() -> io::Result<()> {
    let tcp_server_socket = TcpListener::bind(support::address())?; // 1. socket, 2. bind, 3. listen
    support::begin(&tcp_server_socket, self_test);
    let (mut new_socket, ip_port) = tcp_server_socket.accept()?; // 4. accept: waits for a client
    let mut recv_data = [0; 1024];
    let length = new_socket.read(&mut recv_data)?; // 5. recv: waits for its first bytes
    let (recv_content, ..) = GBK.decode(&recv_data[..length]);
    println!("{}客户端发送过来的消息：{recv_content}", as_python_prints(ip_port));
    let (content, ..) = GBK.encode("信息已收到，over，over！");
    new_socket.write_all(&content)?; // 6. send
    drop(new_socket); // 7. close: this client; what comes next closes the socket that listens
    drop(tcp_server_socket);
    support::end();
    Ok(())
}

/// `accept` gives Python a tuple: the client's address, and its port.
fn as_python_prints(ip_port: SocketAddr) -> String {
    format!("('{}', {})", ip_port.ip(), ip_port.port())
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let (message, ..) = GBK.encode("你好，服务端！");
    let mut client = support::send(address, message)?;
    let mut answer = Vec::new();
    client.read_to_end(&mut answer)?; // comes to its end when the server has closed
    let (text, ..) = GBK.decode(&answer);
    support::expect(text == "信息已收到，over，over！", "the answer is the tutorial's, in GBK", &text)?;
    support::expect(answer.len() == 24, "two bytes for a Chinese character", answer.len())?;
    let shown = as_python_prints(([127, 0, 0, 1], 50514).into());
    support::expect(shown == "('127.0.0.1', 50514)", "a client is shown as in Python", shown)?;
    Ok("02_tcp_server: a client came, sent, was answered in GBK, and was closed")
}
