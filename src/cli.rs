//! The command line: what it says, and how it becomes a server.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use clap::Parser;
use qibu::{AccessLog, HandlerExt, StaticFiles, WebServer};

/// Where to go if the user has not said so.
const DEFAULT_PORT: u16 = 8080;

/// How many ports are tried from there on.
const PORTS_TO_TRY: u16 = 100;

/// Serves a folder on the web.
#[derive(Debug, Parser)]
#[command(name = "qibu", version, about = "Serves a folder on the web", after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Options {
    /// The folder or file to serve
    #[arg(value_name = "DIR|FILE", default_value = ".")]
    path: PathBuf,

    /// Let the whole network in, not only this computer
    #[arg(short, long, conflicts_with = "bind")]
    lan: bool,

    /// The port; 0 lets the system choose [default: 8080, or the next free one]
    #[arg(short, long, value_parser = parse_port, allow_negative_numbers = true)]
    port: Option<u16>,

    /// An address to listen on, or unix:PATH; may be given several times
    #[arg(short, long, value_name = "ADDRESS", value_parser = parse_bind)]
    bind: Vec<Bind>,

    /// How many event loops, each on a thread [default: one per core]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    loops: Option<u16>,
}

const EXAMPLES: &str = "\
Examples:
  qibu                     serve this folder at http://localhost:8080/
  qibu site/               serve another one
  qibu --lan               share this folder with the network
  qibu -p 3000 book.pdf    serve one file, on a port of your choice
  qibu -b unix:/run/q.sock serve behind a proxy on this computer

Never served: names that begin with a dot (but /.well-known/), and links that lead out of the folder.
More or less to read on the terminal: RUST_LOG=debug, RUST_LOG=error";

/// Where to listen, as the user says it.
#[derive(Debug, Clone)]
enum Bind {
    Address(IpAddr),
    AddressAndPort(SocketAddr),
    Unix(PathBuf),
}

fn parse_port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "a port is a number from 0 to 65535".into())
}

fn parse_bind(text: &str) -> Result<Bind, String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return if path.is_empty() { Err("unix: needs a path behind it".into()) } else { Ok(Bind::Unix(path.into())) };
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let text = text.replacen("localhost", "127.0.0.1", usize::from(text.starts_with("localhost")));
    let bare = bare.replacen("localhost", "127.0.0.1", usize::from(bare == "localhost"));
    match (bare.parse(), text.parse()) {
        (Ok(address), _) => Ok(Bind::Address(address)),
        (_, Ok(address)) => Ok(Bind::AddressAndPort(address)),
        _ => Err("an IP address such as 127.0.0.1 or ::1, with a port if you like, or unix:PATH".into()),
    }
}

/// Something the user can mend; said in one line.
#[derive(Debug)]
pub(crate) struct Complaint(String);

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A server that listens, and what there is to say about it.
pub(crate) struct Prepared {
    pub(crate) server: WebServer,
    /// One line each.
    pub(crate) news: Vec<String>,
}

/// Opens the folder and listens.
pub(crate) fn prepare(options: &Options) -> Result<Prepared, Complaint> {
    let files = || {
        let opened = StaticFiles::open(&options.path).map_err(|error| complain_of_path(options, &error))?;
        Ok(opened.with(AccessLog::new()))
    };
    let bind = |port| -> Result<io::Result<WebServer>, Complaint> { Ok(builder(options, port).build(files()?)) };
    match options.port {
        Some(port) => {
            let server = bind(port)?.map_err(|error| complain_of_listening(options, &error))?;
            let news = describe(options, &server);
            Ok(Prepared { server, news })
        }
        None => {
            let mut server = bind(DEFAULT_PORT)?;
            let mut port = DEFAULT_PORT;
            while is_taken(&server) && options.has_open_port() && port < DEFAULT_PORT + PORTS_TO_TRY {
                port += 1;
                server = bind(port)?;
            }
            let server = server.map_err(|error| complain_of_listening(options, &error))?;
            let mut news = describe(options, &server);
            if port != DEFAULT_PORT {
                news.insert(
                    0,
                    format!("Port {DEFAULT_PORT} is taken; this is port {port}. Choose one yourself with -p."),
                );
            }
            Ok(Prepared { server, news })
        }
    }
}

