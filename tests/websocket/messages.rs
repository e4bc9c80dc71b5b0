//! Sections 5 to 8: frames, fragments, control frames, the end, and what breaks the rules.

use qibu::ws::WebSocket;

use super::support::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, close, echo, for_every_split, frame, header, read, said,
    said_close, seconds, text,
};

#[test]
fn messages_of_every_size_of_length_come_back_however_they_are_cut() {
    for length in [0, 1, 125, 126, 127, 1000, 65_535, 65_536, 70_000] {
        let payload: Vec<u8> = (0..length).map(|index| index as u8).collect();
        let input = [frame(FIN | BINARY, &payload), text("next")].concat();
        let (frames, log, is_closed) = for_every_split(&WebSocket::new(), &input);
        assert!(frames == [said(BINARY, &payload), said(TEXT, "next")], "{length}");
        assert_eq!(log, [format!("binary of {length}"), "text next".into()]);
        assert!(!is_closed);
    }
}

#[test]
fn fragments_are_one_message_and_control_frames_may_stand_between_them() {
    let input = [
        frame(TEXT, "se"),
        frame(FIN | PING, "are you there?"),
        frame(CONTINUATION, ""),
        frame(CONTINUATION, "v"),
        frame(FIN | PONG, "unasked"),
        frame(FIN | CONTINUATION, "en"),
        frame(BINARY, "st"),
        frame(FIN | CONTINUATION, "eps"),
    ]
    .concat();
    let (frames, log, _) = for_every_split(&WebSocket::new(), &input);
    assert_eq!(frames, [said(PONG, "are you there?"), said(TEXT, "seven"), said(BINARY, "steps")]);
    assert_eq!(log, ["text seven", "binary of 5"]);
}

#[test]
fn a_character_may_be_cut_by_a_frame() {
    let bytes = "七步".as_bytes();
    for at in 0..=bytes.len() {
        let input = [frame(TEXT, &bytes[..at]), frame(FIN | CONTINUATION, &bytes[at..])].concat();
        assert_eq!(for_every_split(&WebSocket::new(), &input).0, [said(TEXT, "七步")], "cut at {at}");
    }
}

#[test]
fn a_ping_is_answered_with_its_own_payload() {
    for payload in [&b""[..], b"x", &[0xff; 125]] {
        let (frames, log, _) = for_every_split(&WebSocket::new(), &frame(FIN | PING, payload));
        assert_eq!(frames, [said(PONG, payload)]);
        assert!(log.is_empty(), "{log:?}");
    }
}

#[test]
fn who_says_goodbye_is_told_goodbye_and_nothing_behind_it_counts() {
    let too_late = text("too late");
    for (goodbye, answer, code) in [
        (frame(FIN | CLOSE, ""), said(CLOSE, ""), 1005),
        (close(1000, ""), said_close(1000, ""), 1000),
        (close(1001, "going"), said_close(1001, "going"), 1001),
        (close(3000, "七步"), said_close(3000, "七步"), 3000),
        (close(4999, &"x".repeat(123)), said_close(4999, &"x".repeat(123)), 4999),
    ] {
        for behind in [&[][..], &too_late] {
            let input = [text("hello"), goodbye.clone(), behind.to_vec()].concat();
            let (frames, log, is_closed) = for_every_split(&WebSocket::new(), &input);
            assert_eq!(frames, [said(TEXT, "hello"), answer.clone()], "{code}");
            assert_eq!(log, ["text hello".to_owned(), format!("close {code}")]);
            assert!(is_closed, "the server closes first (section 7.1.1)");
        }
    }
}

