//! Files that change while they are sent, and disks that fail.
//!
//! A disk that gives `EIO` needs a device of its own, and root to mount it. What comes next to it: `/proc/self/mem`, whose
//! first page is never there, gives a true `EIO` to who reads it; `sendfile` refuses it with another error. So `EIO` from
//! `sendfile` itself is not covered, but every error of `sendfile` takes one path.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::path::Path;

use qibu::StaticFiles;

use crate::common::{Client, Head, MarkCheck, Server, get, is_end, local, marked_piece};
use crate::support::serve;

const MEBIBYTE: u64 = 1024 * 1024;
const LENGTH: u64 = 16 * MEBIBYTE;
const READERS: usize = 4;

/// A file whose bytes say where they are, beside a small one.
fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.bin");
    write_marked(&path, LENGTH);
    fs::write(folder.path().join("small.txt"), "small").unwrap();
    (folder, path)
}

fn write_marked(path: &Path, length: u64) {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path).unwrap();
    file.set_len(length).unwrap();
    for at in (0..length).step_by(MEBIBYTE as usize) {
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(&marked_piece(at, 8)).unwrap();
    }
}

fn resize(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

/// What a reader must find that has begun before the change.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Outcome {
    /// All bytes of the version that it began with, and the next answer.
    Whole,
    /// As many bytes as were promised, whatever they are by now, and the next answer.
    Framed,
    /// One of the two around this line: a read may fall into the moment in which the file is empty.
    FramedOrCut,
    /// Right bytes, too few of them, and then no end that could be taken for the answer's.
    Cut,
}

/// Slow readers of the large file, with a small one asked for behind it; the body has begun to come.
fn begin(server: &Server) -> Vec<(Client<TcpStream>, Head)> {
    let begin = |_| {
        let mut client = Client::with_small_window(server.local_addr(), 16 * 1024);
        let head = client.send(get("/large.bin") + &get("/small.txt")).head();
        assert_eq!((head.status, head.field("content-length")), (200, Some(&*LENGTH.to_string())));
        (client, head)
    };
    (0..READERS).map(begin).collect()
}

fn check_change(change: fn(&Path), outcome: Outcome) {
    let (folder, path) = folder();
    let server = serve(local(), StaticFiles::new(folder.path()));
    let readers = begin(&server);
    change(&path);
    for (mut client, head) in readers {
        let (mut check, mut count) = (MarkCheck::default(), 0);
        let read = client.body(&head, |piece| {
            count += piece.len() as u64;
            if matches!(outcome, Outcome::Whole | Outcome::Cut) {
                check.take(piece);
            }
        });
        match (outcome, read) {
            (Outcome::Whole | Outcome::Framed | Outcome::FramedOrCut, Ok(())) => {
                assert_eq!(client.answer().text(), "small");
            }
            (Outcome::Cut | Outcome::FramedOrCut, Err(error)) => {
                assert!(is_end(&error) && count < LENGTH, "{error} after {count} bytes")
            }
            (_, read) => panic!("{outcome:?}, but {read:?} after {count} of {LENGTH} bytes"),
        }
    }
    assert_eq!(server.connect().get("/small.txt").text(), "small");
    server.until_connected(0);
}

#[test]
fn a_file_that_is_truncated_while_4_read_it_cuts_their_connections() {
    check_change(|path| resize(path, 8 * MEBIBYTE), Outcome::Cut);
}

#[test]
fn a_file_that_is_emptied_while_4_read_it_cuts_their_connections() {
    check_change(|path| resize(path, 0), Outcome::Cut);
}

/// What `cp` does to a file that exists.
#[test]
fn a_file_that_is_emptied_and_written_again_keeps_the_length_that_was_promised_or_is_cut() {
    let again = |path: &Path| {
        resize(path, 0);
        resize(path, LENGTH + 1000);
    };
    check_change(again, Outcome::FramedOrCut);
}

#[test]
fn a_file_that_grows_is_sent_as_long_as_was_promised() {
    check_change(|path| write_marked(path, 2 * LENGTH), Outcome::Whole);
}

#[test]
fn a_file_that_is_overwritten_keeps_the_length_that_was_promised() {
    let overwrite = |path: &Path| {
        let mut file = OpenOptions::new().write(true).open(path).unwrap();
        (0..LENGTH / MEBIBYTE).for_each(|_| file.write_all(&[b'!'; MEBIBYTE as usize]).unwrap());
    };
    check_change(overwrite, Outcome::Framed);
}

#[test]
fn a_file_that_is_replaced_is_sent_as_it_was() {
    let replace = |path: &Path| {
        let other = path.with_extension("new");
        fs::write(&other, "another").unwrap();
        fs::rename(other, path).unwrap();
    };
    check_change(replace, Outcome::Whole);
}

#[test]
fn a_file_that_is_removed_is_sent_as_it_was() {
    check_change(|path| fs::remove_file(path).unwrap(), Outcome::Whole);
}

