//! Many clients: one after the other, or a thread each. You answer them all from one keyboard.
//!
//! Type:  cargo run --example 06_many_clients -- one
//! and in two more terminals:  nc 127.0.0.1 8090    (or telnet 127.0.0.1 8090)
//!
//! The second client waits until the first has gone. Without `-- one` each has a thread, and both reach you, one question at
//! a time, since there is one keyboard. After Ctrl-D the answer to everything is `over, over!`. Next: 07_udp_and_tcp.

use std::io::{self, BufRead, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{env, thread};

use encoding_rs::GBK;

mod support;

fn one_after_the_other(tcp_server_socket: &TcpListener) -> io::Result<()> {
    loop {
        let (new_socket, ip_port) = tcp_server_socket.accept()?;
        handle_client_request(new_socket, ip_port); // nobody else is accepted before this one has gone
    }
}

fn a_thread_each(tcp_server_socket: &TcpListener) -> io::Result<()> {
    loop {
        let (new_socket, ip_port) = tcp_server_socket.accept()?;
        thread::spawn(move || handle_client_request(new_socket, ip_port));
    }
}

fn handle_client_request(new_socket: TcpStream, ip_port: SocketAddr) {
    match talk(new_socket, ip_port) {
        Ok(()) => println!("{ip_port} has gone"),
        // Python: except ConnectionResetError
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => println!("{ip_port} broke off: {error}"),
        Err(error) => println!("{ip_port}: {error}"),
    }
}

fn talk(mut new_socket: TcpStream, ip_port: SocketAddr) -> io::Result<()> {
    println!("{ip_port} has come");
    let mut recv_data = [0; 1024];
    loop {
        let length = new_socket.read(&mut recv_data)?;
        if length == 0 {
            return Ok(());
        }
        let content = answer(ip_port, &GBK.decode(&recv_data[..length]).0)?;
        new_socket.write_all(&GBK.encode(&content).0)?;
    }
}

/// Python: `content = input()`.
fn answer(ip_port: SocketAddr, recv_data: &str) -> io::Result<String> {
    let mut keyboard = io::stdin().lock(); // who asks meanwhile waits here
    println!("{ip_port}客户端发送过来的消息：{}", recv_data.trim_end());
    let mut content = String::new();
    let has_ended = support::is_self_test() || keyboard.read_line(&mut content)? == 0;
    Ok(if has_ended { "over, over!\n".to_owned() } else { content })
}

fn main() -> io::Result<()> {
    let tcp_server_socket = TcpListener::bind(support::address())?;
    support::begin(&tcp_server_socket, self_test);
    let is_one_at_a_time = env::args().any(|argument| argument == "one");
    if is_one_at_a_time { one_after_the_other(&tcp_server_socket) } else { a_thread_each(&tcp_server_socket) }
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let silent = support::send(address, "")?;
    support::break_off(support::send(address, "")?)?;
    support::wait_for(&support::send(address, "hello")?, "over, over!\n")?;
    drop(silent);
    Ok("06_many_clients: with a thread each, neither a silent client nor a reset stopped another")
}
