//! A closure outside of a router's verbs, where Rust does not know what its argument is.

use qibu::WebServer;

fn main() -> std::io::Result<()> {
    WebServer::new("127.0.0.1:0", |request| request.path().to_owned())?.start()
}

//~ consider giving this closure parameter an explicit type
