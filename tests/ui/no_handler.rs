//! A struct that is given to a server without being a handler.

use qibu::WebServer;

struct Blog;

fn main() -> std::io::Result<()> {
    WebServer::new("127.0.0.1:0", Blog)?.start()
}

//~ `Blog` cannot answer HTTP requests
//~ a struct does by `impl Handler for Blog`
//~ a closure must name its argument's type, as in `|request: &mut Request| ...`