fn is_taken(server: &io::Result<WebServer>) -> bool {
    server.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

impl Options {
    /// Whether a port is ours to choose.
    fn has_open_port(&self) -> bool {
        self.bind.is_empty() || self.bind.iter().any(|bind| matches!(bind, Bind::Address(_)))
    }
}

fn builder(options: &Options, port: u16) -> qibu::Builder {
    let mut builder = WebServer::builder();
    if let Some(loops) = options.loops {
        builder = builder.loops(loops.into());
    }
    for bind in &options.bind {
        builder = match bind {
            Bind::Address(address) => builder.addr((*address, port)),
            Bind::AddressAndPort(address) => builder.addr(address),
            Bind::Unix(path) => builder.unix(path),
        };
    }
    match (options.bind.is_empty(), options.lan) {
        (false, _) => builder,
        // One name for both families: a host without IPv6 is fine.
        (true, false) => builder.addr(both(Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST, port).as_slice()),
        (true, true) => builder.addr(both(Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED, port).as_slice()),
    }
}

fn both(v4: Ipv4Addr, v6: Ipv6Addr, port: u16) -> [SocketAddr; 2] {
    [SocketAddr::from((v4, port)), SocketAddr::from((v6, port))]
}

fn complain_of_path(options: &Options, error: &io::Error) -> Complaint {
    let path = options.path.display();
    Complaint(match error.kind() {
        io::ErrorKind::NotFound => format!("there is no folder or file {path}"),
        io::ErrorKind::PermissionDenied => {
            format!("{path} cannot be read: permission denied; change its rights, or run qibu as its owner")
        }
        _ => format!("{path} cannot be read: {error}"),
    })
}

/// What went wrong, and the option that mends it: the one that said where to listen.
fn complain_of_listening(options: &Options, error: &io::Error) -> Complaint {
    let is_path = options
        .bind
        .iter()
        .any(|bind| matches!(bind, Bind::Unix(path) if error.to_string().contains(&*path.to_string_lossy())));
    let option = if options.has_open_port() { "-p" } else { "-b" };
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
    Complaint(format!("{error}{help}"))
}

/// What was bound, as links that can be followed.
fn describe(options: &Options, server: &WebServer) -> Vec<String> {
    let mut news =
        vec![format!("Serving {}", std::path::absolute(&options.path).unwrap_or(options.path.clone()).display())];
    for bind in &options.bind {
        if let Bind::Unix(path) = bind {
            news.push(format!("  unix:{}", path.display()));
        }
    }
    for url in urls(&server.local_addrs()) {
        news.push(format!("  {url}"));
    }
    let is_open = server.local_addrs().iter().any(|address| !address.ip().is_loopback());
    news.push(match (options.bind.is_empty(), is_open) {
        (_, true) => "Everyone in this network can see it. Ctrl-C stops.".into(),
        (true, false) => "Only this computer can see it; add --lan to share it with the network. Ctrl-C stops.".into(),
        (false, false) => "Only this computer can see it. Ctrl-C stops.".into(),
    });
    news
}

fn urls(bound: &[SocketAddr]) -> Vec<String> {
    let is_localhost = |ip: IpAddr| ip == Ipv4Addr::LOCALHOST || ip.is_unspecified();
    let mut urls = Vec::new();
    if let Some(local) = bound.iter().find(|address| is_localhost(address.ip())) {
        urls.push(format!("http://localhost:{}/", local.port()));
    }
    for address in bound {
        match address.ip() {
            ip if ip.is_unspecified() => urls.extend(interfaces(ip).map(|ip| url(ip, address.port()))),
            ip => urls.push(url(ip, address.port())),
        }
    }
    urls
}

fn url(ip: IpAddr, port: u16) -> String {
    format!("http://{}/", SocketAddr::new(ip, port))
}

/// The addresses of this host that others can reach, of the same family. Link-local ones work in no URL.
fn interfaces(like: IpAddr) -> impl Iterator<Item = IpAddr> {
    let all = if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| interface.ip());
    all.filter(move |ip| ip.is_ipv4() == like.is_ipv4() && !ip.is_loopback() && !is_link_local(ip))
}

fn is_link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}
