//! What it says while it serves.

use std::fs::File;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use crate::support::*;

#[test]
fn nothing_is_said_of_what_is_answered_where_no_terminal_is() {
    let folder = site();
    let mut program = start(qibu(&["-p", "0"]).arg(folder.path()));
    for path in ["/a.txt", "/", "/nothing", "/%zz", "/../../etc/passwd"] {
        assert!(program.get(path).starts_with("HTTP/1.1 "), "{path}");
    }
    drop(program.connect());
    program.signal("KILL");
    program.wait();
    assert_eq!((rest(&program.stdout), rest(&program.stderr)), (String::new(), String::new()));
}

#[test]
fn the_access_log_can_be_had_and_cannot_be_forged() {
    let folder = site();
    let mut program = start(qibu(&["-p", "0"]).arg(folder.path()).env("RUST_LOG", "qibu::access=info"));
    program.get("/a.txt?q=1");
    program.get("/\u{9b}31m\u{202e}red");
    program.get("/\u{1b}[31mred"); // not even a target
    program.get("/%1b%0a");
    program.signal("TERM"); // a line is written when the answer is out, which is when the client has it
    program.wait();
    let log = rest(&program.stderr);
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 4, "{log}");
    assert!(lines[0].contains("127.0.0.1 GET /a.txt?q=1 200 6"), "{log}");
    assert!(lines[1].contains(r"/\u{9b}31m\u{202e}red 404 "), "{log}");
    assert!(lines[2].contains(r#" "GET /\u{1b}[31mred HTTP/1.1" 400 "#), "{log}");
    assert!(lines[3].contains("/%1b%0a 404 "), "{log}");
    assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{log:?}");
}

#[test]
fn who_closes_the_output_still_gets_the_folder() {
    let folder = site();
    let path = folder.path().join("socket");
    let mut program = spawn_deaf(qibu(&["-b", &unix(&path)]).arg(folder.path()));
    until("it listens", || UnixStream::connect(&path).is_ok());
    assert!(ask(UnixStream::connect(&path), "/a.txt").ends_with("\r\n\r\nhello\n"));
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn a_qr_code_is_printed_where_it_is_asked_for_and_nowhere_else() {
    let folder = site();
    let has_code = |arguments: &[&str]| {
        let program = start(qibu(&["-p", "0"]).args(arguments).arg(folder.path()));
        program.banner.iter().filter(|line| line.contains("█▀") || line.contains("▀█") || line.contains('▄')).count()
            > 8
    };
    assert!(!has_code(&["--lan"]), "no terminal, no code");
    if own_address().is_some() {
        assert!(has_code(&["--lan", "--qr"]));
    }
    assert!(!has_code(&[]) && !has_code(&["--qr"]), "no other device reaches this computer");
}

#[test]
fn completions_and_the_man_page_know_every_option() {
    let long = run(&mut qibu(&["--help"])).stdout;
    let options: Vec<_> = long.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 3).collect();
    let names = ["--lan", "--port", "--bind", "--allow-host", "--log-file", "--config"];
    assert!(names.iter().all(|name| options.contains(name)), "{options:?}");
    for arguments in [
        &["--man"][..],
        &["--completions", "bash"],
        &["--completions", "zsh"],
        &["--completions", "fish"],
        &["--completions", "powershell"],
    ] {
        let printed = run(&mut qibu(arguments));
        assert_eq!((printed.code, &*printed.stderr), (Some(0), ""), "{arguments:?}");
        for name in names {
            let bare = name.trim_start_matches('-').replace('-', "\\-");
            let is_there = printed.stdout.contains(name.trim_start_matches('-')) || printed.stdout.contains(&bare);
            assert!(is_there, "{arguments:?} does not know {name}");
        }
        assert!(!printed.stdout.contains("fR\n\n"), "{arguments:?}: an option without a text");
        assert!(!printed.stdout.contains("no-lan"), "{arguments:?}: the opposites are not for every day");
    }
}

#[test]
fn what_is_printed_and_finds_no_room_is_an_error() {
    let Ok(full) = File::options().write(true).open("/dev/full") else { return println!("skipped: no /dev/full") };
    for what in [&["--man"][..], &["--help"], &["--completions", "bash"], &["--print-config"]] {
        let mut command = qibu(what);
        let output = command.stdout(full.try_clone().unwrap()).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{what:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("qibu: "), "{what:?}");
    }
}

#[test]
fn an_empty_filter_of_the_log_is_none() {
    let folder = site();
    let mut program = start(qibu(&["-p", "0", "--log-format", "json"]).env("RUST_LOG", "").arg(folder.path()));
    program.get("/a.txt");
    program.signal("TERM");
    program.wait();
    assert!(rest(&program.stderr).starts_with("{\"time\":"));
}
