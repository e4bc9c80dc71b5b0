//! What is printed once the server listens: what is served, and links that can be followed.
//!
//! Pattern: none; a report.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::listen::{DEFAULT_PORT, Listening, Port};
use super::options::{Bind, Settings};

/// One line each; the last one says how to stop it.
pub(super) fn lines(settings: &Settings, listening: &Listening) -> Vec<String> {
    let mut lines = Vec::new();
    if let Port::Moved(port) = listening.port {
        lines.push(format!("Port {DEFAULT_PORT} is taken; this is port {port}. Choose one yourself with -p."));
    }
    let folder = settings.folder();
    lines.push(format!("Serving {}", std::path::absolute(folder).unwrap_or(folder.to_owned()).display()));
    for bind in &settings.bind {
        if let Bind::Unix(_) = bind {
            lines.push(format!("  {bind}"));
        }
    }
    let addresses = listening.server.local_addrs();
    lines.extend(urls(&addresses).iter().map(|url| format!("  {url}")));
    if settings.watch {
        lines.push("Pages in the browser reload when a file changes.".into());
    }
    let is_open = addresses.iter().any(|address| !address.ip().is_loopback());
    lines.push(match (settings.bind.is_empty(), is_open) {
        (_, true) => "Everyone in this network can see it. Ctrl-C stops.".into(),
        (true, false) => "Only this computer can see it; add --lan to share it with the network. Ctrl-C stops.".into(),
        (false, false) => "Only this computer can see it. Ctrl-C stops.".into(),
    });
    lines
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
