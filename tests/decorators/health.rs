//! `/live` and `/ready`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use qibu::testing::TestClient;
use qibu::{HandlerExt, Health, Request, WebServer};

fn page(_: &mut Request) -> &'static str {
    "a page"
}

#[test]
fn a_check_that_fails_is_named_and_may_recover() {
    let database = Arc::new(AtomicBool::new(false));
    let reachable = database.clone();
    let health = Health::new().check("disk", || true).check("database", move || reachable.load(Ordering::Relaxed));
    let client = TestClient::new(page.with(health));
    let failed = client.get("/ready").send();
    assert_eq!((failed.status(), failed.text()), (503, "failed: database\n"));
    database.store(true, Ordering::Relaxed);
    assert_eq!(client.get("/ready").send().text(), "ready\n");
    assert_eq!(client.get("/ready").send().header("cache-control"), Some("no-store"));
}

#[test]
fn a_check_may_block_so_it_does_not_run_on_the_loop() {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let note = |threads: &Arc<Mutex<Vec<ThreadId>>>| threads.lock().unwrap().push(thread::current().id());
    let (of_page, of_check) = (threads.clone(), threads.clone());
    let health = Health::new().check("a", move || {
        note(&of_check);
        true
    });
    let inline = move |_: &mut Request| note(&of_page);
    let server = WebServer::builder().addr("127.0.0.1:0").loops(1).build(inline.with(health)).unwrap().spawn().unwrap();
    for path in ["/ready", "/"] {
        let mut stream = TcpStream::connect(server.local_addr()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let threads = threads.lock().unwrap();
    assert!(threads.len() == 2 && threads[0] != threads[1], "{threads:?}");
}

#[test]
fn leaving_is_said_whatever_the_checks_say_and_the_server_still_answers() {
    let health = Health::new().check("all", || true);
    let client = TestClient::new(page.with(health.clone()));
    health.leave();
    assert_eq!(client.get("/ready").send().text(), "leaving\n");
    assert_eq!(client.get("/live").send().text(), "alive\n");
    assert_eq!(client.get("/").send().text(), "a page");
}

#[test]
fn only_these_paths_and_only_reading_is_meant() {
    let client = TestClient::new(page.with(Health::new()));
    assert_eq!(client.request("HEAD", "/live").send().status(), 200);
    for path in ["/live/", "/ready/x", "/LIVE", "/%6Cive"] {
        assert_eq!(client.get(path).send().text(), "a page", "{path}");
    }
    assert_eq!(client.post("/ready").send().text(), "a page");
}
