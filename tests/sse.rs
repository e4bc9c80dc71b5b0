//! Server-sent events and other streams without an end: what is written, what happens when it is quiet, slow, or over.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use qibu::testing::{TestClient, TestConn};
use qibu::{Body, Closed, Http, Request, Response, TrySendError, sse};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// How long a stream may be quiet.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A server that gives the sender of each stream to the test.
fn server(capacity: usize) -> (Http, Receiver<sse::EventSender>) {
    let (senders, receiver) = mpsc::channel();
    let http = Http::new(move |_: &mut Request| {
        let (sender, response) = sse::channel(capacity);
        let _ = senders.send(sender); // who does not want it ends the stream
        response
    });
    (http, receiver)
}

/// A stream that has begun.
fn stream(capacity: usize) -> (TestConn, sse::EventSender) {
    let (http, senders) = server(capacity);
    let mut client = TestConn::open(http).unwrap();
    client.send(GET);
    let head = text(&mut client);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    (client, senders.recv().unwrap())
}

fn text(client: &mut TestConn) -> String {
    String::from_utf8(client.recv()).unwrap()
}

fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

#[test]
fn the_head_keeps_caches_and_proxies_from_holding_events_back() {
    let client = TestClient::new(|_: &mut Request| sse::channel(1024).1); // the sender is dropped: an empty stream
    let answer = client.get("/").send();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    assert_eq!(answer.text(), "");
}

