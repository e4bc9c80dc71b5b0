//! What `qibu` does without a flag: eleven defaults, a test for each.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use tempfile::TempDir;

use crate::support::*;

/// As a user starts it, but for the port: others test at the same time.
fn serve(folder: &TempDir) -> Program {
    start(qibu(&["-p", "0"]).arg(folder.path()))
}

fn header(answer: &str, name: &str) -> Option<String> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
}

fn is(answer: &str, status: u16) -> bool {
    answer.starts_with(&format!("HTTP/1.1 {status} "))
}

#[test]
fn default_1_a_folder_is_its_index_or_else_a_listing() {
    let folder = site();
    let program = serve(&folder);
    let listing = program.get("/");
    assert!(is(&listing, 200) && listing.contains("a.txt"), "{listing}");
    fs::write(folder.path().join("index.html"), "<p>index").unwrap();
    assert!(program.get("/").ends_with("<p>index"));
}

#[test]
fn default_2_only_this_computer_is_let_in_and_the_banner_says_so() {
    let folder = site();
    let program = serve(&folder);
    assert!(program.banner.last().unwrap().contains("Only this computer"), "{:?}", program.banner);
    assert!(program.banner.last().unwrap().contains("--lan"), "{:?}", program.banner);
    assert!(
        program
            .urls()
            .iter()
            .all(|url| url.starts_with("localhost:") || url.starts_with("127.0.0.1:") || url.starts_with("[::1]:"))
    );
    if let Some(ip) = own_address() {
        assert!(TcpStream::connect((ip, program.port())).is_err());
    }
}

#[test]
fn default_3_port_8080_or_the_next_free_one() {
    take_the_default_port();
    let folder = site();
    let program = start(qibu(&[]).arg(folder.path()));
    assert!((8081..8180).contains(&program.port()), "{:?}", program.banner);
    assert!(program.banner[0].contains("8080 is taken"), "{:?}", program.banner);
}

#[test]
fn default_4_names_that_begin_with_a_dot_are_not_there_and_a_hint_says_so() {
    let folder = site();
    for name in [".git", ".well-known"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("config"), "secret").unwrap();
    }
    fs::write(folder.path().join(".env"), "secret").unwrap();
    let program = serve(&folder);
    for path in ["/.env", "/.git/config", "/.git/", "/%2egit/config", "/.git"] {
        assert!(is(&program.get(path), 404), "{path}");
    }
    assert!(is(&program.get("/.well-known/config"), 200));
    let listing = program.get("/");
    assert!(!listing.contains(".git") && !listing.contains(".env"), "{listing}");
    let hint = program.banner.iter().find(|line| line.contains(".git"));
    assert!(hint.is_some_and(|hint| hint.contains(".env") && hint.to_lowercase().contains("not served")), "{hint:?}");
    let quiet = serve(&site());
    assert!(!quiet.banner.iter().any(|line| line.to_lowercase().contains("not served")), "{:?}", quiet.banner);
}

#[test]
fn default_5_links_are_followed_inside_the_folder_and_nowhere_else() {
    let (folder, outside) = (site(), site());
    symlink("a.txt", folder.path().join("inside")).unwrap();
    symlink(outside.path().join("b.txt"), folder.path().join("outside")).unwrap();
    symlink(outside.path(), folder.path().join("folder")).unwrap();
    let program = serve(&folder);
    assert!(program.get("/inside").ends_with("\r\n\r\nhello\n"));
    for path in ["/outside", "/folder/b.txt", "/folder/"] {
        assert!(is(&program.get(path), 404), "{path}");
    }
}

#[test]
fn default_6_a_change_shows_at_once_and_a_reload_costs_a_304() {
    let folder = site();
    let program = serve(&folder);
    let answer = program.get("/a.txt");
    assert_eq!(header(&answer, "cache-control").as_deref(), Some("no-cache"), "{answer}");
    let tag = header(&answer, "etag").unwrap();
    let again = format!("GET /a.txt HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n");
    assert!(is(&tell(Ok(program.connect()), &again), 304));
    fs::write(folder.path().join("a.txt"), "changed\n").unwrap();
    assert!(tell(Ok(program.connect()), &again).ends_with("\r\n\r\nchanged\n"));
}

