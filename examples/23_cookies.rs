//! A cookie: the browser remembers, and tells us.
//!
//! Type:  cargo run --example 23_cookies
//! and open http://127.0.0.1:8090/, some times, or type  curl -i -b "theme=dark" http://127.0.0.1:8090/
//!
//! A cookie is text that the client may write as it likes, so this one chooses between two themes and nothing else. For what
//! must not be changed by its owner there is `Sessions`.
//!
//! Next: 24_decorators_stacked.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use qibu::cookies::{Cookie, SameSite};
use qibu::testing::TestClient;
use qibu::{Request, Response, Result, Router, WebServer};

mod support;

/// How long a browser keeps the choice.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

fn page(request: &mut Request) -> Response {
    let (colours, other) = match request.cookie("theme") {
        Some("dark") => ("#eee;background:#111", "light"),
        _ => ("#111;background:#eee", "dark"),
    };
    Response::html(format!(
        "<!DOCTYPE html><title>Theme</title><body style='color:{colours}'>
        <form method=post action=/theme?to={other}><button>{other}, please</button></form>\n"
    ))
}

fn choose(request: &mut Request) -> Result {
    let cookie = match request.query::<String>("to")?.as_str() {
        "dark" => Cookie::new("theme", "dark").max_age(YEAR).same_site(SameSite::Strict),
        _ => Cookie::removal("theme"),
    };
    Ok(Response::redirect("/").with_cookie(cookie))
}

fn app() -> Router {
    Router::new().get("/", page).post("/theme", choose)
}

fn main() -> io::Result<()> {
    let server = WebServer::new(support::address(), app())?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let chosen = support::post(address, "/theme?to=dark", "", "")?;
    let field = "\r\nset-cookie: theme=dark; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000\r\n";
    support::expect(chosen.contains(field), "a cookie is set", &chosen)?;
    let dark = support::get(address, "/", "Cookie: other=1; theme=dark\r\n")?;
    support::expect(dark.contains("background:#111"), "a cookie is read", &dark)?;

    let browser = TestClient::new(app()); // keeps cookies, and needs no socket
    browser.post("/theme?to=dark").send();
    let page = browser.get("/").send();
    support::expect(page.text().contains("light, please"), "a browser keeps it", page.text())?;
    browser.post("/theme?to=light").send();
    let page = browser.get("/").send();
    support::expect(page.text().contains("dark, please"), "until it is removed", page.text())?;
    Ok("23_cookies: a cookie was set, read, kept and removed")
}
