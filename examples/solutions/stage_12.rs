//! 12: a guest book. The router answers 405 with Allow, the server 413: neither is for us to write.

use std::io;
use std::sync::{Arc, Mutex};

use qibu::{Request, Result, Router, StatusCode, WebServer, method};

#[derive(Default)]
struct GuestBook {
    notes: Mutex<Vec<String>>,
}

impl GuestBook {
    fn all(&self, _: &mut Request) -> String {
        self.notes.lock().expect("nobody panics with it").iter().map(|note| format!("{note}\n")).collect()
    }

    fn add(&self, request: &mut Request) -> Result<StatusCode> {
        let note = request.text()?.to_owned();
        self.notes.lock().expect("nobody panics with it").push(note);
        Ok(StatusCode::CREATED)
    }
}

pub(crate) fn run(address: &str) -> io::Result<()> {
    let book = Arc::new(GuestBook::default());
    let app = Router::new().get("/notes", method(&book, GuestBook::all)).post("/notes", method(&book, GuestBook::add));
    WebServer::builder().addr(address).body_limit(64 * 1024).build(app)?.start()
}
