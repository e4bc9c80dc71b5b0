//! Stages 01 to 05: one client at a time, bytes, text, lines, datagrams.

use std::io;
use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use encoding_rs::GBK;

use crate::client::{Judged, shown};
use crate::program::{A_MOMENT, Program, STAYS, TO_END};

/// What the tutorial's server answers.
const RECEIVED: &str = "信息已收到，over，over！";

/// 01: it listens at ADDRESS.
pub(crate) fn it_listens(program: &mut Program) -> Judged {
    program.connect()?;
    match program.ends_within(TO_END) {
        Some(_) => Err(format!("I connected to {}, and nobody listens there any more.\n{STAYS}", program.address)),
        None => Ok(()),
    }
}

/// 02: to any message it answers in GBK, and closes.
pub(crate) fn it_answers_in_gbk_and_closes(program: &mut Program) -> Judged {
    let mut client = program.connect()?;
    client.send("hello");
    let why = format!("answer `{RECEIVED}`, encoded in GBK: in UTF-8 the client could not read it.");
    client.expect(gbk(RECEIVED), &why)?;
    client.expect_end("after the answer comes the last step: close the client's socket.")
}

/// 03: the answer is in the encoding of the question.
pub(crate) fn it_answers_in_the_encoding_it_was_asked_in(program: &mut Program) -> Judged {
    for (encode, name) in [(utf_8 as fn(&str) -> Vec<u8>, "UTF-8"), (gbk, "GBK"), (utf_8, "UTF-8")] {
        for text in ["你好，世界", "价格：100元", "中", "你好", "一二三"] {
            let mut client = program.connect()?;
            client.send(encode(text));
            client.finish();
            let why = format!(
                "this text came in {name}; answer `收到：` and the text in the encoding it came in. Bytes that are\n\
                not UTF-8 cannot be decoded as such: that is how to find out."
            );
            client.expect(encode(&format!("收到：{text}")), &why)?;
            client.expect_end("close after the answer.")?;
        }
    }
    Ok(())
}

/// 04: to each line its length in bytes, however the bytes were cut or joined.
pub(crate) fn it_measures_lines(program: &mut Program) -> Judged {
    let mut client = program.connect()?;
    client.send("hello\n");
    client.expect("5\n", "a line ends with \\n; its answer is its length in bytes without the \\n, as a line.")?;
    client.send("a\n\nthree\n");
    client.expect("1\n0\n5\n", "three lines came at once: one recv is not one line, it may be several.")?;
    client.send("x\nhel");
    client.expect("1\n", "one line, and a part of the next: answer the first, keep the part.")?;
    client.send("lo\n");
    client.expect("5\n", "this line came in two parts: one recv is not one line. Keep what has no \\n yet.")?;
    client.send("你好\n");
    client.expect("6\n", "count bytes, not characters: 你好 has 6 in UTF-8.")?;
    client.send(b" x \n\xe4\xbd");
    client.expect(
        "3\n",
        "a space is a byte like any other; and what comes behind the \\n is two thirds of 你: keep it as it is.",
    )?;
    client.send(b"\xa0\xe5\xa5\xbd\n");
    client
        .expect("6\n", "a character came in two parts: decode, if at all, a message that is whole, not each recv.")?;
    client.send("y".repeat(60_000) + "\n");
    client.expect("60000\n", "a line may be longer than what one recv takes: go on until \\n.")
}

/// 05: how many datagrams did not arrive.
pub(crate) fn it_counts_what_was_lost(program: &mut Program) -> Judged {
    judge_loss(program, 100, &[3, 4, 17, 63])?;
    program.restart()?;
    judge_loss(program, 90, &[])
}

fn judge_loss(program: &mut Program, count: u32, lost: &[u32]) -> Judged {
    let socket = program.udp().map_err(|error| error.to_string())?;
    send_numbers(program, &socket, count, lost)?;
    for end in ["end", "the same end again"] {
        let answer = send_end(program, &socket, count);
        let (wanted, came) = (format!("lost {}", lost.len()), shown(&answer));
        if answer.trim_ascii_end() != wanted.as_bytes() {
            return Err(format!(
                "    I sent      the datagrams 0 to {}, not in order, 0 twice, without {lost:?}, then {end}, `end {count}`\n    \
                I expected  {wanted:?}\n    There came  {came}\n\n\
                It means: UDP does not say what was lost; who receives has to count. It may also come twice, or later than\n\
                what was sent after it; and the answer may be lost, so the end is repeated.",
                count - 1
            ));
        }
    }
    Ok(())
}

/// Sends the numbers under that count without those. While nobody is there the system says so, and nobody has seen
/// anything: then it begins anew.
fn send_numbers(program: &mut Program, socket: &UdpSocket, count: u32, lost: &[u32]) -> Judged {
    const STRIDE: u32 = 37; // it has no factor in common with a count: each number comes once
    let started = program.may_start_until();
    let is_refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    let is_there = |socket: &UdpSocket| {
        let numbers = (0..=count).map(|place| place * STRIDE % count).filter(|number| !lost.contains(number));
        let mut sent = numbers.map(|number| socket.send(number.to_string().as_bytes()));
        !sent.any(|sent| sent.is_err_and(|error| is_refused(&error)))
    };
    while !is_there(socket) {
        if program.has_ended().is_some() || Instant::now() > started {
            return Err(format!("I sent a datagram to {}: nobody has a UDP socket there.", program.address));
        }
        thread::sleep(A_MOMENT);
    }
    Ok(())
}

/// Sends the end until it is answered; what came, if anything.
fn send_end(program: &mut Program, socket: &UdpSocket, count: u32) -> Vec<u8> {
    const AGAIN: Duration = Duration::from_millis(100);
    let (deadline, mut answer) = (Instant::now() + program.patience.to_answer(), [0; 64]);
    let _ = socket.set_read_timeout(Some(AGAIN));
    while Instant::now() < deadline && program.has_ended().is_none() {
        let _ = socket.send(format!("end {count}").as_bytes());
        if let Ok(length) = socket.recv(&mut answer) {
            return answer[..length].to_vec();
        }
    }
    Vec::new()
}

fn utf_8(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

pub(crate) fn gbk(text: &str) -> Vec<u8> {
    GBK.encode(text).0.into_owned()
}
