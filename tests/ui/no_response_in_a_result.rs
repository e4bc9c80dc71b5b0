//! A handler whose `Result` has an error that is no response.

use qibu::{Request, Router};

fn page(_: &mut Request) -> Result<String, std::io::Error> {
    std::fs::read_to_string("page.html")
}

fn main() {
    let _ = Router::new().get("/", page);
}

//~ `std::io::Error` cannot be an HTTP response
//~ with `qibu::Result` as its return type, a handler may use `?` on any type that implements `std::error::Error`
