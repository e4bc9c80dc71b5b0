//! What is printed once the server listens: what is served, links that can be followed, a picture of the link for a
//! telephone, and how to stop it.

use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use super::complaint::Complaint;
use super::listen::{DEFAULT_PORT, Listening, Port};
use super::options::{Bind, Settings};
use super::qr::{self, Ink};

/// Names that people are surprised to find in what they share; they are never served.
const PRIVATE: [&str; 6] = [".git", ".hg", ".svn", ".env", ".ssh", ".htpasswd"];

/// What there is to say, and to whom.
pub(crate) struct Banner {
    /// One line each; the last one says how to stop it.
    lines: Vec<String>,
    qr: Option<String>,
    /// For the browser.
    open: Option<String>,
}

impl Banner {
    pub(super) fn of(settings: &Settings, listening: &Listening) -> Result<Self, Complaint> {
        let addresses = listening.server.local_addrs();
        let urls = urls(&addresses);
        let open = match (settings.open, urls.first()) {
            (false, _) => None,
            (true, Some(url)) => Some(url.clone()),
            (true, None) => {
                return Err(Complaint::Failure(
                    "--open: no browser opens a unix socket; add an address, as -b 127.0.0.1".into(),
                ));
            }
        };
        let qr = picture_for(settings, &addresses);
        Ok(Self { lines: lines(settings, listening, &urls), qr, open })
    }

    /// Whoever has closed our output still wants the folder.
    pub(crate) fn show(&self) {
        let mut out = io::stdout().lock();
        if let (Some(qr), Some((stop, lines))) = (&self.qr, self.lines.split_last()) {
            lines.iter().for_each(|line| drop(writeln!(out, "{}", plain(line))));
            let _ = writeln!(out, "{qr}{}", plain(stop));
        } else {
            self.lines.iter().for_each(|line| drop(writeln!(out, "{}", plain(line))));
        }
        if let Some(Err(error)) = self.open.as_ref().map(open::that_detached) {
            log::warn!("--open: no browser could be started: {error}");
        }
    }
}

/// A name may hold anything; on a terminal it is only text.
pub(crate) fn plain(line: &str) -> String {
    let show = |character: char| match character {
        _ if character.is_control() => character.escape_default().to_string(),
        _ => character.to_string(),
    };
    line.chars().map(show).collect()
}

/// The picture of an address that another device can reach: where it was asked for, or where it is of use.
fn picture_for(settings: &Settings, addresses: &[SocketAddr]) -> Option<String> {
    let is_terminal = io::stdout().is_terminal();
    if !settings.qr.unwrap_or(settings.lan && is_terminal) {
        return None;
    }
    let reachable = addresses.iter().filter(|address| !address.ip().is_loopback());
    let urls: Vec<_> = reachable.flat_map(|address| outside(*address)).collect();
    // An IPv4 address is shorter, and more telephones have one.
    let url = urls.iter().find(|url| !url.contains('[')).or(urls.first());
    let ink = if is_terminal { Ink::Colours } else { Ink::Blocks };
    let picture = url.and_then(|url| Some(format!("{url}\n{}", qr::picture(url, ink)?)));
    if picture.is_none() {
        log::warn!("--qr: there is no address that another device could reach");
    }
    picture
}

fn lines(settings: &Settings, listening: &Listening, urls: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    if let Port::Moved(port) = listening.port {
        lines.push(format!("Port {DEFAULT_PORT} is taken; this is port {port}. Choose one yourself with -p."));
    }
    let folder = settings.folder();
    lines.push(format!("Serving {}", std::path::absolute(folder).unwrap_or(folder.to_owned()).display()));
    for mount in &settings.mount {
        let folder = std::path::absolute(&mount.folder).unwrap_or(mount.folder.clone());
        lines.push(format!("Serving {} at {}/", folder.display(), mount.at));
    }
    for bind in &settings.bind {
        if let Bind::Unix(_) = bind {
            lines.push(format!("  {bind}"));
        }
    }
    let addresses = listening.server.local_addrs();
    lines.extend(urls.iter().map(|url| format!("  {url}")));
    if settings.watch {
        lines.push("Pages in the browser reload when a file changes.".into());
    }
    lines.extend(hint(folder));
    let is_open = addresses.iter().any(|address| !address.ip().is_loopback());
    lines.push(match (settings.bind.is_empty(), is_open) {
        (_, true) => "Everyone in this network can see it. Ctrl-C stops.".into(),
        (true, false) => "Only this computer can see it; add --lan to share it with the network. Ctrl-C stops.".into(),
        (false, false) => "Only this computer can see it. Ctrl-C stops.".into(),
    });
    lines
}

/// What lies in the folder and would be a fright to see on the web.
fn hint(folder: &Path) -> Option<String> {
    let there: Vec<_> = PRIVATE.into_iter().filter(|name| folder.join(name).symlink_metadata().is_ok()).collect();
    (!there.is_empty()).then(|| format!("Not served, nor any other name that begins with a dot: {}", there.join(", ")))
}

fn urls(bound: &[SocketAddr]) -> Vec<String> {
    let is_localhost = |ip: IpAddr| ip == Ipv4Addr::LOCALHOST || ip.is_unspecified();
    let mut urls = Vec::new();
    if let Some(local) = bound.iter().find(|address| is_localhost(address.ip())) {
        urls.push(format!("http://localhost:{}/", local.port()));
    }
    for address in bound {
        urls.extend(outside(*address));
    }
    urls
}

/// The links to what was bound; all addresses are those of the interfaces.
fn outside(bound: SocketAddr) -> Vec<String> {
    match bound.ip() {
        ip if ip.is_unspecified() => interfaces(ip).map(|ip| url(ip, bound.port())).collect(),
        ip => vec![url(ip, bound.port())],
    }
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
