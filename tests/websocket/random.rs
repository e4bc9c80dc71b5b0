//! Conversations made at random, of frames that are well-formed, damaged, or nonsense: what the server says and what its
//! handler hears never depend on how the bytes were cut. QIBU_WS_SEED=N replays what failed with seed N.

use fastrand::Rng;
use qibu::ws::WebSocket;

use super::support::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, Said, TEXT, close, echo, frame, read};

const CONVERSATIONS: u64 = 500;

#[test]
fn how_the_bytes_are_cut_changes_nothing() {
    let first =
        std::env::var("QIBU_WS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    let mut ends = 0;
    for seed in (0..CONVERSATIONS).map(|number| first.wrapping_add(number)) {
        let mut rng = Rng::with_seed(seed);
        let input = conversation(&mut rng);
        let whole = converse(&[&input]);
        for _ in 0..3 {
            let pieces = cut(&mut rng, &input);
            assert_eq!(converse(&pieces), whole, "seed {seed}: {}", input.escape_ascii());
        }
        assert_sound(&whole, seed);
        ends += u64::from(whole.2);
    }
    assert!((CONVERSATIONS / 10..CONVERSATIONS * 9 / 10).contains(&ends), "{ends} of {CONVERSATIONS} came to an end");
}

type Outcome = (Vec<Said>, Vec<String>, bool);

fn converse(pieces: &[&[u8]]) -> Outcome {
    let (mut client, log) = echo(WebSocket::new().message_limit(2000));
    let mut received = Vec::new();
    for piece in pieces {
        received.extend(client.send(piece).recv());
    }
    (read(&received), log.take(), client.is_closed())
}

/// Whatever was said: one goodbye at most, nothing behind it, and both sides of the application know.
fn assert_sound((frames, log, is_closed): &Outcome, seed: u64) {
    let goodbyes = frames.iter().filter(|frame| frame.opcode == CLOSE).count();
    assert_eq!(goodbyes, usize::from(*is_closed), "seed {seed}: {frames:?}");
    assert!(!is_closed || frames.last().is_some_and(|frame| frame.opcode == CLOSE), "seed {seed}: {frames:?}");
    let told = log.iter().filter(|line| line.starts_with("close ")).count();
    assert_eq!(told, usize::from(*is_closed), "seed {seed}: {log:?}");
    let (messages, echoes) = (log.len() - told, frames.iter().filter(|frame| frame.opcode < CLOSE).count());
    assert_eq!(messages, echoes, "seed {seed}");
}

fn conversation(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..rng.usize(1..12) {
        let length = [0, 5, 130, 900, 1900][rng.usize(..5)];
        let payload: Vec<u8> = (0..rng.usize(..=length)).map(|_| rng.u8(b' '..=b'~')).collect();
        match rng.u8(..60) {
            0..=19 => bytes.extend(frame(FIN | [TEXT, BINARY][rng.usize(..2)], payload)),
            20..=34 => {
                let pieces: Vec<&[u8]> = payload.chunks(payload.len().div_ceil(3).max(1)).collect();
                for (index, piece) in pieces.iter().enumerate() {
                    let opcode = if index == 0 { TEXT } else { CONTINUATION };
                    let fin = if index + 1 == pieces.len() { FIN } else { 0 };
                    bytes.extend(frame(fin | opcode, piece));
                    if rng.bool() {
                        bytes.extend(frame(FIN | PING, b"between"));
                    }
                }
            }
            35..=44 => bytes.extend(frame(FIN | [PING, PONG][rng.usize(..2)], &payload[..payload.len().min(125)])),
            45..=46 => bytes.extend(close(rng.u16(990..1020), "bye")),
            47..=48 => bytes.extend(frame(rng.u8(..), payload)),
            49 => bytes.extend((0..rng.usize(..30)).map(|_| rng.u8(..))),
            50 => bytes.extend(frame(FIN | BINARY, vec![7; rng.usize(1990..2010)])),
            51..=53 if !bytes.is_empty() => {
                let at = rng.usize(..bytes.len());
                bytes[at] ^= 1 << rng.u8(..8);
            }
            _ => {}
        }
    }
    bytes
}

fn cut<'a>(rng: &mut Rng, mut input: &'a [u8]) -> Vec<&'a [u8]> {
    let most = [1, 3, 20, 2000][rng.usize(..4)];
    let mut pieces = Vec::new();
    while !input.is_empty() {
        let (piece, rest) = input.split_at(rng.usize(1..=most.min(input.len())));
        pieces.push(piece);
        input = rest;
    }
    pieces
}
