//! The addresses of this host, and its ports: which are for whom, and which are taken.
//!
//! Type:  cargo run --example 08_addresses_and_ports
//!
//! You will see what `ifconfig` (or `ip address`) shows of addresses, what `ping` asks of one (is anybody there?), and the
//! ports that are taken now, found out by trying to have them. Start another example, and 8090 will be among them.
//! Next: 09_event_loop.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

mod support;

const WELL_KNOWN: RangeInclusive<u16> = 1..=1023;
const REGISTERED: RangeInclusive<u16> = 1024..=49151;
const DYNAMIC: RangeInclusive<u16> = 49152..=65535;

/// Who can reach us there, if no firewall minds.
fn who_can_reach(ip: IpAddr) -> &'static str {
    match ip {
        ip if ip.is_loopback() => "only this host",
        IpAddr::V4(ip) if ip.is_private() || ip.is_link_local() => "its own network",
        IpAddr::V6(ip) if ip.is_unique_local() || ip.is_unicast_link_local() => "its own network",
        _ => "everybody",
    }
}

/// What is to be found at a port, as a client sees it.
fn knock(address: SocketAddr) -> &'static str {
    match TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
        Ok(_) => "the host is there, and a program listens",
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => "the host is there, but nobody listens here",
        Err(_) => "no answer: no such host, or it keeps silent",
    }
}

/// Binds a socket without listening, for a moment.
fn try_to_have(port: u16) -> io::Result<()> {
    Socket::new(Domain::IPV4, Type::STREAM, None)?.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())
}

fn taken(ports: RangeInclusive<u16>) -> Vec<u16> {
    ports.filter(|port| try_to_have(*port).is_err_and(|error| error.kind() == ErrorKind::AddrInUse)).collect()
}

fn main() -> io::Result<()> {
    if support::is_self_test() {
        return self_test();
    }
    println!("The addresses of this host, and who can reach it there:");
    for interface in if_addrs::get_if_addrs()? {
        println!("  {:10} {:26} {}", interface.name, interface.ip(), who_can_reach(interface.ip()));
    }
    println!("Port 80: {}.", try_to_have(80).map_or_else(|error| error.to_string(), |()| "it can be had".to_owned()));
    for (name, ports) in [("well-known", WELL_KNOWN), ("registered", REGISTERED), ("dynamic", DYNAMIC)] {
        println!("Ports {:5} to {:5} are {name:11} taken: {:?}", ports.start(), ports.end(), taken(ports.clone()));
    }
    let given = TcpListener::bind("127.0.0.1:0")?.local_addr()?; // closed again at the end of this line
    println!("Who asks for port 0 is given a free one, such as {}.", given.port());
    println!("Knocking at {given}: {}.", knock(given));
    Ok(())
}

fn self_test() -> io::Result<()> {
    let addresses: Vec<_> = if_addrs::get_if_addrs()?.iter().map(if_addrs::Interface::ip).collect();
    support::expect(addresses.contains(&Ipv4Addr::LOCALHOST.into()), "this host has a loopback", &addresses)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (found, said) = (taken(address.port()..=address.port()), knock(address));
    support::expect(found == [address.port()] && said.contains("a program"), "a port is taken", (found, said))?;
    drop(listener);
    support::expect(knock(address).contains("nobody"), "then it is not", knock(address))?;
    println!("08_addresses_and_ports: a port was taken while a program listened, and refused clients afterwards");
    Ok(())
}
