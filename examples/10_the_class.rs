//! The tutorial's class, word for word. It blocks: one client after the other. Example 11 is the same class on qibu.
//!
//! Type:  cargo run --example 10_the_class
//! and in a second terminal:  cargo run --example 01_tcp_client
//! You will see the client's message here, and there `信息已收到，over，over！`. The Python original:
//! ```python
//! class WebServer(object):
//!     def __init__(self):
//!         self.tcp_server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
//!         self.tcp_server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
//!         self.tcp_server_socket.bind(("", 8090))
//!         self.tcp_server_socket.listen(128)
//!
//!     def start(self):
//!         while True:
//!             new_socket, ip_port = self.tcp_server_socket.accept()
//!             self.handle_client_request(new_socket, ip_port)
//!
//!     def handle_client_request(self, new_socket, ip_port):
//!         recv_data = new_socket.recv(1024)
//!         recv_data = recv_data.decode('gbk')
//!         print(f'{ip_port}客户端发送过来的消息：{recv_data}')
//!         content = '信息已收到，over，over！'.encode('gbk')
//!         new_socket.send(content)
//!         new_socket.close()
//! ```

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use encoding_rs::GBK;
use socket2::{Domain, Socket, Type};

mod support;

struct WebServer {
    tcp_server_socket: TcpListener,
}

impl WebServer {
    fn new(address: SocketAddr) -> io::Result<Self> {
        let tcp_server_socket = Socket::new(Domain::IPV4, Type::STREAM, None)?; // 1. socket
        tcp_server_socket.set_reuse_address(true)?;
        tcp_server_socket.bind(&address.into())?; // 2. bind
        tcp_server_socket.listen(128)?; // 3. listen
        Ok(Self { tcp_server_socket: tcp_server_socket.into() })
    }

    fn start(&self) -> io::Result<()> {
        loop {
            let (new_socket, ip_port) = self.tcp_server_socket.accept()?; // 4. accept
            self.handle_client_request(new_socket, ip_port)?; // its error ends us, as an exception does in Python
        }
    }

    fn handle_client_request(&self, mut new_socket: TcpStream, ip_port: SocketAddr) -> io::Result<()> {
        let mut recv_data = [0; 1024];
        let length = new_socket.read(&mut recv_data)?; // 5. recv
        let (recv_data, _, _) = GBK.decode(&recv_data[..length]);
        println!("{ip_port}客户端发送过来的消息：{recv_data}");
        let (content, _, _) = GBK.encode("信息已收到，over，over！");
        new_socket.write_all(&content)?; // 6. send
        drop(new_socket); // 7. close
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let ws = WebServer::new(support::address().parse().map_err(io::Error::other)?)?;
    support::begin(&ws.tcp_server_socket, self_test);
    ws.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let mut answer = Vec::new();
    support::send(address, GBK.encode("你好").0)?.read_to_end(&mut answer)?;
    support::expect(GBK.decode(&answer).0 == "信息已收到，over，over！", "it answers as the tutorial does", answer)?;
    Ok("10_the_class: a message was answered in GBK, and the connection closed")
}
