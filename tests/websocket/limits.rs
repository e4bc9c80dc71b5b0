//! Time and memory: quiet clients, slow ones, and clients that read nothing.

use std::time::Duration;

use qibu::TrySendError;
use qibu::ws::{Sender, WebSocket};

use super::support::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, close, echo, frame, header, read, said, said_close, seconds,
    silent, text,
};

#[test]
fn a_quiet_client_is_asked_whether_it_lives_for_as_long_as_it_does() {
    let (mut client, log) = echo(WebSocket::new());
    for _ in 0..100 {
        assert_eq!(client.deadline(), Some(seconds(30)));
        assert_eq!(read(&client.advance(Duration::from_millis(29_999)).recv()), []);
        assert_eq!(read(&client.advance(Duration::from_millis(1)).recv()), [said(PING, "")]);
        client.advance(seconds(29)).send(&frame(FIN | PONG, ""));
    }
    assert!(log.take().is_empty());
    assert_eq!(read(&client.send(&text("still here")).recv()), [said(TEXT, "still here")]);
}

#[test]
fn a_client_that_gives_no_sign_of_life_is_dropped() {
    let (mut client, log) = echo(WebSocket::new().ping_interval(seconds(7)).pong_timeout(seconds(3)));
    client.advance(seconds(7)).advance(Duration::from_millis(2_999));
    assert!(!client.is_closed());
    client.advance(Duration::from_millis(1));
    assert!(client.is_closed());
    assert_eq!(log.take(), ["close 1006"]);
}

#[test]
fn a_client_may_be_left_alone_for_ever() {
    let (ever, decade) = (Duration::MAX, seconds(10 * 365 * 24 * 60 * 60));
    let unlimited = WebSocket::new().ping_interval(ever).pong_timeout(ever).idle_timeout(ever).close_timeout(ever);
    let (mut client, log) = echo(unlimited.clone().slow_handler_warning(ever));
    client.advance(decade).send(&text("still here"));
    assert_eq!(read(&client.recv()), [said(TEXT, "still here")], "and no ping");
    client.shut_down().advance(decade);
    assert_eq!(read(&client.recv()), [said_close(1001, "the server is shutting down")]);
    assert!(!client.is_closed(), "it has yet to say goodbye");
    assert_eq!(log.take(), ["text still here", "close 1001"]);
    let (mut client, _log) = echo(unlimited.ping_interval(seconds(1)));
    client.advance(seconds(1)).advance(decade);
    assert_eq!(read(&client.recv()), [said(PING, "")], "one was asked, and takes its time");
    assert!(!client.is_closed());
}

#[test]
fn a_message_is_not_called_slow_for_the_time_in_which_nothing_was_read() {
    let (mut client, sender) = silent(WebSocket::new());
    let message = text(&"x".repeat(1000));
    let (first, rest) = message.split_at(500);
    client.take_at_most(0).send(first);
    for _ in 0..10 {
        sender.send(vec![7; 50_000]).unwrap(); // so much that nothing more is read from it
        client.recv();
    }
    for _ in 0..30 {
        client.advance(seconds(1)).take_at_most(300); // not too slow for min_write_rate
    }
    client.take_at_most(usize::MAX).recv();
    client.advance(seconds(1));
    assert!(!client.is_closed(), "its system could not send the rest before");
    client.send(rest).recv();
    client.advance(seconds(20));
    assert!(!client.is_closed());
}

#[test]
fn a_client_that_gets_no_time_at_all_is_dropped() {
    let zero = Duration::ZERO;
    let hurried = WebSocket::new().ping_interval(zero).pong_timeout(zero).idle_timeout(zero).close_timeout(zero);
    let (mut client, log) = echo(hurried.slow_handler_warning(zero));
    client.advance(zero).advance(zero);
    assert!(client.is_closed());
    assert_eq!(log.take().len(), 1);
}

#[test]
fn any_byte_is_a_sign_of_life() {
    let (mut client, _log) = echo(WebSocket::new());
    for byte in text("slow typing") {
        client.advance(seconds(29)).send(&[byte]);
        if client.is_closed() {
            break;
        }
    }
    let frames = read(&client.recv());
    assert!(frames.iter().all(|frame| frame.opcode != PING), "{frames:?}");
}

#[test]
fn a_client_with_nothing_to_say_may_be_sent_away() {
    let (mut client, log) = echo(WebSocket::new().idle_timeout(seconds(100)));
    for _ in 0..3 {
        client.advance(seconds(30)).send(&frame(FIN | PONG, ""));
    }
    client.recv();
    client.send(&text("x")).recv();
    for _ in 0..3 {
        client.advance(seconds(30)).send(&frame(FIN | PONG, ""));
    }
    assert!(read(&client.recv()).iter().all(|frame| frame.opcode == PING), "100 s have not passed since the message");
    let frames = read(&client.advance(seconds(10)).recv());
    assert_eq!(frames, [said_close(1001, "nobody has said anything for too long")]);
    assert_eq!(log.take(), ["text x", "close 1001"]);
}

