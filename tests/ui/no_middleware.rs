//! Something around a handler that is no middleware.

use qibu::{HandlerExt, Request};

struct Log;

fn main() {
    let _ = (|_: &mut Request| "hello").with(Log);
}

//~ `Log` cannot stand around a handler
//~ a struct does by `impl Middleware for Log`
