//! UDP and TCP: 5 MiB are sent through each to a receiver, in numbered blocks, and what arrives is counted.
//!
//! Type:  cargo run --release --example 07_udp_and_tcp
//! You will see that UDP may lose blocks on the way to a quick receiver, and loses nearly all on the way to a slow one: what
//! finds its buffer full is dropped untold. TCP lets the sender wait, and loses nothing. Next: 08_addresses_and_ports.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::SockRef;

mod support;

const BLOCKS: usize = 5 * 1024; // of 1 KiB each
const BUFFER: usize = 200 * 1024; // bytes that wait in the system until the receiver asks for them
const SLOW: Duration = Duration::from_micros(100); // of work with each block

/// Sends all blocks, each with its number in front, and says how long that took.
fn send_all(mut send: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Duration> {
    let (began, mut block) = (Instant::now(), [0; 1024]);
    for number in 0..BLOCKS as u32 {
        block[..4].copy_from_slice(&number.to_be_bytes());
        send(&block)?;
    }
    Ok(began.elapsed())
}

/// Takes blocks and works so long on each, until `receive` has no more. Says how many different ones came.
fn receive_all(work: Duration, mut receive: impl FnMut(&mut [u8]) -> bool) -> usize {
    let (mut has_come, mut block) = (vec![false; BLOCKS], [0; 1024]);
    while receive(&mut block) {
        has_come[u32::from_be_bytes([block[0], block[1], block[2], block[3]]) as usize] = true;
        thread::sleep(work);
    }
    has_come.iter().filter(|came| **came).count()
}

fn udp(name: &str, work: Duration) -> io::Result<usize> {
    let (sender, receiver) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    SockRef::from(&receiver).set_recv_buffer_size(BUFFER)?;
    receiver.set_read_timeout(Some(Duration::from_millis(50)))?;
    sender.connect(receiver.local_addr()?)?; // sends nothing: it only says where `send` shall send to
    let sending = thread::spawn(move || send_all(|block| sender.send(block).map(drop)));
    let receive = |block: &mut [u8]| loop {
        let was_all_sent = sending.is_finished(); // UDP itself would not tell
        let has_come = receiver.recv(block).is_ok();
        if has_come || was_all_sent {
            return has_come;
        }
    };
    report(name, receive_all(work, receive), sending)
}

fn tcp(name: &str, work: Duration) -> io::Result<usize> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    SockRef::from(&listener).set_recv_buffer_size(BUFFER)?; // accepted sockets inherit it
    let (mut sender, mut receiver) = (TcpStream::connect(listener.local_addr()?)?, listener.accept()?.0);
    SockRef::from(&sender).set_send_buffer_size(BUFFER)?;
    let sending = thread::spawn(move || send_all(|block| sender.write_all(block)));
    report(name, receive_all(work, |block| receiver.read_exact(block).is_ok()), sending)
}

fn report(name: &str, arrived: usize, sending: JoinHandle<io::Result<Duration>>) -> io::Result<usize> {
    let time = sending.join().expect("it does not panic")?.as_millis();
    println!("{name:21}  {arrived:4} of {BLOCKS} blocks arrived; the sender was done after {time} ms");
    Ok(arrived)
}

fn main() -> io::Result<()> {
    udp("UDP, a quick receiver", Duration::ZERO)?;
    let (by_udp, by_tcp) = (udp("UDP, a slow receiver", SLOW)?, tcp("TCP, a slow receiver", SLOW)?);
    if support::is_self_test() {
        support::expect(by_udp < by_tcp && by_tcp == BLOCKS, "UDP loses some, TCP none", (by_udp, by_tcp))?;
        println!("07_udp_and_tcp: a slow receiver missed datagrams, and no byte of TCP");
    }
    Ok(())
}
