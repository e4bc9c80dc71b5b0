//! A line for each answer: where it goes, how it looks, and how the file is put away.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::support::*;

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_log_file_has_a_combined_line_for_each_answer_up_to_the_last() {
    let folder = site();
    let path = folder.path().join("access.log");
    fs::write(&path, "older\n").unwrap();
    let mut program = start(qibu(&["-p", "0", "--log-file", path.to_str().unwrap()]).arg(folder.path()));
    program.get("/a.txt");
    program.get("/nothing\u{9b}31m\"");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let text = text(&path);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(lines[0], "older");
    assert!(lines[1].starts_with("127.0.0.1 - - [") && lines[1].ends_with(r#"] "GET /a.txt HTTP/1.1" 200 6 "-" "-""#));
    assert!(lines[2].contains(r#""GET /nothing\xc2\x9b31m\" HTTP/1.1" 404 "#), "{text}");
    assert_eq!((rest(&program.stdout), rest(&program.stderr)), (String::new(), String::new()));
}

/// What no handler has seen: the line is in the file, and why it was refused is said where warnings are, whatever the file's
/// format has room for.
#[test]
fn a_refused_request_is_in_the_log_and_its_reason_is_told() {
    let folder = site();
    let path = folder.path().join("access.log");
    let mut program = start(qibu(&["-p", "0", "--log-file", path.to_str().unwrap()]).arg(folder.path()));
    let malformed = tell(Ok(program.connect()), "GET /a.txt HTTP/1.1\r\nHost : a\r\n\r\n");
    assert!(malformed.starts_with("HTTP/1.1 400 "), "{malformed}");
    let long = "POST /a.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno chunk";
    assert!(tell(Ok(program.connect()), long).starts_with("HTTP/1.1 400 "));
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let text = text(&path);
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines.len() == 2
            && lines.iter().all(|line| line.contains(r#" "POST /a.txt HTTP/1.1" 400 "#)
                || line.contains(r#" "GET /a.txt HTTP/1.1" 400 "#)),
        "{text}"
    );
    let told = rest(&program.stderr);
    let told: Vec<_> = told.lines().collect();
    assert!(
        told.len() == 2 && told[0].contains("400 for 127.0.0.1:") && told[0].ends_with("line is malformed"),
        "{told:?}"
    );
    assert!(told[1].ends_with("a chunk is malformed"), "{told:?}");
}

/// The line says why, so that every line is an object.
#[test]
fn a_refused_request_is_told_once_where_its_line_has_the_reason() {
    let folder = site();
    let mut program = start(qibu(&["-p", "0", "--log-format", "json"]).arg(folder.path()));
    tell(Ok(program.connect()), "GET /a.txt HTTP/1.1\r\n\r\n");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let told = rest(&program.stderr);
    let line: serde_json::Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));
    assert!(line["error"].as_str().is_some_and(|reason| reason.contains("Host")), "{told}");
}

/// Nobody has asked for lines: only what was refused is told.
#[test]
fn a_refused_request_is_told_where_answers_are_not() {
    let folder = site();
    let mut program = start(qibu(&["-p", "0"]).arg(folder.path()));
    program.get("/a.txt");
    tell(Ok(program.connect()), "GET /a.txt HTTP/1.1\r\n\r\n");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let told = rest(&program.stderr);
    assert!(
        told.lines().count() == 1 && told.trim_end().ends_with(": Host is missing, doubled or malformed"),
        "{told}"
    );
}

/// The file is 64 MiB; the client reads a little of it.
#[test]
fn a_download_that_is_broken_off_is_logged_with_what_was_sent() {
    let folder = site();
    let path = folder.path().join("access.log");
    let program = start(qibu(&["-p", "0", "--log-file", path.to_str().unwrap()]).arg(folder.path()));
    let client = program.begin_large_answer();
    assert_eq!(text(&path), "", "it is not over yet");
    drop(client);
    until("the line is written", || !text(&path).is_empty());
    let line = text(&path);
    let (_, rest) = line.split_once("\" 200 ").unwrap_or_else(|| panic!("{line}"));
    let bytes: u64 = rest.split(' ').next().unwrap().parse().unwrap();
    assert!(0 < bytes && bytes < LARGE, "{line}");
}

/// As logrotate does it: rename, signal, and the old file is nobody's any more.
#[test]
fn a_hangup_opens_the_log_anew_and_loses_no_line() {
    let folder = site();
    let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
    let mut program = start(qibu(&["-p", "0", "--log-file", path.to_str().unwrap()]).arg(folder.path()));
    program.get("/first");
    until("the line is written", || text(&path).contains("/first"));
    fs::rename(&path, &old).unwrap();
    program.get("/second");
    program.signal("HUP");
    until("there is a new file", || path.exists());
    program.get("/third");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let both = text(&old) + &text(&path);
    for part in ["/first ", "/second ", "/third "] {
        assert_eq!(both.matches(part).count(), 1, "{part}: {both}");
    }
    assert!(text(&path).contains("/third ") && text(&old).contains("/first "));
}

/// A pipe, opened for reading, that nobody reads.
fn stalled_pipe(path: &Path) -> File {
    make_pipe(path);
    File::options().read(true).write(true).open(path).unwrap()
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// More than a pipe holds.
fn ask_for_many_long_names(program: &Program) {
    for number in 0..40 {
        let answer = program.get(&format!("/{number}{}", "x".repeat(6000)));
        assert!(answer.starts_with("HTTP/1.1 404 "), "{number}: {answer}");
    }
}

#[test]
fn a_reader_of_the_log_that_stalls_does_not_keep_it_from_ending() {
    let folder = site();
    let path = folder.path().join("pipe");
    let _stalled = stalled_pipe(&path);
    for signals in [&["TERM"][..], &["TERM", "TERM"]] {
        let mut program = start(qibu(&["-p", "0", "--log-file", path.to_str().unwrap()]).arg(folder.path()));
        ask_for_many_long_names(&program);
        signals.iter().for_each(|signal| program.signal(signal));
        program.wait();
    }
}

#[test]
fn a_reader_of_stderr_that_stalls_stops_no_answer_and_no_end() {
    let folder = site();
    let (mut program, _unread) = start_unheard(qibu(&["-p", "0", "--log-format", "text"]).arg(folder.path()));
    ask_for_many_long_names(&program);
    assert!(program.get("/a.txt").ends_with("\r\n\r\nhello\n"));
    program.signal("TERM");
    program.wait();
}

#[test]
fn a_log_that_is_a_pipe_without_a_reader_waits_for_one_and_says_so() {
    let folder = site();
    let path = folder.path().join("pipe");
    make_pipe(&path);
    let mut program = start(qibu(&["-p", "0", "--log-file", path.to_str().unwrap()]).arg(folder.path()));
    assert!(program.get("/a.txt").ends_with("\r\n\r\nhello\n"));
    let warning = program.stderr.recv_timeout(PATIENCE).unwrap();
    assert!(warning.contains(path.to_str().unwrap()) && warning.contains("reader"), "{warning}");
    let mut reader = BufReader::new(File::open(&path).unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.contains("GET /a.txt "), "{line}");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn a_hangup_ends_it_where_there_is_no_log_to_open_anew() {
    if is_hangup_ignored() {
        return println!("skipped: these tests run under nohup, and so does all that they start");
    }
    let folder = site();
    let mut program = start(qibu(&["-p", "0"]).arg(folder.path()));
    program.signal("HUP");
    program.wait();
    assert!(TcpStream::connect(("127.0.0.1", program.port())).is_err());
}

fn is_hangup_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(ignored.trim(), 16).is_ok_and(|ignored| ignored & 1 == 1) // SIGHUP is the first
}

#[test]
fn a_log_in_the_folder_is_not_served() {
    let folder = site();
    let path = folder.path().join("access.log");
    let program = start(qibu(&["-p", "0", "--log-file", path.to_str().unwrap()]).arg(folder.path()));
    program.get("/a.txt");
    until("a line is written", || !text(&path).is_empty());
    assert!(program.get("/access.log").starts_with("HTTP/1.1 404 "));
    assert!(!program.get("/").contains("access.log"));
}

/// What was put away, what leads to it, and both ends of a link that it is; and nothing else that happens to be called so.
#[test]
fn a_log_in_the_folder_is_not_served_by_another_name() {
    let folder = site();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("real")).unwrap();
    fs::create_dir_all(path("other/access.log")).unwrap();
    fs::write(path("other/access.log/page.txt"), "other").unwrap();
    fs::write(path("access.logic.txt"), "other").unwrap();
    for (log, hidden) in [("access.log", "/access.log.1"), ("real/target", "/real/target-2026.gz")] {
        fs::write(path(hidden.trim_start_matches('/')), "older").unwrap();
        fs::write(path(log), "").unwrap();
        symlink(log, path(&format!("to-{}", log.len()))).unwrap();
    }
    symlink("real/target", path("linked.log")).unwrap();
    let cases: [(&str, &[&str]); 2] = [
        ("access.log", &["/access.log", "/access.log.1", "/to-10", "/ACCESS.LOG-1"]),
        ("linked.log", &["/linked.log", "/real/target", "/real/target-2026.gz", "/to-11"]),
    ];
    for (log, hidden) in cases {
        let program = start(qibu(&["-p", "0", "--log-file", path(log).to_str().unwrap()]).arg(folder.path()));
        for name in hidden {
            assert!(program.get(name).starts_with("HTTP/1.1 404 "), "{log}: {name}");
        }
        for name in ["/other/access.log/page.txt", "/access.logic.txt"] {
            assert!(program.get(name).ends_with("\r\n\r\nother"), "{log}: {name}");
        }
        let list = program.get("/");
        assert!(!list.contains(&format!(">{log}<")) && list.contains("access.logic.txt"), "{log}: {list}");
    }
}

#[test]
fn a_log_elsewhere_hides_no_name_in_the_folder() {
    let (folder, elsewhere) = (site(), site());
    let log = elsewhere.path().join("a.txt");
    let program = start(qibu(&["-p", "0", "--log-file", log.to_str().unwrap()]).arg(folder.path()));
    assert!(program.get("/a.txt").ends_with("\r\n\r\nhello\n"));
}

#[test]
fn a_log_that_cannot_be_written_is_named_with_its_option() {
    let folder = site();
    for path in ["/no/such/folder/log", folder.path().to_str().unwrap()] {
        let complaint = complaint(qibu(&["-p", "0", "--log-file", path]).arg(folder.path()));
        assert!(complaint.contains("--log-file") && complaint.contains(path), "{complaint}");
    }
}

#[test]
fn who_asks_for_a_format_gets_lines_where_no_terminal_is() {
    let folder = site();
    let begins =
        [("text", "20"), ("common", "127.0.0.1 - - ["), ("combined", "127.0.0.1 - - ["), ("json", "{\"time\":")];
    for (format, begin) in begins {
        let mut program = start(qibu(&["-p", "0", "--log-format", format]).arg(folder.path()));
        program.get("/a.txt?\u{202e}");
        program.signal("TERM");
        assert_eq!(program.wait().code(), Some(0));
        let log = rest(&program.stderr);
        assert!(log.starts_with(begin) && log.lines().count() == 1, "{format}: {log}");
        assert!(log.contains("/a.txt?") && !log.contains('\u{202e}'), "{format}: {log}");
        assert!(format != "json" || serde_json::from_str::<serde_json::Value>(&log).is_ok(), "{log}");
    }
}
