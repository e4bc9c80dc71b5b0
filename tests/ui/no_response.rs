//! A route that returns what is no response.

use qibu::Router;

fn main() {
    let _ = Router::new().get("/price", |_| 9.95);
}

//~ `{float}` cannot be an HTTP response
//~ return text, bytes, a StatusCode, a Response, or an Option, Result or (StatusCode, _) of those
