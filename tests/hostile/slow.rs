//! One byte a second, 1,000 times: who is slow is gone within the limit that is set for it, and nobody else is slower for
//! it. The grace of five seconds before an average counts is the library's own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use qibu::{Body, Request, Response, StatusCode};

use crate::common::{Client, MarkedFile, Server, eventually, get, is_end, local};
use crate::support::{LOG, affordable, assert_normal_meanwhile, connect_as, every_second, last_words, serve};

const TWO_SECONDS: Duration = Duration::from_secs(2);

/// Clients that have sent `beginning`; their sockets do not block from now on.
fn crowd(server: &Server, window: Option<usize>, beginning: impl Fn(usize) -> String) -> Vec<TcpStream> {
    let connect = |number| {
        let mut client = connect_as(number, server.local_addr(), window);
        client.write_all(beginning(number).as_bytes()).unwrap();
        client.set_nonblocking(true).unwrap();
        client
    };
    (0..affordable(1000)).map(connect).collect()
}

fn drip(number: usize, mut client: &TcpStream) {
    let _ = client.write(&[b'a' + (number % 26) as u8]); // once it is gone this fails, for ever
}

/// Nobody is connected but the normal client's last visit; or the last of the others, where that is over already.
fn is_empty(server: &Server) -> bool {
    server.handle().stats().connections <= 1
}

/// How many of these clients are named in a line of the log together with the setting.
fn named(setting: &str, clients: &[TcpStream]) -> usize {
    let name = format!("({setting})");
    let lines = LOG.lines(|line| line.contains(&name));
    let words: std::collections::HashSet<_> =
        lines.iter().flat_map(|line| line.split(' ')).map(|word| word.trim_end_matches(':')).collect();
    let addresses: Vec<_> = clients.iter().map(|client| client.local_addr().unwrap().to_string()).collect();
    for unnamed in addresses.iter().filter(|address| !words.contains(&***address)) {
        println!("of {unnamed} there is {:?}", LOG.lines(|line| line.contains(unnamed)));
    }
    addresses.iter().filter(|address| words.contains(&***address)).count()
}

/// Whoever went on for more than the limit, and did not leave by itself, has been told 408 and been dropped.
#[track_caller]
fn assert_told_408(setting: &str, clients: &[TcpStream]) {
    for client in clients {
        let (words, _) = last_words(client);
        assert!(words.starts_with(b"HTTP/1.1 408 "), "{:?}", String::from_utf8_lossy(&words));
    }
    assert_eq!(named(setting, clients), clients.len(), "the log names {setting} and each of them");
}

#[test]
fn one_thousand_slow_heads_are_gone_in_time() {
    let server = serve(local().head_timeout(TWO_SECONDS), |_: &mut Request| "hello");
    let started = Instant::now();
    let clients = crowd(&server, None, |_| "GET / HTTP/1.1\r\nHost: test\r\nSlow: ".into());
    every_second(&clients, drip, || assert_normal_meanwhile(server.local_addr(), || is_empty(&server)));
    server.until_connected(0);
    assert!(started.elapsed() >= TWO_SECONDS, "nobody is sent away early");
    assert_told_408("head_timeout", &clients);
}

/// Half of them have announced a length, half send one chunk. `body_timeout` would let them go on for ever.
#[test]
fn one_thousand_slow_bodies_are_gone_in_time() {
    let server = serve(local(), |_: &mut Request| "hello");
    let started = Instant::now();
    let clients = crowd(&server, None, |number| {
        let framing = ["Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nffff\r\n"][number % 2];
        format!("POST / HTTP/1.1\r\nHost: test\r\n{framing}")
    });
    every_second(&clients, drip, || assert_normal_meanwhile(server.local_addr(), || is_empty(&server)));
    server.until_connected(0);
    assert!(started.elapsed() >= Duration::from_secs(5), "nobody is sent away early");
    assert_told_408("min_body_rate", &clients);
}

/// The answer is 64 MiB: what the systems' buffers hold is not enough of it. Nobody may take the part for the whole.
#[test]
fn one_thousand_slow_readers_are_gone_in_time() {
    let file = MarkedFile::new(64 * 1024 * 1024);
    let (length, file) = (file.length, file.file);
    let server = serve(local().write_timeout(TWO_SECONDS), move |request: &mut Request| match request.path() {
        "/file" => Response::new(StatusCode::OK).with_body(Body::file(file.clone(), 0..length)),
        _ => Response::text("hello"),
    });
    let clients = crowd(&server, Some(4096), |_| get("/file"));
    let sip = |_: usize, mut client: &TcpStream| drop(client.read(&mut [0]));
    every_second(&clients, sip, || assert_normal_meanwhile(server.local_addr(), || is_empty(&server)));
    server.until_connected(0);
    assert_eq!(named("write_timeout", &clients), clients.len(), "the log names write_timeout and each of them");
    for client in &clients[..20] {
        let (words, end) = last_words(client);
        assert!((words.len() as u64) < length, "{} bytes, and then {end:?}", words.len());
    }
}

/// A body that ends where the connection ends (HTTP/1.0) has no length to miss: only a reset can say that it was cut.
#[test]
fn a_slow_reader_of_a_body_without_length_cannot_take_a_part_for_the_whole() {
    let server = serve(local().write_timeout(Duration::from_millis(500)), |_: &mut Request| {
        let (sender, body) = Body::channel(64 * 1024);
        thread::spawn(move || (0..1024).try_for_each(|_| sender.send(vec![b's'; 64 * 1024])));
        Response::text(body)
    });
    let mut client = Client::with_small_window(server.local_addr(), 4096);
    client.send("GET / HTTP/1.0\r\n\r\n");
    eventually("the server sends", || server.handle().stats().sent_bytes > 0);
    server.until_connected(0);
    let end = client.rest();
    assert!(
        end.as_ref().is_err_and(is_end),
        "{} bytes of 64 MiB, and then an end as if that were all",
        end.map_or(0, |words| words.len())
    );
}

/// 10 KB a second are no silence: only the average tells, and it must be told with 100 of them.
#[test]
fn one_hundred_readers_below_the_rate_are_gone_in_time() {
    let file = MarkedFile::new(256 * 1024 * 1024);
    let (length, file) = (file.length, file.file);
    let server = serve(local().min_write_rate(4 * 1024 * 1024), move |request: &mut Request| match request.path() {
        "/file" => Response::new(StatusCode::OK).with_body(Body::file(file.clone(), 0..length)),
        _ => Response::text("hello"),
    });
    let mut clients = crowd(&server, Some(4096), |_| get("/file"));
    clients.truncate(100);
    let sip = |_: usize, mut client: &TcpStream| drop(client.read(&mut [0; 10_000]));
    every_second(&clients, sip, || {
        assert_normal_meanwhile(server.local_addr(), || is_empty(&server));
    });
    server.until_connected(0);
    assert_eq!(named("min_write_rate", &clients), clients.len());
}
