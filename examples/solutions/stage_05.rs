//! 05: datagrams are numbers; `end N` asks how many of N did not arrive. UDP itself does not tell.

use std::collections::HashSet;
use std::io;
use std::net::UdpSocket;

pub(crate) fn run(address: &str) -> io::Result<()> {
    let socket = UdpSocket::bind(address)?; // no listen, no accept: there are no connections
    let (mut arrived, mut datagram) = (HashSet::new(), [0; 64]);
    loop {
        let (length, client) = socket.recv_from(&mut datagram)?;
        let Ok(text) = str::from_utf8(&datagram[..length]) else { continue };
        let Some(sent) = text.strip_prefix("end ") else {
            arrived.extend(text.parse::<usize>()); // a set: a datagram that came twice counts once
            continue;
        };
        let Ok(sent) = sent.trim_end().parse::<usize>() else { continue };
        let lost = (0..sent).filter(|number| !arrived.contains(number)).count();
        socket.send_to(format!("lost {lost}").as_bytes(), client)?;
    }
}
