//! Where the server listens: the addresses, the port if it is ours to choose, and what to say if it cannot be.
//!
//! Pattern: Facade (of `qibu::Builder`).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use qibu::{Builder, Handler, WebServer};

use super::complaint::Complaint;
use super::options::{Bind, Settings};

/// Where to go if the user has not said so.
pub(super) const DEFAULT_PORT: u16 = 8080;

/// How many ports are tried from there on.
const PORTS_TO_TRY: u16 = 100;

/// A server that listens.
pub(super) struct Listening {
    pub(super) server: WebServer,
    pub(super) port: Port,
}

/// How it came to its port.
pub(super) enum Port {
    AsExpected,
    /// The usual one was taken; this is the next free one.
    Moved(u16),
}

/// Listens where the settings say.
pub(super) fn listen(settings: &Settings, handler: &Arc<dyn Handler>) -> Result<Listening, Complaint> {
    refuse_lost_port(settings)?;
    let bind = |port| builder(settings, port).build(handler.clone());
    let mut port = settings.port.unwrap_or(DEFAULT_PORT);
    let mut server = bind(port);
    while settings.port.is_none() && has_open_port(settings) && is_taken(&server) && port < DEFAULT_PORT + PORTS_TO_TRY
    {
        port += 1;
        server = bind(port);
    }
    let server = server.map_err(|error| complain(settings, &error))?;
    let is_moved = settings.port.is_none() && port != DEFAULT_PORT;
    Ok(Listening { server, port: if is_moved { Port::Moved(port) } else { Port::AsExpected } })
}

/// A port that no address would get.
fn refuse_lost_port(settings: &Settings) -> Result<(), Complaint> {
    match settings.port {
        Some(port) if !has_open_port(settings) => {
            let binds = settings.bind.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let what = format!(
                "port {port} is for an address without one, and bind ({binds}) has none: leave one of them out, or bind 127.0.0.1 too"
            );
            Err(Complaint::Usage(what))
        }
        _ => Ok(()),
    }
}

fn is_taken(server: &io::Result<WebServer>) -> bool {
    server.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// Whether a port is ours to choose.
fn has_open_port(settings: &Settings) -> bool {
    settings.bind.is_empty() || settings.bind.iter().any(|bind| matches!(bind, Bind::Address(_)))
}

fn builder(settings: &Settings, port: u16) -> Builder {
    let mut builder = WebServer::builder();
    if let Some(loops) = settings.loops {
        builder = builder.loops(loops.into());
    }
    if let Some(count) = settings.max_connections {
        builder = builder.max_connections(usize::try_from(count).unwrap_or(usize::MAX));
    }
    for bind in &settings.bind {
        builder = match bind {
            Bind::Address(address) => builder.addr((*address, port)),
            Bind::AddressAndPort(address) => builder.addr(address),
            Bind::Unix(path) => builder.unix(path),
        };
    }
    match (settings.bind.is_empty(), settings.lan) {
        (false, _) => builder,
        // One name for both families: a host without IPv6 is fine.
        (true, false) => builder.addr(both(Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST, port).as_slice()),
        (true, true) => builder.addr(both(Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED, port).as_slice()),
    }
}

fn both(v4: Ipv4Addr, v6: Ipv6Addr, port: u16) -> [SocketAddr; 2] {
    [SocketAddr::from((IpAddr::V4(v4), port)), SocketAddr::from((IpAddr::V6(v6), port))]
}

/// What went wrong, and the option that mends it: the one that said where to listen.
fn complain(settings: &Settings, error: &io::Error) -> Complaint {
    let text = error.to_string();
    let is_it = |path: &Path| text.starts_with(&format!("cannot listen on {}: ", path.display()));
    let is_path = settings.bind.iter().any(|bind| matches!(bind, Bind::Unix(path) if is_it(path)));
    let option = if has_open_port(settings) { "-p" } else { "-b" };
    let help = match error.kind() {
        io::ErrorKind::AddrInUse if is_path => "; a server or a file is there already: choose another path".into(),
        io::ErrorKind::AddrInUse => {
            format!("; another program has this port: choose another with {option}, or 0 for any")
        }
        io::ErrorKind::PermissionDenied if is_path => "; you may not write there: choose another path".into(),
        io::ErrorKind::PermissionDenied => {
            format!("; ports below 1024 are the administrator's: choose a higher one with {option}")
        }
        io::ErrorKind::AddrNotAvailable => "; this computer has no such address".into(),
        _ => String::new(),
    };
    Complaint::Failure(format!("{error}{help}"))
}
