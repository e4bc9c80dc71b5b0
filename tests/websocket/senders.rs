//! Who sends from elsewhere, to one or to many; panics; and the server's shutdown.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use qibu::Closed;
use qibu::ws::{Broadcast, Handler, Message, Sender, WebSocket};

use super::support::{BINARY, FIN, Log, PING, TEXT, close, echo, read, said, said_close, seconds, silent, text};

#[test]
fn a_sender_reaches_its_client_from_any_thread_in_order() {
    fn is_shareable<T: Clone + Send + Sync + 'static>(_: &T) {}
    let (mut client, sender) = silent(WebSocket::new());
    is_shareable(&sender);
    let clone = sender.clone();
    assert_eq!(clone, sender);
    thread::spawn(move || {
        clone.send("text").unwrap();
        clone.send(vec![1, 2]).unwrap();
        clone.ping().unwrap();
        clone.send_waiting("last").unwrap();
    })
    .join()
    .unwrap();
    assert_eq!(read(&client.recv()), [said(TEXT, "text"), said(BINARY, [1, 2]), said(PING, ""), said(TEXT, "last")]);
}

#[test]
fn a_producer_that_waits_is_as_fast_as_its_client() {
    let (mut client, sender) = silent(WebSocket::new().queue_limit(1000));
    let producer = thread::spawn(move || (0..200).try_for_each(|_| sender.send_waiting(vec![7; 5000])));
    let mut received = 0;
    while received < 200 {
        received += read(&client.recv()).len();
        thread::yield_now();
    }
    assert_eq!(producer.join().unwrap(), Ok(()));
}

#[test]
fn who_waits_for_a_client_is_told_when_another_gives_it_up() {
    // Whether the other waits already cannot be seen, but in a hundred times it does.
    for _ in 0..100 {
        let (mut client, sender) = silent(WebSocket::new().queue_limit(1000));
        client.take_at_most(0);
        let (results, result) = mpsc::channel();
        let waiting = sender.clone();
        thread::spawn(move || {
            let failed = (0..).find_map(|_| waiting.send_waiting(vec![7; 5000]).err());
            results.send(failed).unwrap();
        });
        while sender.try_send("x").is_ok() {}
        (0..10).for_each(|_| thread::yield_now());
        assert_eq!((sender.send("x"), sender.is_closed()), (Err(Closed), true));
        let failed = result.recv_timeout(Duration::from_secs(20)).expect("nobody waits for who was given up");
        assert_eq!(failed, Some(Closed));
    }
}

#[test]
fn a_sender_knows_when_its_client_has_gone() {
    let (client, sender) = silent(WebSocket::new());
    assert!(!sender.is_closed());
    drop(client);
    assert!(sender.is_closed());
    assert_eq!((sender.send("x"), sender.ping(), sender.send_waiting("x")), (Err(Closed), Err(Closed), Err(Closed)));
    sender.close(1000, "nobody hears it");
}

#[test]
fn a_close_comes_behind_what_was_sent_and_nothing_comes_behind_it() {
    let (mut client, sender) = silent(WebSocket::new());
    sender.send("first").unwrap();
    sender.close(1000, "bye");
    let _ = sender.send("too late");
    assert_eq!(read(&client.recv()), [said(TEXT, "first"), said_close(1000, "bye")]);
    assert_eq!(sender.send("far too late"), Err(Closed));
}

#[test]
fn a_broadcast_reaches_all_who_have_joined() {
    let room = Broadcast::new();
    let mut clients: Vec<_> = (0..4).map(|_| silent(WebSocket::new())).collect();
    clients.iter().for_each(|(_, sender)| room.join(sender));
    room.leave(&clients[3].1);
    assert_eq!(room.len(), 3);
    room.send("to all");
    room.send(vec![7; 100_000]);
    for (client, _) in &mut clients[..3] {
        assert_eq!(read(&client.recv()), [said(TEXT, "to all"), said(BINARY, [7; 100_000])]);
    }
    assert_eq!(read(&clients[3].0.recv()), []);
    clients.truncate(1);
    assert_eq!(room.len(), 1, "who has gone does not count");
    clients.clear();
    assert!(room.is_empty());
}

