//! How it ends.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;

use crate::support::*;

#[test]
fn a_signal_ends_it_at_once_if_nothing_runs() {
    let folder = site();
    for signal in ["INT", "TERM"] {
        let mut program = start(qibu(&["-p", "0"]).arg(folder.path()));
        let mut idle = program.connect();
        idle.write_all(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        read_until(&mut idle, "hello\n");
        program.signal(signal);
        assert_eq!(idle.read(&mut [0]).unwrap(), 0, "the idle connection is closed");
        drop(idle); // a client that keeps its end open is waited for, for a moment
        assert_eq!(program.wait().code(), Some(0), "SIG{signal}");
    }
}

#[test]
fn a_signal_lets_the_running_answer_finish() {
    let folder = site();
    for signal in ["INT", "TERM"] {
        let mut program = start(qibu(&["-p", "0"]).arg(folder.path()));
        let mut slow_reader = program.begin_large_answer();
        program.signal(signal);
        until("nobody is accepted any more", || TcpStream::connect(("127.0.0.1", program.port())).is_err());
        assert!(program.child.try_wait().unwrap().is_none(), "SIG{signal} cut an answer off");
        let received = io::copy(&mut slow_reader, &mut io::sink()).unwrap();
        assert_eq!(received, LARGE, "SIG{signal}");
        drop(slow_reader);
        assert_eq!(program.wait().code(), Some(0), "SIG{signal}");
    }
}

#[test]
fn a_second_signal_ends_it_even_while_an_answer_runs() {
    let folder = site();
    for (first, second) in [("INT", "INT"), ("TERM", "TERM"), ("TERM", "INT")] {
        let mut program = start(qibu(&["-p", "0"]).arg(folder.path()));
        let _slow_reader = program.begin_large_answer();
        program.signal(first);
        until("nobody is accepted any more", || TcpStream::connect(("127.0.0.1", program.port())).is_err());
        assert!(program.child.try_wait().unwrap().is_none(), "SIG{first} cut an answer off");
        program.signal(second);
        assert_eq!(program.wait().signal(), None, "it ends itself, and is not killed");
    }
}