#[test]
fn a_message_that_drips_is_not_waited_for() {
    for control in [Vec::new(), frame(FIN | PONG, ""), frame(FIN | PING, "some payload")] {
        let (mut client, log) = echo(WebSocket::new());
        client.send(&header(FIN | BINARY, 1 << 20));
        for second in 0.. {
            // A byte each second, which no control frame among fragments may hide: those come after the frame's end.
            client.advance(seconds(1)).send(b"x");
            if client.is_closed() {
                break;
            }
            assert!(second < 10, "a message that would take twelve days is waited for");
        }
        assert_eq!(log.take(), ["close 1008"]);

        let (mut client, log) = echo(WebSocket::new());
        client.send(&frame(BINARY, "begin"));
        for second in 0.. {
            client.advance(seconds(1)).send(&[frame(CONTINUATION, "x"), control.clone()].concat());
            if !log.take().is_empty() {
                break;
            }
            assert!(second < 20, "a message in drops of one byte is waited for");
        }
    }
}

#[test]
fn a_client_that_only_gives_signs_of_life_sends_no_slow_message() {
    let (mut client, log) = echo(WebSocket::new());
    for _ in 0..100 {
        client.advance(seconds(10)).send(&[frame(FIN | PING, "x"), frame(FIN | PONG, "")].concat());
    }
    assert!(!client.is_closed());
    assert!(log.take().is_empty());
}

/// The echo of a client that sends more than it reads waits in the system's buffers, not in ours, and nobody is closed.
#[test]
fn a_client_that_sends_faster_than_it_reads_is_slowed_down() {
    let (mut client, log) = echo(WebSocket::new().queue_limit(1000));
    client.take_at_most(0);
    let message = frame(FIN | BINARY, [7; 900]);
    for _ in 0..1000 {
        client.send(&message);
    }
    let heard = log.take().len();
    assert!(heard < 200, "{heard} messages of 900 bytes were answered, though none was read");
    client.take_at_most(usize::MAX);
    assert_eq!(read(&client.recv()).len(), 1000);
    assert!(!client.is_closed());
}

/// Sends until it is refused; returns how many bytes were taken.
fn flood(client: &mut qibu::testing::TestConn, sender: &Sender) -> usize {
    let mut taken = 0;
    for _ in 0..10_000 {
        if sender.send(vec![7; 10_000]).is_err() {
            return taken;
        }
        taken += 10_000;
        client.recv();
    }
    panic!("{taken} bytes wait for a client that reads nothing");
}

#[test]
fn a_client_that_reads_nothing_is_given_up_at_the_limit() {
    let (mut client, sender) = silent(WebSocket::new().queue_limit(50_000));
    client.take_at_most(0);
    let taken = flood(&mut client, &sender);
    assert!(taken < 50_000 + 64 * 1024 + 2 * 10_000, "{taken} bytes were kept");
    assert!(sender.is_closed());
    client.recv();
    client.take_at_most(usize::MAX);
    let frames = read(&client.recv());
    assert_eq!(frames.last(), Some(&said_close(1013, "reads too slowly")));
    client.advance(seconds(5)); // close_timeout
    assert!(client.is_closed());
}

#[test]
fn who_asks_first_loses_no_client() {
    let (mut client, sender) = silent(WebSocket::new().queue_limit(1000));
    client.take_at_most(0);
    let refused = loop {
        match sender.try_send(vec![7; 40_000]) {
            Ok(()) => client.recv(),
            Err(error) => break error,
        };
    };
    assert_eq!(refused, TrySendError::Full(vec![7; 40_000].into()));
    assert!(!sender.is_closed());
    client.take_at_most(usize::MAX).recv();
    assert_eq!(sender.try_send("there is room again"), Ok(()));
    assert_eq!(read(&client.recv()), [said(TEXT, "there is room again")]);
}

#[test]
fn a_client_that_does_not_say_goodbye_is_not_waited_for() {
    let (mut client, sender) = silent(WebSocket::new());
    sender.close(4000, "that is all");
    assert_eq!(read(&client.recv()), [said_close(4000, "that is all")]);
    client.advance(Duration::from_millis(4_999)).send(&text("ignored"));
    assert!(!client.is_closed());
    client.advance(Duration::from_millis(1));
    assert!(client.is_closed());
}

#[test]
fn a_client_that_says_goodbye_is_done_at_once() {
    let (mut client, sender) = silent(WebSocket::new());
    sender.close(1000, "");
    assert_eq!(read(&client.recv()), [said_close(1000, "")]);
    client.send(&[text("ignored"), frame(FIN | PING, "ignored"), close(1000, "")].concat());
    assert_eq!(read(&client.recv()), [], "nothing follows a close (section 5.5.1)");
    assert!(client.is_closed());
}

#[test]
fn a_client_that_breaks_the_rules_after_the_goodbye_gets_no_second_one() {
    let (mut client, sender) = silent(WebSocket::new());
    sender.close(1000, "");
    client.recv();
    client.send(&frame(0x70 | FIN | CLOSE, ""));
    assert_eq!(read(&client.recv()), []);
    assert!(client.is_closed());
}
