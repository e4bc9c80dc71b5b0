//! After a file was changed, the very next request gets its new bytes, with a new tag; with all that is kept (bytes of small
//! files, descriptors of larger ones, that there is nothing) at work, and while other clients load the same files.

#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use qibu::StaticFiles;

use common::{Answer, Server, local, serve};

/// How often files are changed, in all.
const CHANGES: usize = 10_000;

/// Small enough for memory, too large for it.
const LENGTHS: [usize; 2] = [700, 40_000];

const SMALL: usize = 2400;
const LARGE: usize = 100;

/// The files of one folder, and what was last written into each.
struct Site {
    folder: tempfile::TempDir,
    tags: Vec<String>,
}

/// How a file gets its new bytes.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// A new file takes its name, as most programs that deploy or edit do it.
    Rename,
    /// Its bytes are overwritten where they are; its length stays.
    InPlace,
}

impl Site {
    fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap(), tags: vec![String::new(); SMALL + LARGE] };
        (0..SMALL + LARGE).for_each(|number| site.write(number, 0, Way::Rename));
        site
    }

    fn path(&self, number: usize) -> PathBuf {
        self.folder.path().join(name(number))
    }

    fn write(&self, number: usize, version: usize, way: Way) {
        let (path, content) = (self.path(number), content(number, version));
        match way {
            Way::Rename => {
                let new = path.with_extension("new");
                fs::write(&new, content).unwrap();
                fs::rename(new, path).unwrap();
            }
            Way::InPlace => OpenOptions::new().write(true).open(path).unwrap().write_all(&content).unwrap(),
        }
    }

    /// Waits until the files have not changed for so long that they may be kept.
    fn settle(&self) {
        let newest = (0..SMALL + LARGE).map(|number| self.path(number).metadata().unwrap().ctime()).max().unwrap();
        common::eventually("the files are old enough", || {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            i64::try_from(now.as_secs()).unwrap() > newest + 3
        });
    }

    /// Asserts that this is the version, under a tag that was not that of the one before.
    fn check(&mut self, number: usize, version: usize, answer: &Answer) {
        assert_eq!(answer.head.status, 200);
        assert!(answer.body == content(number, version), "version {version} of {} is old", name(number));
        let tag = answer.head.field("etag").unwrap();
        assert_ne!(tag, self.tags[number], "version {version} of {}", name(number));
        tag.clone_into(&mut self.tags[number]);
    }
}

fn name(number: usize) -> String {
    format!("{number}.bin")
}

fn content(number: usize, version: usize) -> Vec<u8> {
    let length = LENGTHS[usize::from(number >= SMALL)];
    let mut content = format!("{number} {version} ").repeat(length / 4).into_bytes();
    content.truncate(length);
    content
}

/// What tells versions apart to the system: a tag can tell no more.
fn stamp(path: &Path) -> (u64, i64, i64) {
    let metadata = path.metadata().unwrap();
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
}

#[test]
fn the_next_request_gets_what_was_written_last() {
    let mut site = Site::new();
    site.settle();
    let server = serve(local().loops(2), StaticFiles::new(site.folder.path()));
    let mut clients = [server.connect(), server.connect(), server.connect()];
    for _ in 0..2 {
        for number in 0..SMALL + LARGE {
            let answer = clients[number % 3].get(&format!("/{}", name(number)));
            site.tags[number].clear();
            site.check(number, 0, &answer);
        }
    }
    assert_eq!(kept_open(site.folder.path()), LARGE, "descriptors are kept");

    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (server, is_over) = (&server, &is_over);
        (0..2).for_each(|seed| drop(scope.spawn(move || load(server, is_over, seed))));
        let end = OnDrop(is_over);
        for change in 0..CHANGES {
            let (number, version) = (change % (SMALL + LARGE), 1 + change / (SMALL + LARGE));
            let way = if (number + version).is_multiple_of(2) { Way::Rename } else { Way::InPlace };
            let before = stamp(&site.path(number));
            site.write(number, version, way);
            if stamp(&site.path(number)) == before {
                site.tags[number].clear(); // the system's clock is too coarse for a tag to differ
            }
            let answer = clients[change % 3].get(&format!("/{}", name(number)));
            site.check(number, version, &answer);
        }
        drop(end);
    });
}

#[test]
fn what_was_not_there_is_there_with_the_next_request() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(local(), StaticFiles::new(folder.path()));
    let mut client = server.connect();
    for number in 0..200 {
        let (path, target) = (folder.path().join(number.to_string()), format!("/{number}"));
        for _ in 0..3 {
            assert_eq!(client.get(&target).head.status, 404);
        }
        fs::write(&path, "here").unwrap();
        assert_eq!(client.get(&target).body, b"here");
        fs::remove_file(&path).unwrap();
        assert_eq!(client.get(&target).head.status, 404);
    }
    assert_eq!(client.get("/nothing").head.status, 404);
    fs::write(folder.path().join("404.html"), "a page of its own").unwrap();
    let answer = client.get("/nothing");
    assert_eq!((answer.head.status, answer.body), (404, b"a page of its own".to_vec()));
}

#[test]
fn what_is_changed_before_the_body_of_a_request_has_come_is_sent_as_it_is_now() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    fs::write(&path, "old").unwrap();
    let server = serve(local(), StaticFiles::new(folder.path()));
    let mut client = server.connect();
    client.send("GET /a.bin HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.head().status, 100, "it was looked for by now");
    fs::write(&path, "new").unwrap();
    assert_eq!(client.send("hi").answer().body, b"new");
}

/// Asks for one file after the other, whatever they hold by now.
fn load(server: &Server, is_over: &AtomicBool, seed: usize) {
    let mut client = server.connect();
    let mut number = seed;
    while !is_over.load(Ordering::Relaxed) {
        number = (number * 31 + 7) % (SMALL + LARGE);
        assert_eq!(client.get(&format!("/{}", name(number))).head.status, 200);
        thread::sleep(Duration::from_micros(100)); // leave some of the processor to the test itself
    }
}

/// How many files of the folder this process, and so the server, holds open.
fn kept_open(folder: &Path) -> usize {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap();
    let targets = descriptors.filter_map(|descriptor| fs::read_link(descriptor.ok()?.path()).ok());
    targets.filter(|target| target.parent() == Some(folder)).count()
}

/// Lets the load end, whether the test has passed or failed.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
