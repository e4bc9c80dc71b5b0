//! 11: what is slow runs on a thread of its own; Ctrl-C lets it end.

use std::time::Duration;
use std::{io, thread};

use qibu::{Request, Router, ServerHandle, WebServer, blocking};
use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;

fn take_a_second(_: &mut Request) -> &'static str {
    thread::sleep(Duration::from_secs(1)); // a database, say
    "That took a second.\n"
}

fn stop_on_ctrl_c(server: ServerHandle) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT])?;
    thread::spawn(move || signals.forever().for_each(|_| server.shutdown()));
    Ok(())
}

pub(crate) fn run(address: &str) -> io::Result<()> {
    let app = Router::new().get("/", |_| "At once.\n").route("GET /slow", blocking(take_a_second));
    let server = WebServer::new(address, app)?;
    stop_on_ctrl_c(server.handle())?;
    server.start() // returns when the last answer is out
}
