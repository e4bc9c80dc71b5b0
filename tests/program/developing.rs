//! What it does for somebody who is writing the files: `--watch` and `--charset`.

use std::fs;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::*;

#[test]
fn watch_tells_pages_of_a_change_until_it_ends() {
    let folder = site();
    fs::write(folder.path().join("page.html"), "<p>hello").unwrap();
    let mut program = start(qibu(&["-p", "0", "--watch"]).arg(folder.path()));
    let page = program.get("/page.html");
    assert!(
        page.contains("\r\n\r\n<script src=\"/.qibu/reload.js\"") && page.ends_with("></script><p>hello"),
        "{page}"
    );
    let mut stream = program.connect();
    stream.write_all(b"GET /.qibu/events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    read_until(&mut stream, "event: hello\n");

    fs::write(folder.path().join("page.html"), "<p>hello again").unwrap();
    read_until(&mut stream, "data: /page.html\n");

    program.signal("TERM");
    stream.read_to_end(&mut Vec::new()).expect("a stream without an end does not hold up the end of the program");
    drop(stream);
    assert_eq!(program.wait().code(), Some(0));
}

/// A database's files, say, or a cache of somebody else.
#[test]
fn a_folder_that_may_not_be_read_is_named_and_the_others_are_watched() {
    let folder = site();
    let Some(mut command) = qibu_without_privileges(&folder) else { return };
    let make = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let closed = ["b/pgdata", "b/x/closed", ".cache"];
    ["a/deep", "b", "b/x/open", "c"].iter().chain(&closed).copied().for_each(make);
    for name in closed {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o0)).unwrap();
    }
    let mut program = start(command.args(["-p", "0", "--watch"]).arg(folder.path()));
    let mut stream = program.connect();
    stream.write_all(b"GET /.qibu/events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    read_until(&mut stream, "event: hello\n");
    for name in ["a/deep", "b", "b/x", "b/x/open", "c", ""] {
        fs::write(folder.path().join(name).join("page.html"), "new").unwrap();
        read_until(&mut stream, "page.html\n");
    }
    make("b/made-later");
    read_until(&mut stream, "data: /b/made-later\n");
    fs::write(folder.path().join("b/made-later/page.html"), "new").unwrap();
    read_until(&mut stream, "data: /b/made-later/page.html\n");
    drop(stream);

    program.signal("TERM");
    program.wait();
    let told = rest(&program.stderr);
    for name in ["b/pgdata", "b/x/closed"] {
        let path = folder.path().join(name);
        let warnings = told.lines().filter(|line| line.contains(&format!("{} ", path.display()))).count();
        assert_eq!(warnings, 1, "{name}: {told}");
    }
    assert_eq!(told.lines().count(), 2, "what is never served is not missed: {told}");
}

#[test]
fn without_watch_pages_are_as_they_are() {
    let folder = site();
    fs::write(folder.path().join("page.html"), "<p>hello").unwrap();
    let program = start(qibu(&["-p", "0"]).arg(folder.path()));
    assert!(program.get("/page.html").ends_with("\r\n\r\n<p>hello"));
    assert!(program.get("/.qibu/reload.js").starts_with("HTTP/1.1 404 "));
}

#[test]
fn watch_does_not_follow_its_own_log() {
    let folder = site();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let ended = run(qibu(&["-p", "0", "--watch", "--log-file", &path("log.txt")]).arg(folder.path()));
    assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
    assert!(ended.stderr.contains("watch: ") && ended.stderr.contains("log.txt"), "{}", ended.stderr);

    let program = start(qibu(&["-p", "0", "--watch", "--log-file", &path("my.log")]).arg(folder.path()));
    let mut stream = program.connect();
    stream.write_all(b"GET /.qibu/events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    program.get("/a.txt");
    fs::write(path("z.txt"), "new").unwrap();
    assert!(!read_until(&mut stream, "data: /z.txt\n").contains("my.log"));
}

/// Linux counts what is watched, per user; in a user namespace of its own a test can set the limits.
#[test]
fn too_many_folders_to_watch_is_an_error_that_says_what_to_do() {
    let folder = site();
    for name in ["one", "two", "three"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    for (limit, cure) in [("watches", "fs.inotify.max_user_watches="), ("instances", "fs.inotify.max_user_instances=")]
    {
        let set = format!("echo 1 >/proc/sys/user/max_inotify_{limit} || exit 77; exec \"$@\"");
        let set = if limit == "instances" { set.replace("echo 1", "echo 0") } else { set };
        let mut limited = Command::new("unshare");
        limited.args([
            "--user",
            "--map-root-user",
            "sh",
            "-c",
            &set,
            "sh",
            env!("CARGO_BIN_EXE_qibu"),
            "-p",
            "0",
            "--watch",
        ]);
        match limited.arg(folder.path()).output() {
            Ok(output) if output.status.code() == Some(1) && output.stderr.starts_with(b"qibu: ") => {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(said.contains("watch: ") && said.contains(cure), "{said}");
            }
            other => println!("skipped: no user namespace with limits of its own: {other:?}"),
        }
    }
}

#[test]
fn the_charset_is_what_the_user_says() {
    let folder = site();
    let program = start(qibu(&["-p", "0", "--charset", "GB2312"]).arg(folder.path()));
    assert!(program.get("/a.txt").contains("\r\ncontent-type: text/plain; charset=gbk\r\n"));
}

#[test]
fn a_charset_that_there_is_not_is_named() {
    let ended = run(&mut qibu(&["-p", "0", "--charset", "utf-9", "."]));
    assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
    assert!(ended.stderr.starts_with("qibu: charset: \"utf-9\" "), "{}", ended.stderr);
}