/// Caught: a descriptor, a name or an answer that is remembered although it is no longer true.
#[test]
fn a_folder_that_is_removed_while_it_is_served_is_100_times_404_and_then_there_again() {
    let outer = tempfile::tempdir().unwrap();
    let (sub, page) = (outer.path().join("sub"), outer.path().join("sub/page.txt"));
    let make = || {
        fs::create_dir(&sub).unwrap();
        fs::write(&page, "page").unwrap();
    };
    make();
    let servers = [serve(local(), StaticFiles::new(outer.path())), serve(local(), StaticFiles::new(&sub))];
    let mut clients = servers.each_ref().map(Server::connect);
    let ask = |clients: &mut [Client<TcpStream>; 2], what: &str| {
        let [outer, sub] = clients;
        [outer.get(&format!("/sub{what}")).status(), sub.get(what).status()]
    };
    assert_eq!(ask(&mut clients, "/page.txt"), [200, 200]);
    fs::remove_dir_all(&sub).unwrap();
    for _ in 0..100 {
        assert_eq!(ask(&mut clients, "/page.txt"), [404, 404]);
        assert_eq!(ask(&mut clients, "/"), [404, 404]);
    }
    // ENOTDIR: what was a folder is a file.
    fs::write(&sub, "a file").unwrap();
    for _ in 0..100 {
        assert_eq!(ask(&mut clients, "/page.txt"), [404, 404]);
    }
    fs::remove_file(&sub).unwrap();
    make();
    assert_eq!(ask(&mut clients, "/page.txt"), [200, 200]);
}

/// Names that no file can have, links in a circle, and a pipe, which would let its reader wait for ever.
#[cfg(unix)]
#[test]
fn what_cannot_be_opened_is_404_at_once_100_times() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("loop", folder.path().join("loop")).unwrap();
    fs::write(folder.path().join("file"), "file").unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    let server = serve(local(), StaticFiles::new(folder.path()));
    let mut client = server.connect();
    let long = format!("/{}", "x".repeat(300));
    for _ in 0..100 {
        for target in ["/loop", "/pipe", "/file/below", "/file/", &long] {
            assert_eq!(client.get(target).status(), 404, "{target}");
        }
    }
    assert_eq!(client.get("/file").text(), "file");
}

#[cfg(target_os = "linux")]
mod unreadable {
    //! What /proc and /sys have for us that no disk of ours would do.

    use std::fs::File;
    use std::io::{self, Read};
    use std::sync::Arc;

    use qibu::{Body, Request, Response, StatusCode};

    use super::*;
    use crate::support::LOG;

    /// `EIO` in a handler is a 500 that the log explains, 100 times; the connection stays.
    #[test]
    fn one_hundred_true_io_errors_in_a_handler_are_500_and_in_the_log() {
        let server = serve(local(), |request: &mut Request| -> qibu::Result {
            if request.path() == "/" {
                return Ok(Response::text("hello"));
            }
            let mut bytes = [0; 100];
            File::open("/proc/self/mem")?.read_exact(&mut bytes)?;
            Ok(Response::text(bytes.to_vec()))
        });
        let mut client = server.connect();
        let is_said = |line: &str| line.contains("the handler of GET /broken failed") && line.contains("os error 5");
        let before = LOG.lines(is_said).len();
        for _ in 0..100 {
            let answer = client.get("/broken");
            assert_eq!(answer.status(), 500);
            assert!(
                !String::from_utf8_lossy(&answer.body).contains("os error"),
                "that is none of the client's business"
            );
        }
        assert_eq!(LOG.lines(is_said).len() - before, 100);
        assert_eq!(client.get("/").text(), "hello");
    }

    /// The head has gone out with its length when the first read fails: all that is left is to cut.
    #[test]
    fn files_that_cannot_be_read_cut_100_connections_each() {
        let folder = tempfile::tempdir().unwrap();
        let write_only = File::create(folder.path().join("write-only")).unwrap();
        write_only.set_len(1000).unwrap();
        let short = File::open("/dev/null").unwrap();
        let unreadable = [
            ("EIO", File::open("/proc/self/mem").unwrap()),
            ("EISDIR", File::open(folder.path()).unwrap()),
            ("EBADF", write_only),
            ("too short", short),
        ];
        for (what, file) in unreadable {
            let file = Arc::new(file);
            let server = serve(local(), move |request: &mut Request| match request.path() {
                "/" => Response::text("hello"),
                _ => Response::new(StatusCode::OK).with_body(Body::file(file.clone(), 0..100)),
            });
            let mut bystander = server.connect();
            for _ in 0..100 {
                let mut client = server.connect();
                client.send(get("/unreadable") + &get("/"));
                client.rest().map_or_else(|error| assert_cut(&error), |words| assert_no_body(what, &words));
                assert_eq!(bystander.get("/").text(), "hello", "{what}");
            }
            drop(bystander);
            server.until_connected(0);
        }
    }

    fn assert_cut(error: &io::Error) {
        assert!(is_end(error), "{error}");
    }

    /// A head at most, and nothing behind it that could be taken for its body.
    fn assert_no_body(what: &str, words: &[u8]) {
        let body = words.windows(4).position(|end| end == b"\r\n\r\n").map_or(0, |end| words.len() - end - 4);
        assert_eq!(body, 0, "{what}: {:?}", String::from_utf8_lossy(words));
    }

    /// A file that is always shorter than the system says, as those of /sys are.
    #[test]
    fn a_file_that_is_shorter_than_it_says_is_500_100_times() {
        const FOLDER: &str = "/sys/devices/virtual/net/lo";
        let is_short = fs::metadata(format!("{FOLDER}/mtu")).is_ok_and(|metadata| metadata.len() == 4096);
        if !is_short {
            return println!("skipped: there is no such file");
        }
        let server = serve(local(), StaticFiles::new(FOLDER));
        let mut client = server.connect();
        for _ in 0..100 {
            assert_eq!(client.get("/mtu").status(), 500);
        }
        assert!(LOG.lines(|line| line.contains("500 for /mtu: ")).len() >= 100, "the log says why");
    }
}
