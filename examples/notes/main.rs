//! A small application, to copy from: notes that are kept in SQLite, read and written over REST, and shown on a page that
//! follows every change. One must log in; a note may have a picture.
//!
//! Type:  cargo run --example notes
//! and open http://127.0.0.1:8090/ in two windows. Log in as `demo` with `seven steps`, write in one, and see the other.
//! `cargo test --example notes` runs its tests. NOTES_DB names the database (else it is in memory), NOTES_KEY the key that
//! signs sessions (else each start has another).
//!
//! | file | what it is |
//! |---|---|
//! | main.rs | the settings, and what stands around the application |
//! | app.rs | the handlers: what is asked, what is answered |
//! | store.rs | the database: nothing of HTTP |
//! | page.html | what the browser shows |
//! | tests.rs | the application as a client sees it, without sockets |

use std::sync::Arc;
use std::{env, io, thread};

use qibu::sessions::Sessions;
use qibu::{AccessLog, Handler, HandlerExt, Health, Metrics, SecurityHeaders, ServerHandle, WebServer};

mod app;
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod tests;

mod store;

use app::App;
use store::Store;

/// The application with all that stands around it. The last decorator is the outermost.
fn build(store: Store, sessions: Sessions) -> io::Result<impl Handler> {
    let (app, metrics) = (Arc::new(App::new(store)), Metrics::new());
    let (listeners, database) = (app.clone(), app.clone());
    metrics.gauge("notes_listeners", "Pages that follow the notes now.", move || listeners.listeners() as f64);
    let health = Health::new().check("database", move || database.is_well());
    let headers = SecurityHeaders::new().set("content-security-policy", app::POLICY)?;
    let routes = app::routes(&app, &metrics);
    Ok(routes.with(metrics).with(sessions).with(headers).with(health).with(AccessLog::new()))
}

fn sessions() -> io::Result<Sessions> {
    match env::var("NOTES_KEY") {
        Ok(key) => Sessions::new(key.as_bytes()),
        Err(_) => Sessions::with_random_key(),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    support::start_log();
    let store = Store::open(&env::var("NOTES_DB").unwrap_or_else(|_| ":memory:".into()))?;
    let server = WebServer::new(support::address(), build(store, sessions()?)?)?;
    stop_on_ctrl_c(server.handle())?;
    support::begin(&server, self_test);
    server.start()?; // returns when all answers are out: pages that follow the notes are told to come again
    Ok(())
}

fn stop_on_ctrl_c(handle: ServerHandle) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || signals.forever().for_each(|_| handle.shutdown()));
    Ok(())
}

fn self_test(address: std::net::SocketAddr) -> io::Result<&'static str> {
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = support::post(address, "/login", form, "name=demo&password=seven+steps")?;
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
    let cookie = cookie.ok_or_else(|| io::Error::other(format!("no session: {answer}")))?;
    let json = format!("Content-Type: application/json\r\nCookie: {cookie}\r\n");
    let made = support::post(address, "/api/notes", &json, r#"{"text":"seven steps"}"#)?;
    support::expect(made.starts_with("HTTP/1.1 201 "), "who has logged in may write", &made)?;
    let read = support::get(address, "/api/notes", &format!("Cookie: {cookie}\r\n"))?;
    support::expect(read.contains(r#""text":"seven steps""#), "and read", &read)?;
    let refused = support::get(address, "/api/notes", "")?;
    support::expect(refused.starts_with("HTTP/1.1 401 "), "and nobody else", &refused)?;
    Ok("notes: log in, write, read")
}