#[test]
fn a_slow_member_is_closed_and_the_others_miss_nothing() {
    let room = Broadcast::new();
    let (mut slow, slow_sender) = silent(WebSocket::new().queue_limit(10_000));
    let (mut quick, quick_sender) = silent(WebSocket::new().queue_limit(10_000));
    slow.take_at_most(0);
    room.join(&slow_sender);
    room.join(&quick_sender);
    let mut sent = 0;
    while room.len() == 2 {
        room.send(vec![7; 9_000]);
        sent += 1;
        assert!(sent < 20, "a member that reads nothing is kept for ever");
        slow.recv();
        assert_eq!(read(&quick.recv()).len(), 1);
    }
    slow.take_at_most(usize::MAX);
    assert_eq!(read(&slow.recv()).last(), Some(&said_close(1013, "reads too slowly")));
}

// ---- panics ----

/// Panics where it is told to.
struct Fragile {
    log: Log,
    breaks_in: &'static str,
}

impl Fragile {
    fn act(&self, place: &str) {
        self.log.note(place);
        assert_ne!(self.breaks_in, place, "on purpose");
    }
}

impl Handler for Fragile {
    fn on_open(&mut self, _: &Sender) {
        self.act("open");
    }

    fn on_message(&mut self, _: &Sender, _: Message) {
        self.act("message");
    }

    fn on_close(&mut self, _: u16) {
        self.act("close");
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.act("drop");
    }
}

#[test]
fn a_panic_costs_its_own_client_the_connection() {
    for (place, told, answer) in [
        ("open", &["open", "drop"][..], Some(1011)),
        ("message", &["open", "message", "drop"], Some(1011)),
        ("close", &["open", "message", "close", "drop"], None),
        ("drop", &["open", "message", "close", "drop"], None),
    ] {
        let log = Log::default();
        let handler_log = log.clone();
        let server = qibu::Http::new(move |request: &mut qibu::Request| {
            WebSocket::new().upgrade(request, Fragile { log: handler_log.clone(), breaks_in: place })
        });
        let mut client = qibu::testing::TestConn::open(server).unwrap();
        let received = client.send(super::support::ASK.as_bytes()).send(&text("x")).recv();
        let head = received.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
        let frames = read(&received[head..]);
        assert_eq!(frames, Vec::from_iter(answer.map(|code| said_close(code, ""))), "{place}");
        client.send(&close(1000, ""));
        assert!(client.is_closed(), "{place}");
        assert_eq!(log.take(), told, "{place}");
    }
}

// ---- shutdown ----

#[test]
fn at_shutdown_everybody_is_told_1001_behind_what_was_sent() {
    let (mut client, log) = echo(WebSocket::new());
    client.send(&text("hello"));
    client.shut_down();
    assert_eq!(read(&client.recv()), [said(TEXT, "hello"), said_close(1001, "the server is shutting down")]);
    assert_eq!(log.take(), ["text hello", "close 1001"]);
    assert!(!client.is_closed(), "the client may say goodbye");
    client.send(&close(1001, ""));
    assert!(client.is_closed());

    let (mut client, sender) = silent(WebSocket::new());
    sender.send("on its way").unwrap();
    client.shut_down();
    assert_eq!(sender.send("too late"), Err(Closed));
    assert_eq!(read(&client.recv()), [said(TEXT, "on its way"), said_close(1001, "the server is shutting down")]);
    client.advance(seconds(5));
    assert!(client.is_closed());
}

#[test]
fn a_shutdown_during_the_goodbye_changes_nothing() {
    let (mut client, sender) = silent(WebSocket::new());
    sender.close(4000, "mine");
    client.recv();
    client.shut_down();
    assert_eq!(read(&client.recv()), []);
    assert_eq!(client.deadline(), Some(seconds(5)));
    client.send(&close(4000, ""));
    assert!(client.is_closed());
}

#[test]
fn the_frame_of_a_broadcast_is_what_a_single_message_is() {
    let room = Broadcast::new();
    let (mut client, sender) = silent(WebSocket::new());
    room.join(&sender);
    for length in [0, 125, 126, 65_535, 65_536] {
        let message = Message::from("x".repeat(length));
        room.send(message.clone());
        sender.send(message).unwrap();
        let bytes = client.recv();
        assert_eq!(bytes[..bytes.len() / 2], bytes[bytes.len() / 2..], "{length}");
        assert_eq!(bytes[0], FIN | TEXT);
    }
}
