//! Two pages, and a field in every answer: beneath /each every handler puts it there, beneath /around one decorator does.
//!
//! Type:  cargo run --example signed
//! and in a second terminal:  curl -i http://127.0.0.1:8090/each/attic
//!
//! The 404 has no field `x-served-by`, since no handler of ours made it. That of /around/attic has it. Chapter 10 of the
//! course (docs/guide) begins with this; docs/guide/mine.rs is where its exercise begins.

use std::{env, io};

use qibu::{Handler, HandlerExt, Request, Response, Router, WebServer};

/// The rule is about all answers, but it stands in each.
fn each() -> Router {
    let app = Router::new().get("/", |_| add_name(Response::text("home\n")));
    app.get("/about", |_| add_name(Response::text("about\n")))
}

fn add_name(response: Response) -> Response {
    response.with_header("x-served-by", "me")
}

/// It stands around all of them, once.
fn around() -> impl Handler {
    let app = Router::new().get("/", |_| "home\n").get("/about", |_| "about\n");
    app.with(sign)
}

fn sign(request: &mut Request, next: &dyn Handler) -> Response {
    next.handle(request).map(|response| response.with_header("x-served-by", "me"))
}

fn main() -> io::Result<()> {
    let address = env::var("ADDRESS").unwrap_or("127.0.0.1:8090".to_owned());
    let server = WebServer::new(address, Router::new().mount("/each", each()).mount("/around", around()))?;
    println!("Listening on {}. Ctrl-C stops.", server.local_addr());
    server.start()
}
