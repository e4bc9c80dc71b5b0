//! Stages 01 to 05: one client at a time, bytes, text, lines, datagrams.

use std::io;
use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use encoding_rs::GBK;

use crate::client::{Judged, shown};
use crate::program::{A_MOMENT, Program};

/// What the tutorial's server answers.
const RECEIVED: &str = "信息已收到，over，over！";

/// 01: it listens at ADDRESS.
pub(crate) fn it_listens(program: &mut Program) -> Judged {
    program.connect().map(drop)
}

/// 02: to any message it answers in GBK, and closes.
pub(crate) fn it_answers_in_gbk_and_closes(program: &mut Program) -> Judged {
    let mut client = program.connect()?;
    client.send("hello");
    let why = format!(
        "answer `{RECEIVED}`, encoded in GBK; you may have sent it in UTF-8, which is not what the client reads."
    );
    client.expect(gbk(RECEIVED), &why)?;
    client.expect_end("after the answer comes the last step: close the client's socket.")
}

/// 03: the answer is in the encoding of the question.
pub(crate) fn it_answers_in_the_encoding_it_was_asked_in(program: &mut Program) -> Judged {
    for (encode, name) in [(utf_8 as fn(&str) -> Vec<u8>, "UTF-8"), (gbk, "GBK"), (utf_8, "UTF-8")] {
        for text in ["你好，世界", "价格：100元", "中"] {
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
    client.send("y".repeat(100_000) + "\n");
    client.expect("100000\n", "a line may be longer than what one recv takes: go on until \\n.")
}

/// 05: how many datagrams did not arrive.
pub(crate) fn it_counts_what_was_lost(program: &mut Program) -> Judged {
    judge_loss(program, &[3, 4, 17, 63])?;
    program.restart()?;
    judge_loss(program, &[])
}

fn judge_loss(program: &mut Program, lost: &[u32]) -> Judged {
    let socket = program.udp().map_err(|error| error.to_string())?;
    let answer = send_numbers(program, &socket, lost)?;
    let (wanted, came) = (format!("lost {}", lost.len()), shown(&answer));
    if answer.trim_ascii_end() == wanted.as_bytes() {
        return Ok(());
    }
    Err(format!(
        "    I sent      the datagrams 0 to 99, without {lost:?}, then `end 100`\n    I expected  {wanted:?}\n    \
        There came  {came}\n\nIt means: UDP does not say what was lost; who receives has to count."
    ))
}

/// Sends 0 to 99 without those, then the end until it is answered. While nobody is there the system says so, and nobody
/// has seen anything: then it begins anew.
fn send_numbers(program: &mut Program, socket: &UdpSocket, lost: &[u32]) -> Result<Vec<u8>, String> {
    const AGAIN: Duration = Duration::from_millis(100);
    let (started, mut answer) = (program.may_start_until(), [0; 64]);
    let is_refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    socket.set_read_timeout(Some(AGAIN)).map_err(|error| error.to_string())?;
    let is_there = |socket: &UdpSocket| {
        let numbers = (0..100).filter(|number| !lost.contains(number)).map(|number| number.to_string());
        let mut sent = numbers.map(|number| socket.send(number.as_bytes()));
        !sent.any(|sent| sent.is_err_and(|error| is_refused(&error)))
    };
    while !is_there(socket) {
        if program.has_ended().is_some() || Instant::now() > started {
            return Err(format!("I sent a datagram to {}: nobody has a UDP socket there.", program.address));
        }
        thread::sleep(A_MOMENT);
    }
    let deadline = Instant::now() + program.patience.to_answer();
    while Instant::now() < deadline {
        let _ = socket.send(b"end 100");
        match socket.recv(&mut answer) {
            Ok(count) => return Ok(answer[..count].to_vec()),
            Err(_) if program.has_ended().is_some() => break,
            Err(_) => {}
        }
    }
    Ok(Vec::new())
}

fn utf_8(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

pub(crate) fn gbk(text: &str) -> Vec<u8> {
    GBK.encode(text).0.into_owned()
}
