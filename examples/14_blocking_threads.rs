//! What a thread each costs: two echo servers, one on qibu and one with a thread per client, both with 1,000 idle clients.
//!
//! Type:  cargo run --release --example 14_blocking_threads    (on Linux, where /proc tells)
//! You will see a table: threads, memory in use, and memory reserved (mostly the stacks), of one server and of the other.
//! Each runs in a process of its own, started by this one, which connects 1,000 clients that say one word. Next: 15_hello.

use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::{env, fs, thread};

use qibu::{Connection, Next, Session, WebServer};

mod support;

const CLIENTS: usize = 1000;

struct Echo;

impl Session for Echo {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        let received = new_socket.recv();
        new_socket.send(&received);
        Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
    }
}

fn serve_with_event_loops() -> io::Result<()> {
    let server = WebServer::with_protocol("127.0.0.1:0", || Echo)?;
    println!("{}", server.local_addr());
    server.start()
}

fn serve_with_threads() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    loop {
        let (new_socket, _) = listener.accept()?;
        thread::Builder::new().spawn(move || io::copy(&mut &new_socket, &mut &new_socket))?;
    }
}

/// Threads, memory in use and memory reserved (both in KiB) of a server with so many clients.
fn measure(way: &str) -> io::Result<[u64; 3]> {
    let mut server = Command::new(env::current_exe()?).arg(way).stdout(Stdio::piped()).spawn()?;
    let status = with_clients(&mut server);
    server.kill()?;
    server.wait()?;
    let status = status?;
    let find = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
    Ok(["Threads:", "VmRSS:", "VmSize:"].map(|name| find(name).and_then(|figure| figure.parse().ok()).unwrap_or(0)))
}

fn with_clients(server: &mut Child) -> io::Result<String> {
    let mut address = String::new();
    BufReader::new(server.stdout.take().expect("it is piped")).read_line(&mut address)?;
    let address = address.trim().parse().map_err(io::Error::other)?;
    let clients: Vec<_> = (0..CLIENTS).map(|_| support::send(address, "over")).collect::<io::Result<_>>()?;
    clients.iter().try_for_each(|client| support::wait_for(client, "over"))?; // all that they cost is there now
    fs::read_to_string(format!("/proc/{}/status", server.id()))
}

fn main() -> io::Result<()> {
    match env::args().nth(1).as_deref() {
        Some("threads") => return serve_with_threads(),
        Some("loops") => return serve_with_event_loops(),
        _ => println!("{CLIENTS} idle clients     threads    memory   reserved"),
    }
    let (blocking, evented) = (measure("threads")?, measure("loops")?);
    for (name, [threads, used, reserved]) in [("a thread each", blocking), ("event loops (qibu)", evented)] {
        println!("{name:20} {threads:9} {:6} MiB {:6} MiB", used / 1024, reserved / 1024);
    }
    if support::is_self_test() {
        support::expect(blocking[0] > CLIENTS as u64, "a thread each", blocking)?;
        support::expect(evented[0] < 100 && evented[1] < blocking[1], "no thread each, and less memory", evented)?;
        println!("14_blocking_threads: a thread for each of {CLIENTS} idle clients, or none of them has one");
    }
    Ok(())
}
