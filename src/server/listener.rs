//! Steps 1 to 3 of the tutorial, and 4 for one client: socket, bind, listen, accept.
//!
//! A server may listen on several addresses. A name such as `localhost` stands for all its addresses, of which those
//! that this host does not have are left out; it is an error if none is left.
//!
//! Pattern: Acceptor (the listening half), Factory Method ([`Listener::accept`] makes the transport that fits the socket).

#[cfg(target_os = "linux")]
mod deferred;
#[cfg(not(target_os = "linux"))]
#[path = "listener/not_deferred.rs"]
mod deferred;
#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
#[path = "listener/no_unix.rs"]
mod unix;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use socket2::{Domain, Protocol, Socket, Type};

use super::event_loop::MOST_LISTENERS;
use crate::connection::transport::{Plain, Transport};

/// Where to listen.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// All addresses of one name.
    Tcp(Vec<SocketAddr>),
    Unix(PathBuf),
}

/// How to listen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) reuse_address: bool,
    pub(crate) backlog: i32,
    /// Nobody needs to hear of a client that has not said anything.
    pub(crate) client_begins: bool,
}

/// A socket from which clients can be accepted.
pub(crate) trait Listener: Send {
    fn source(&mut self) -> &mut dyn mio::event::Source;
    /// Step 4, for one client; `WouldBlock` if none is there.
    fn accept(&mut self) -> io::Result<Accepted>;
    /// `None` for a unix socket.
    fn local_addr(&self) -> Option<SocketAddr>;
}

/// A client that nobody has heard yet.
pub(crate) struct Accepted {
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) peer: SocketAddr,
}

/// A peer without an address: the other end of a unix socket.
const NO_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// How often a common port is looked for where the system chooses one for several addresses.
const PORT_TRIES: usize = 16;

/// Steps 1 to 3 for every place.
pub(crate) fn listen(places: &[Place], options: Options) -> io::Result<Vec<Box<dyn Listener>>> {
    let mut result = listen_once(places, options);
    for _ in 1..PORT_TRIES {
        match &result {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && has_open_port(places) => {
                result = listen_once(places, options);
            }
            _ => break,
        }
    }
    result
}

fn has_open_port(places: &[Place]) -> bool {
    places
        .iter()
        .any(|place| matches!(place, Place::Tcp(addresses) if addresses.iter().any(|address| address.port() == 0)))
}

fn listen_once(places: &[Place], options: Options) -> io::Result<Vec<Box<dyn Listener>>> {
    let mut listeners: Vec<Box<dyn Listener>> = Vec::new();
    let mut chosen_port = 0;
    for place in places {
        match place {
            Place::Unix(path) => listeners.push(unix::listen(path, options)?),
            Place::Tcp(addresses) => {
                let before = listeners.len();
                let mut missing = io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on");
                for address in addresses {
                    // Port 0 lets the system choose; one choice holds for all addresses.
                    let port = if address.port() == 0 { chosen_port } else { address.port() };
                    let wanted = SocketAddr::new(address.ip(), port);
                    match listen_tcp(wanted, is_v6_alone(*address, places), options) {
                        Ok(listener) => {
                            if address.port() == 0 {
                                chosen_port = listener.local_addr().map_or(0, |bound| bound.port());
                            }
                            listeners.push(listener);
                        }
                        Err(error) if is_missing_here(&error) => missing = error,
                        Err(error) => return Err(error),
                    }
                }
                if listeners.len() == before {
                    return Err(missing);
                }
            }
        }
    }
    match listeners.len() {
        0 => Err(io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on")),
        1..=MOST_LISTENERS => Ok(listeners),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "too many addresses to listen on")),
    }
}

/// This host has no such address, or no such family (IPv6 switched off).
fn is_missing_here(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
}

/// `[::]` takes IPv4 clients as well (dual stack), unless they have a listener of their own.
fn is_v6_alone(address: SocketAddr, places: &[Place]) -> bool {
    !address.ip().is_unspecified()
        || places.iter().any(|place| match place {
            Place::Tcp(others) => others.contains(&SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port())),
            Place::Unix(_) => false,
        })
}

fn listen_tcp(address: SocketAddr, is_v6_alone: bool, options: Options) -> io::Result<Box<dyn Listener>> {
    let open = || {
        // 1. socket
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if options.reuse_address {
            // A port can be bound again while connections of an earlier run are in TIME_WAIT.
            socket.set_reuse_address(true)?;
        }
        if address.is_ipv6() {
            socket.set_only_v6(is_v6_alone)?;
        }
        // Accepted sockets inherit it on Linux, which saves a call for each. Answers are whole: waiting gains nothing.
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        // 2. bind
        socket.bind(&address.into())?;
        // 3. listen
        socket.listen(options.backlog)?;
        if options.client_begins {
            deferred::defer_accept(&socket);
        }
        Ok(mio::net::TcpListener::from_std(socket.into()))
    };
    let socket = open().map_err(|error| name_unsupported(&error, &address))?;
    let local = socket.local_addr()?;
    Ok(Box::new(TcpListener { socket, local }))
}

/// Says which address it was; an address family that the system lacks has no error kind of its own in std.
fn name_unsupported(error: &io::Error, address: &dyn std::fmt::Display) -> io::Error {
    const ADDRESS_FAMILY: [i32; 3] = [97, 47, 10_047]; // EAFNOSUPPORT on Linux; macOS and the BSDs; Windows
    let is_family = error.raw_os_error().is_some_and(|code| ADDRESS_FAMILY.contains(&code));
    let kind = if is_family { io::ErrorKind::Unsupported } else { error.kind() };
    io::Error::new(kind, format!("cannot listen on {address}: {error}"))
}

struct TcpListener {
    socket: mio::net::TcpListener,
    local: SocketAddr,
}

impl Listener for TcpListener {
    fn source(&mut self) -> &mut dyn mio::event::Source {
        &mut self.socket
    }

    fn accept(&mut self) -> io::Result<Accepted> {
        // 4. accept
        let (new_socket, mut ip_port) = self.socket.accept()?;
        if !NODELAY_IS_INHERITED {
            let _ = new_socket.set_nodelay(true); // it fails for a client that has gone again, who is found out when read
        }
        // A dual-stack socket shows 192.0.2.1 as ::ffff:192.0.2.1.
        ip_port.set_ip(ip_port.ip().to_canonical());
        Ok(Accepted { transport: Box::new(Plain::new(new_socket)), peer: ip_port })
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        Some(self.local)
    }
}

const NODELAY_IS_INHERITED: bool = cfg!(target_os = "linux");

/// Such an error ends with the client that it befell; the next one may be there (accept(2)). All others are the
/// system's: it lacks descriptors or memory, and trying at once again would only spin.
pub(crate) fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionReset, HostUnreachable, Interrupted, NetworkUnreachable, PermissionDenied,
    };
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | HostUnreachable | Interrupted | NetworkUnreachable | PermissionDenied
    )
}