/// Each of these is told why, and heard no more; the handler is told once.
#[test]
fn what_breaks_the_rules_ends_the_conversation() {
    let mut cases: Vec<(String, Vec<u8>, u16)> = vec![
        ("a frame without a mask".into(), b"\x81\x02hi".to_vec(), 1002),
        ("a fragmented ping".into(), frame(PING, "x"), 1002),
        ("a long ping".into(), frame(FIN | PING, [0; 126]), 1002),
        ("a long close".into(), frame(FIN | CLOSE, [3; 126]), 1002),
        ("nothing to continue".into(), frame(FIN | CONTINUATION, "x"), 1002),
        ("nothing to go on with".into(), frame(CONTINUATION, "x"), 1002),
        ("text within text".into(), [frame(TEXT, "a"), frame(FIN | TEXT, "b")].concat(), 1002),
        ("bytes within text".into(), [frame(TEXT, "a"), frame(BINARY, "b")].concat(), 1002),
        ("a close of one byte".into(), frame(FIN | CLOSE, [3]), 1002),
        ("a reason that is no text".into(), frame(FIN | CLOSE, b"\x03\xe8\xff"), 1007),
        ("no text".into(), frame(FIN | TEXT, b"\xff"), 1007),
        ("a surrogate".into(), frame(FIN | TEXT, b"\xed\xa0\x80"), 1007),
        ("half a character".into(), frame(FIN | TEXT, b"\xe4\xb8"), 1007),
        ("no text in a fragment".into(), [frame(TEXT, "a"), frame(CONTINUATION, b"\xc0\x80")].concat(), 1007),
        ("half a character in the last".into(), [frame(TEXT, "a"), frame(FIN, b"\xe4")].concat(), 1007),
    ];
    for bit in [0x40, 0x20, 0x10] {
        cases.push((format!("reserved bit {bit:x}"), frame(FIN | bit | TEXT, "x"), 1002));
        cases.push((format!("reserved bit {bit:x} of a ping"), frame(FIN | bit | PING, "x"), 1002));
    }
    for opcode in (3..=7).chain(11..=15) {
        cases.push((format!("opcode {opcode}"), frame(FIN | opcode, "x"), 1002));
    }
    for (why, input, code) in cases {
        let input = [text("hello"), input, text("too late")].concat();
        let (frames, log, is_closed) = for_every_split(&WebSocket::new(), &input);
        assert_eq!(frames.len(), 2, "{why}: {frames:?}");
        assert_eq!(frames[1].opcode, CLOSE, "{why}");
        assert_eq!(frames[1].payload[..2], code.to_be_bytes(), "{why}: {:?}", frames[1]);
        assert_eq!(log, ["text hello".to_owned(), format!("close {code}")], "{why}");
        assert!(is_closed, "{why}");
    }
}

#[test]
fn a_code_that_must_not_be_sent_is_answered_with_1002() {
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        let (frames, _, is_closed) = for_every_split(&WebSocket::new(), &close(code, ""));
        assert_eq!(frames.len(), 1, "{code}: {frames:?}");
        assert_eq!(frames[0].payload[..2], 1002_u16.to_be_bytes(), "{code}");
        assert!(is_closed);
    }
}

#[test]
fn a_message_that_is_too_long_gets_1009_before_it_is_read() {
    let settings = WebSocket::new().message_limit(1000);
    let longest = frame(FIN | BINARY, [7; 1000]);
    assert_eq!(for_every_split(&settings, &longest).0, [said(BINARY, [7; 1000])]);
    let halves = [frame(BINARY, [7; 600]), frame(FIN, [7; 400])].concat();
    assert_eq!(for_every_split(&settings, &halves).0, [said(BINARY, [7; 1000])]);

    for (why, input) in [
        ("one frame, of which the header has come", header(FIN | BINARY, 1001)),
        ("2⁶³ bytes", header(FIN | BINARY, 1 << 63)),
        ("all that 64 bits can say", header(FIN | TEXT, u64::MAX)),
        ("fragments", [frame(BINARY, [7; 600]), frame(CONTINUATION, [7; 401])].concat()),
        ("text in fragments", [frame(TEXT, [b'x'; 600]), frame(FIN, [b'x'; 401])].concat()),
    ] {
        let (frames, log, is_closed) = for_every_split(&settings, &input);
        assert_eq!(frames.len(), 1, "{why}: {frames:?}");
        assert_eq!(frames[0].payload[..2], 1009_u16.to_be_bytes(), "{why}");
        assert_eq!(log, ["close 1009"], "{why}");
        assert!(is_closed, "{why}");
    }
}

#[test]
fn who_leaves_without_goodbye_is_noticed() {
    for rest in [&b""[..], b"\x81", &frame(TEXT, "half a message")] {
        let (mut client, log) = echo(WebSocket::new());
        client.send(rest).finish();
        assert_eq!(log.take(), ["close 1006"]);
        assert!(client.is_closed());
        assert_eq!(read(&client.recv()), []);
    }
}

#[test]
fn what_was_sent_before_the_client_finished_is_answered() {
    let (mut client, log) = echo(WebSocket::new());
    client.take_at_most(0).send(&[text(&"x".repeat(200_000)), text("last")].concat());
    client.finish();
    client.take_at_most(usize::MAX);
    let frames = read(&client.recv());
    assert_eq!((frames.len(), &frames[1]), (2, &said(TEXT, "last")));
    assert_eq!(log.take(), ["text of 200000", "text last", "close 1006"]);
    client.advance(seconds(0));
    assert!(client.is_closed());
}
