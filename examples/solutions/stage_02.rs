//! 02: the seven steps. To any message the answer is the tutorial's, in GBK.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use encoding_rs::GBK;

pub(crate) fn run(address: &str) -> io::Result<()> {
    let server_socket = TcpListener::bind(address)?; // 1. socket, 2. bind, 3. listen
    loop {
        let (new_socket, ip_port) = server_socket.accept()?; // 4. accept
        if let Err(error) = handle_client_request(new_socket, ip_port) {
            println!("{ip_port}: {error}"); // one client's trouble, not ours
        }
    }
}

fn handle_client_request(mut new_socket: TcpStream, ip_port: SocketAddr) -> io::Result<()> {
    let mut buffer = [0; 1024];
    let length = new_socket.read(&mut buffer)?; // 5. recv
    let (message, _, _) = GBK.decode(&buffer[..length]);
    println!("{ip_port}客户端发送过来的消息：{message}");
    let (answer, _, _) = GBK.encode("信息已收到，over，over！");
    new_socket.write_all(&answer) // 6. send; 7. close, when new_socket goes out of scope
}
