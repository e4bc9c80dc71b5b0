//! A folder on the web: what the program `qibu` does, as a program of your own.
//!
//! Type:  cargo run --example 20_static_files -- static
//! and open http://127.0.0.1:8090/
//!
//! You will see the welcome page of this project; of a folder without an index.html you would see a list of its files.
//! Without a folder's name, the one you are in is served.
//!
//! Next: 21_forms_and_json, for what comes in with a body.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use qibu::{StaticFiles, WebServer};

mod support;

fn main() -> io::Result<()> {
    let sample = tempfile::tempdir()?;
    let folder = if support::is_self_test() { fill(sample.path())? } else { folder_of_arguments() };
    let server = WebServer::new(support::address(), StaticFiles::open(folder)?)?;
    support::begin(&server, self_test);
    server.start()
}

fn folder_of_arguments() -> PathBuf {
    std::env::args_os().nth(1).map_or_else(|| ".".into(), PathBuf::from)
}

fn fill(folder: &Path) -> io::Result<PathBuf> {
    std::fs::write(folder.join("steps.txt"), "socket bind listen accept recv send close\n")?;
    std::fs::write(folder.join(".secret"), "not for you\n")?;
    Ok(folder.to_owned())
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let file = support::get(address, "/steps.txt", "")?;
    support::expect(file.ends_with("\r\n\r\nsocket bind listen accept recv send close\n"), "a file is served", &file)?;
    let tag = file.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap_or("(none)");
    let again = support::get(address, "/steps.txt", &format!("If-None-Match: {tag}\r\n"))?;
    support::expect(again.starts_with("HTTP/1.1 304 "), "who has it is not sent it again", &again)?;
    let part = support::get(address, "/steps.txt", "Range: bytes=0-5\r\n")?;
    support::expect(part.starts_with("HTTP/1.1 206 ") && part.ends_with("\r\n\r\nsocket"), "a part is served", &part)?;
    let list = support::get(address, "/", "")?;
    support::expect(list.contains("steps.txt") && !list.contains(".secret"), "the folder is listed", &list)?;
    for outside in ["/.secret", "/../", "/%2e%2e/"] {
        let answer = support::get(address, outside, "")?;
        support::expect(answer.starts_with("HTTP/1.1 404 "), format_args!("{outside} is not there"), &answer)?;
    }
    Ok("20_static_files: a file, a part of it, a 304 and a listing were served; what is hidden or outside was not")
}