#[test]
fn default_7_text_is_compressed_but_nothing_small_and_no_part() {
    let folder = site();
    fs::write(folder.path().join("long.txt"), "seven steps ".repeat(1000)).unwrap();
    let program = serve(&folder);
    let ask = |path: &str, more: &str| {
        let fields = format!("Host: localhost\r\nAccept-Encoding: gzip\r\n{more}Connection: close\r\n\r\n");
        let mut client = program.connect();
        client.write_all(format!("GET {path} HTTP/1.1\r\n{fields}").as_bytes()).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert_eq!(header(&ask("/long.txt", ""), "content-encoding").as_deref(), Some("gzip"));
    assert_eq!(header(&ask("/a.txt", ""), "content-encoding"), None);
    let part = ask("/long.txt", "Range: bytes=0-4\r\n");
    assert!(is(&part, 206) && part.ends_with("\r\n\r\nseven"), "{part}");
}

/// A terminal is made by `script`, of util-linux.
#[test]
fn default_8_a_terminal_gets_a_line_for_each_answer_with_nothing_in_it_that_steers() {
    let folder = site();
    let command = format!("{} -p 0 {}", env!("CARGO_BIN_EXE_qibu"), folder.path().display());
    let script = |command: &str| {
        let mut script = Command::new("script");
        script.args(["-qefc", command, "/dev/null"]).env_remove("RUST_LOG");
        script
    };
    if !script("true").output().is_ok_and(|output| output.status.success()) {
        return println!("skipped: there is no `script` that makes a terminal");
    }
    let mut program = start(&mut script(&command));
    program.get("/\u{9b}31m\u{202e}");
    let mut lines = Vec::new();
    until("the line is there", || {
        lines.extend(program.stdout.try_iter());
        lines.iter().any(|line| line.contains(" GET "))
    });
    let line = lines.iter().find(|line| line.contains(" GET ")).unwrap();
    assert!(line.contains(r"/\u{9b}31m\u{202e} 404 "), "{line}");
    assert!(!line.trim_end().contains(char::is_control), "{line:?}");
    program.signal("TERM"); // `script` ends, and its terminal with it
    program.wait();
}

#[test]
fn default_9_nobody_can_write() {
    let folder = site();
    let program = serve(&folder);
    for method in ["PUT", "POST", "DELETE", "PATCH"] {
        let request =
            format!("{method} /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx");
        let answer = tell(Ok(program.connect()), &request);
        assert!(is(&answer, 405) && header(&answer, "allow").is_some(), "{answer}");
    }
    let mkcol = "MKCOL /new HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(is(&tell(Ok(program.connect()), mkcol), 501));
    assert_eq!(fs::read_to_string(folder.path().join("a.txt")).unwrap(), "hello\n");
    assert!(!folder.path().join("new").exists());
}

/// Programs that stand where a browser or a clipboard would be, and tell when they are started.
#[test]
fn default_10_no_browser_is_opened_and_nothing_else_started_unless_asked() {
    let (folder, tools) = (site(), TempDir::with_prefix("qibu-").unwrap());
    let seen = tools.path().join("seen");
    for name in ["xdg-open", "gio", "gnome-open", "kde-open", "wslview", "open", "xclip", "xsel", "wl-copy", "pbcopy"] {
        let path = tools.path().join(name);
        fs::write(&path, format!("#!/bin/sh\necho {name} \"$@\" >> '{}'\n", seen.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", tools.path().display());
    let mut program = start(qibu(&["-p", "0"]).arg(folder.path()).env("PATH", &path));
    assert!(program.get("/a.txt").ends_with("hello\n"));
    program.signal("TERM");
    program.wait();
    assert!(!seen.exists(), "{}", fs::read_to_string(&seen).unwrap());

    let program = start(qibu(&["-p", "0", "--open"]).arg(folder.path()).env("PATH", &path));
    let url = format!("http://localhost:{}/", program.port());
    until("the browser is opened", || fs::read_to_string(&seen).is_ok_and(|text| text.ends_with('\n')));
    assert!(fs::read_to_string(&seen).unwrap().contains(&url));
}

#[test]
fn default_11_an_unknown_setting_and_a_contradiction_are_errors() {
    let folder = site();
    fs::write(folder.path().join("qibu.toml"), "prot = 8080\n").unwrap();
    for arguments in [&["--unknown"][..], &["--lan", "-b", "::1"], &["."]] {
        let ended = run(qibu(arguments).current_dir(folder.path()));
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
    }
}
