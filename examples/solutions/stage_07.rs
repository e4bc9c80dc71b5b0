//! 07: the class. The server is qibu's, with SO_REUSEADDR and the loop over clients; ours is the conversation.

use std::io;
use std::net::SocketAddr;

use encoding_rs::GBK;
use qibu::{Connection, Next, Session, WebServer};

struct Receipt;

impl Session for Receipt {
    fn handle_client_request(&mut self, new_socket: &mut Connection, ip_port: SocketAddr) -> io::Result<Next> {
        let received = new_socket.recv();
        let (message, _, _) = GBK.decode(&received);
        println!("{ip_port}客户端发送过来的消息：{message}");
        let (answer, _, _) = GBK.encode("信息已收到，over，over！");
        new_socket.send(&answer);
        Ok(Next::Close)
    }
}

pub(crate) fn run(address: &str) -> io::Result<()> {
    WebServer::with_protocol(address, || Receipt)?.start()
}
