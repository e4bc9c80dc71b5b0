//! The decorators that come with qibu, stacked as a site behind a proxy might want them.
//!
//! Type:  cargo run --example 24_decorators_stacked
//! and in a second terminal, some of:
//!
//!     curl -i --compressed -H 'X-Forwarded-For: 203.0.113.9' http://127.0.0.1:8090/
//!     curl -i -u alice:'seven steps' http://127.0.0.1:8090/metrics
//!     curl -i http://127.0.0.1:8090/ready
//!
//! You will see 203.0.113.9 in the log, and each decorator's fields in the answer.
//!
//! Next: 25_blocking, for handlers that take their time.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use qibu::auth::BasicAuth;
use qibu::{
    AccessLog, Compress, Handler, HandlerExt, Health, Metrics, RateLimit, RequestId, Router, SecurityHeaders, Timeout,
    TrustedProxies, WebServer, limit,
};

mod support;

/// Read it from the bottom: the last one is the outermost, and sees a request first and its answer last.
fn site(metrics: &Metrics, health: &Health) -> io::Result<impl Handler> {
    // In a file, with `htpasswd -B users alice`, and BasicAuth::open("users")?
    let users = format!("alice:{}", BasicAuth::hash("seven steps")?);
    let site = Router::new()
        .get("/", |_| "seven steps ".repeat(500))
        .route("GET /metrics", metrics.page().with(BasicAuth::new(&users)?));
    Ok(limit(site, 64 * 1024)
        .with(Timeout::new(Duration::from_secs(10)))
        .with(Compress::new())
        .with(SecurityHeaders::new())
        .with(RateLimit::new(100, Duration::from_secs(60)))
        .with(health.clone()) // outside the limit: who asks for our health asks often
        .with(metrics.clone())
        .with(AccessLog::new())
        .with(RequestId::new())
        .with(TrustedProxies::new(["127.0.0.1", "::1"])?))
}

fn main() -> io::Result<()> {
    support::start_log();
    let (metrics, health) = (Metrics::new(), Health::new());
    let server = WebServer::new(support::address(), site(&metrics, &health)?)?;
    server.handle().report_to(&metrics);
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let page = support::get(address, "/", "X-Forwarded-For: 203.0.113.9\r\n")?;
    for field in ["x-request-id: ", "x-content-type-options: nosniff", "vary: accept-encoding"] {
        support::expect(page.contains(field), format!("there is {field}"), &page)?;
    }
    support::expect(support::get(address, "/ready", "")?.ends_with("ready\n"), "it is ready", "")?;
    let secret = support::get(address, "/metrics", "")?;
    support::expect(secret.starts_with("HTTP/1.1 401 "), "the figures are not for everyone", &secret)?;
    support::expect(secret.contains("nosniff"), "a refusal passes through the decorators, too", &secret)?;
    let alice = "Authorization: Basic YWxpY2U6c2V2ZW4gc3RlcHM=\r\n";
    let figures = support::get(address, "/metrics", alice)?;
    let count = "qibu_http_requests_total{method=\"GET\",route=\"/\",status=\"200\"} 1\n";
    support::expect(figures.contains(count), "the page was counted", &figures)?;
    let is_refused =
        |_| support::get(address, "/", "X-Forwarded-For: 203.0.113.9\r\n").is_ok_and(|page| page.contains(" 429 "));
    support::expect((0..1000).any(is_refused), "one client is not to have it all", "a thousand pages")?;
    Ok("24_decorators_stacked: eleven decorators, each seen to work")
}
