//! The same with qibu: a closure, one loop. `POST` counts the bytes of its body while they arrive.

use std::io::BufRead;

use qibu::{Handler, Plan, Request, Response, WebServer};

struct Bench;

impl Handler for Bench {
    fn handle(&self, request: &mut Request) -> Response {
        match request.method().as_str() {
            "POST" => Response::text(format!("{} bytes", count(request).unwrap_or(0))),
            _ => Response::text(format!("hello, {}", peers::name(request.query_string().unwrap_or("")))),
        }
    }

    fn plan(&self, request: &mut Request) -> Plan {
        match request.method().as_str() {
            "POST" => Plan::stream().body_limit(1 << 30),
            _ => Plan::inline(),
        }
    }
}

fn count(request: &mut Request) -> std::io::Result<usize> {
    let mut bytes = 0;
    loop {
        let piece = request.body().fill_buf()?.len();
        if piece == 0 {
            return Ok(bytes);
        }
        request.body().consume(piece);
        bytes += piece;
    }
}

fn main() -> std::io::Result<()> {
    WebServer::builder().addr(("127.0.0.1", peers::port())).loops(1).build(Bench)?.start()
}