#[test]
fn an_event_goes_out_when_it_is_sent() {
    let (mut client, sender) = stream(1024);
    sender.try_send(sse::Event::new("a\nb").named("n").id(1)).unwrap();
    assert_eq!(text(&mut client), chunk("event: n\nid: 1\ndata: a\ndata: b\n\n"));
    let clone = sender.clone();
    clone.send("c").unwrap();
    drop(clone);
    assert_eq!(text(&mut client), chunk("data: c\n\n"), "one sender is left");
    drop(sender);
    assert_eq!(text(&mut client), "0\r\n\r\n");
    assert!(!client.is_closed(), "the connection can be used again");
    client.send(GET);
    assert!(text(&mut client).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn a_head_request_is_told_the_fields_and_gets_no_stream() {
    let (http, senders) = server(1024);
    let mut client = TestConn::open(http).unwrap();
    client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(text(&mut client).contains("\r\ncontent-type: text/event-stream\r\n"));
    assert_eq!(senders.recv().unwrap().send("x"), Err(Closed));
}

#[test]
fn the_last_event_id_is_what_the_client_says() {
    let client = TestClient::new(|request: &mut Request| format!("{:?}", sse::last_event_id(request)));
    assert_eq!(client.get("/").send().text(), "None");
    assert_eq!(client.get("/").header("last-event-id", "").send().text(), "None");
    assert_eq!(client.get("/").header("LAST-EVENT-ID", "a 7").send().text(), "Some(\"a 7\")");
}

#[test]
fn a_quiet_stream_stays_open_with_a_comment_now_and_then() {
    let (mut client, sender) = stream(1024);
    for _ in 0..1000 {
        assert_eq!(client.deadline(), Some(HEARTBEAT));
        assert_eq!(text(client.advance(HEARTBEAT - Duration::from_millis(1))), "");
        assert_eq!(text(client.advance(Duration::from_millis(1))), chunk(":\n\n"));
    }
    sender.send("still there").unwrap();
    assert_eq!(text(&mut client), chunk("data: still there\n\n"));
}

#[test]
fn an_event_puts_the_comment_off() {
    let (mut client, sender) = stream(1024);
    client.advance(Duration::from_secs(10));
    sender.send("x").unwrap();
    client.recv();
    assert_eq!(text(client.advance(Duration::from_secs(10))), "");
    assert_eq!(text(client.advance(Duration::from_secs(5))), chunk(":\n\n"));
}

#[test]
fn a_stream_for_an_old_client_has_no_chunks_and_its_comments_neither() {
    let (http, senders) = server(1024);
    let mut client = TestConn::open(http).unwrap();
    client.send(b"GET / HTTP/1.0\r\n\r\n");
    assert!(text(&mut client).contains("\r\nconnection: close\r\n"));
    senders.recv().unwrap().send("x").unwrap();
    assert_eq!(text(&mut client), "data: x\n\n");
    assert!(client.is_closed(), "the sender was dropped");
}

#[test]
fn a_client_that_reads_nothing_costs_no_more_than_the_capacity() {
    let (mut client, sender) = stream(1000);
    client.take_at_most(0);
    let event = "e".repeat(64 * 1024);
    let mut sent = 0;
    let refused = loop {
        match sender.try_send(&*event) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        assert_eq!(text(&mut client), "");
    };
    assert!(matches!(refused, TrySendError::Full(_)), "{refused:?}");
    assert!(sent <= 3, "{sent} events of 64 KiB: one on the way, one in the output, one in the queue");
    client.advance(Duration::from_secs(60)); // write_timeout
    assert!(client.is_closed());
    assert!(sender.is_closed(), "its sender knows");
}

#[test]
fn at_shutdown_what_was_sent_arrives_and_the_stream_is_complete() {
    let (mut client, sender) = stream(1024);
    sender.send("last").unwrap();
    client.shut_down();
    assert_eq!(text(&mut client), chunk("data: last\n\n") + "0\r\n\r\n");
    assert!(client.is_closed());
    assert_eq!(sender.send("too late"), Err(Closed));
    assert!(sender.is_closed());
}

#[test]
fn at_shutdown_a_stream_whose_client_reads_nothing_takes_no_more_events() {
    let (mut client, sender) = stream(1 << 20);
    client.take_at_most(0);
    sender.send("x".repeat(100_000)).unwrap();
    assert_eq!(text(&mut client), "", "the loop takes it up, the client does not");
    sender.send("y").unwrap();
    client.shut_down();
    assert_eq!(sender.send("too late"), Err(Closed));
    client.take_at_most(usize::MAX);
    let rest = text(&mut client);
    assert!(rest.ends_with(&(chunk("data: y\n\n") + "0\r\n\r\n")), "{}", &rest[rest.len() - 40..]);
    assert!(client.is_closed());
}

#[test]
fn a_stream_that_begins_during_shutdown_ends_at_once() {
    let (later, replies) = mpsc::channel();
    let mut client = TestConn::open(Http::new(move |request: &mut Request| {
        let (reply, pending) = request.later();
        later.send(reply).expect("the test holds the receiver");
        pending
    }))
    .unwrap();
    client.send(GET).shut_down();
    let (sender, response) = sse::channel(1024);
    sender.send("welcome").unwrap();
    replies.recv().unwrap().send(response);
    let answer = text(&mut client);
    assert!(answer.ends_with(&(chunk("data: welcome\n\n") + "0\r\n\r\n")), "{answer}");
    assert!(client.is_closed());
    assert!(sender.is_closed());
}

/// A download has an end, and whoever shuts a server down waits for it.
#[test]
fn at_shutdown_a_stream_with_an_end_is_sent_to_it() {
    let (sender, body) = Body::channel(1024);
    let body = Mutex::new(Some(body));
    let handler = move |_: &mut Request| Response::text(body.lock().unwrap().take().expect("one request"));
    let mut client = TestConn::open(Http::new(handler)).unwrap();
    client.send(GET).shut_down();
    client.recv();
    sender.send("more").unwrap();
    assert_eq!(text(&mut client), chunk("more"));
    drop(sender);
    assert_eq!(text(&mut client), "0\r\n\r\n");
    assert!(client.is_closed());
}

/// A chunk of no bytes would be taken for the end of the body, and what follows for the next answer.
#[test]
fn a_heartbeat_of_no_bytes_does_not_end_the_body() {
    let (sender, body) = Body::channel(1024);
    let body = Mutex::new(Some(body.endless("", HEARTBEAT)));
    let handler = move |_: &mut Request| Response::text(body.lock().unwrap().take().expect("one request"));
    let mut client = TestConn::open(Http::new(handler)).unwrap();
    client.send(GET).recv();
    client.advance(HEARTBEAT);
    assert_eq!(text(&mut client), "");
    sender.send("more").unwrap();
    assert_eq!(text(&mut client), chunk("more"));
}

#[test]
fn bytes_in_memory_cannot_be_endless() {
    let body = Body::from("seven").endless("heartbeat", HEARTBEAT);
    assert_eq!(body.as_bytes(), Some(&b"seven"[..]));
}

// ---- broadcast ----

/// As many clients as you like, of one broadcast.
fn listeners(news: &sse::Broadcast, count: usize) -> Vec<TestConn> {
    let listen = || {
        let news = news.clone();
        let mut client = TestConn::open(Http::new(move |_: &mut Request| news.subscribe())).unwrap();
        client.send(GET).recv();
        client
    };
    (0..count).map(|_| listen()).collect()
}

#[test]
fn all_who_listen_get_the_same() {
    let news = sse::Broadcast::new(1024);
    let mut clients = listeners(&news, 3);
    assert_eq!(news.len(), 3);
    news.send(sse::Event::new("x").id(1));
    news.send("y");
    for client in &mut clients {
        assert_eq!(text(client), chunk("id: 1\ndata: x\n\n") + &chunk("data: y\n\n"));
    }
}

#[test]
fn who_has_gone_is_forgotten() {
    let news = sse::Broadcast::new(1024);
    let mut clients = listeners(&news, 3);
    clients.truncate(1);
    assert_eq!(news.len(), 1);
    news.send("x");
    assert_eq!(text(&mut clients[0]), chunk("data: x\n\n"));
    drop(clients);
    assert!(news.is_empty());
}

/// It comes back by itself and can say what it missed; an event that was left out it would never know of.
#[test]
fn who_is_too_slow_has_its_stream_ended_and_the_others_miss_nothing() {
    let news = sse::Broadcast::new(1000);
    let mut clients = listeners(&news, 2);
    clients[0].take_at_most(0);
    let event = "e".repeat(64 * 1024);
    let mut sent = 0;
    while news.len() == 2 {
        news.send(&*event);
        sent += 1;
        assert!(sent < 10, "a client that reads nothing is kept for ever");
        assert_eq!(text(&mut clients[0]), "");
        assert_eq!(text(&mut clients[1]), chunk(&format!("data: {event}\n\n")));
    }
    clients[0].take_at_most(usize::MAX);
    assert!(text(&mut clients[0]).ends_with("0\r\n\r\n"), "its stream is complete");
    assert_eq!(news.len(), 1);
}

#[test]
fn who_is_too_slow_has_its_stream_ended_though_another_sender_of_it_is_kept() {
    let (news, (mut client, kept)) = (sse::Broadcast::new(1000), stream(1000));
    news.add(kept.clone());
    client.take_at_most(0);
    let event = "e".repeat(64 * 1024);
    for sent in 0.. {
        news.send(&*event);
        assert!(sent < 10, "a client that reads nothing is kept for ever");
        if news.is_empty() {
            break;
        }
        assert_eq!(text(&mut client), "");
    }
    assert_eq!(kept.send("behind the one that is missing"), Err(Closed));
    client.take_at_most(usize::MAX);
    assert!(text(&mut client).ends_with("0\r\n\r\n"), "it comes back and says what it has seen");
}
