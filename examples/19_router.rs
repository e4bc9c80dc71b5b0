//! Paths, methods and parameters; a router in a router; a folder beside them.
//!
//! Type:  cargo run --example 19_router
//! and in a second terminal:  curl -i http://127.0.0.1:8090/notes/7
//!
//! Ask for /notes/seven, and you will see a 400 that names the parameter; send PUT to /notes, and you will see a 405 that
//! names the right methods. http://127.0.0.1:8090/source/ is the folder examples/. Next: 20_static_files.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use qibu::{Error, Request, Response, Result, Router, StaticFiles, StatusCode, WebServer, method};

mod support;

#[derive(Default)]
struct Notes {
    texts: Mutex<Vec<String>>,
}

impl Notes {
    fn all(&self, _: &mut Request) -> String {
        self.texts.lock().expect("no handler panics with it").join("\n")
    }

    fn show(&self, request: &mut Request) -> Result<String> {
        let number: usize = request.param("number")?;
        let found = self.texts.lock().expect("no handler panics with it").get(number).cloned();
        found.ok_or_else(|| Error::new(StatusCode::NOT_FOUND, format!("there is no note {number}")))
    }

    fn add(&self, request: &mut Request) -> Result {
        let text = request.text()?.to_owned();
        let mut texts = self.texts.lock().expect("no handler panics with it");
        texts.push(text);
        Ok(Response::redirect(&format!("{}/{}", request.mount_path(), texts.len() - 1)))
    }
}

fn app() -> Router {
    let store = Arc::new(Notes::default());
    let notes = Router::new()
        .get("/", method(&store, Notes::all))
        .post("/", method(&store, Notes::add))
        .get("/{number}", method(&store, Notes::show));
    Router::new()
        .get("/", |_| "Try /notes and /source/")
        .get("/hello/{name}", |request| -> Result<String> {
            Ok(format!("Hello, {}!", request.param::<String>("name")?))
        })
        .mount("/notes", notes)
        .mount("/source", StaticFiles::new("examples"))
        .not_found(|request: &mut Request| (StatusCode::NOT_FOUND, format!("nothing at {}", request.path())))
}

fn main() -> io::Result<()> {
    let server = WebServer::new(support::address(), app())?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let hello = support::get(address, "/hello/Li%20Bai", "")?;
    support::expect(hello.ends_with("Hello, Li Bai!"), "a parameter is decoded", &hello)?;
    let added = support::post(address, "/notes", "", "seven steps")?;
    support::expect(added.contains("\r\nlocation: /notes/0\r\n"), "a note is added", &added)?;
    let wrong = support::get(address, "/notes/seven", "")?;
    support::expect(wrong.contains("the path's `number`: invalid"), "a wrong parameter is named", &wrong)?;
    let shown = support::get(address, "/notes/0", "")?;
    support::expect(shown.ends_with("\r\n\r\nseven steps"), "and shown", &shown)?;
    let wrong = support::post(address, "/hello/Li", "", "")?;
    support::expect(wrong.contains("\r\nallow: GET, HEAD, OPTIONS\r\n"), "a wrong method gets the right ones", &wrong)?;
    Ok("19_router: parameters, a router in a router, 405 with the right methods")
}
