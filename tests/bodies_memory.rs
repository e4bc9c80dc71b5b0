//! What bodies cost in memory that nobody wants. A process of its own: nothing else happens in it while it is measured.
#![cfg(target_os = "linux")]

mod common;

use std::fs;

use common::{local, serve};
use qibu::{Router, StaticFiles};

/// As much as a body may have by default.
const BODY_BYTES: usize = 2 * 1024 * 1024;

const CLIENTS_OF_A_KIND: usize = 10;

/// Far less than the bodies of all clients.
const MOST_GROWTH: u64 = 16 * 1024 * 1024;

/// What this process has in memory, in bytes.
fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn a_folder_keeps_nothing_of_a_body_and_its_connection_goes_on_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hello.txt"), "Hello, folder!").unwrap();
    let server = serve(local(), Router::new().mount("/", StaticFiles::new(folder.path())));
    let body = vec![b'x'; BODY_BYTES - 1];
    let before = resident_bytes();
    let mut clients = Vec::new();
    for (request, status) in [
        ("POST /hello.txt", 405),
        ("GET /hello.txt", 200),
        ("GET /", 200), // on the worker pool
        ("PUT /nothing", 405),
        ("OPTIONS /hello.txt", 204),
    ] {
        for framing in [format!("Content-Length: {BODY_BYTES}\r\n\r\n"), chunk_of(BODY_BYTES)] {
            for _ in 0..CLIENTS_OF_A_KIND / 2 {
                let mut client = server.connect();
                client.send(format!("{request} HTTP/1.1\r\nHost: a\r\n{framing}"));
                client.send(&body);
                clients.push((client, status));
            }
        }
    }
    let growth = resident_bytes().saturating_sub(before);
    assert!(growth < MOST_GROWTH, "{growth} bytes more, with the bodies of {} requests", clients.len());
    for (at, (client, status)) in clients.iter_mut().enumerate() {
        let is_chunked = at / (CLIENTS_OF_A_KIND / 2) % 2 == 1;
        client.send(if is_chunked { "x\r\n0\r\n\r\n" } else { "x" });
        let head = client.head();
        assert_eq!(head.status, *status);
        client.body(&head, |_| {}).unwrap();
        client.send("GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.head().status, 200, "behind a body");
    }
}

/// The fields of a chunked body, and the beginning of its only chunk.
fn chunk_of(bytes: usize) -> String {
    format!("Transfer-Encoding: chunked\r\n\r\n{bytes:x}\r\n")
}
