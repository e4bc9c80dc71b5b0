//! The same with qibu: a closure, one loop. `POST` counts the bytes of its body while they arrive.

use std::ops::ControlFlow;

use qibu::{BodySink, Handler, Plan, Request, Response, WebServer};

struct Bench;

impl Handler for Bench {
    fn handle(&self, request: &mut Request) -> Response {
        match request.body().sink::<Count>() {
            Some(count) => Response::text(format!("{} bytes", count.0)),
            None => Response::text(format!("hello, {}", peers::name(request.query_string().unwrap_or("")))),
        }
    }

    fn plan(&self, request: &mut Request) -> Plan {
        match request.method().as_str() {
            "POST" => Plan::inline().sink(Count(0)).body_limit(1 << 30),
            _ => Plan::inline(),
        }
    }
}

struct Count(usize);

impl BodySink for Count {
    fn take(&mut self, piece: &[u8]) -> ControlFlow<()> {
        self.0 += piece.len();
        ControlFlow::Continue(())
    }
}

fn main() -> std::io::Result<()> {
    WebServer::builder().addr(("127.0.0.1", peers::port())).loops(1).build(Bench)?.start()
}
