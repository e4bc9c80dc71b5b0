//! A disk that has to be waited for holds up nobody but those who want something of it. The loop is one of the tests, whose
//! workers work when they are told to: until then the disk hangs.

#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File};
use std::io::{IoSliceMut, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use common::{Gate, get, local, serve};
use qibu::testing::{Fault, PeerId, TestLoop};
use qibu::{Http, Request, Router, StaticFiles, blocking};
use rustix::fs::{Advice, fadvise};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

/// A folder with a file that is kept in memory by the server, and a loop that serves it.
struct Site {
    folder: tempfile::TempDir,
    server: TestLoop,
    clients: u16,
}

impl Site {
    fn new(jobs: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_long_ago(&folder.path().join("kept.png"), b"kept");
        let server = TestLoop::with_worker_queue(Http::new(StaticFiles::new(folder.path())), jobs);
        let mut site = Self { folder, server, clients: 0 };
        let client = site.ask("/kept.png");
        assert!(site.recv(client).ends_with(b"\r\n\r\nkept"), "it was written a moment ago, so the system has it");
        site
    }

    fn connect(&mut self) -> PeerId {
        self.clients += 1;
        self.server.connect(format!("192.0.2.1:{}", self.clients).parse().unwrap()).unwrap()
    }

    /// A new client that has asked for this.
    fn ask(&mut self, path: &str) -> PeerId {
        let client = self.connect();
        self.ask_again(client, path);
        client
    }

    fn ask_again(&mut self, client: PeerId, path: &str) {
        self.server.send(client, format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        self.settle();
    }

    fn settle(&mut self) {
        while !self.server.is_quiet() {
            self.server.step();
        }
    }

    fn recv(&mut self, client: PeerId) -> Vec<u8> {
        self.settle();
        self.server.recv(client)
    }

    /// Whatever comes of a file must be read by a worker first.
    fn ask_for_large(&mut self) -> PeerId {
        let client = self.connect();
        self.server.fail_with(client, |_| Fault::Cold);
        self.ask_again(client, "/large.png");
        client
    }

    /// Somebody else is answered, though the disk hangs.
    fn others_are_answered(&mut self) {
        let waiting = self.server.jobs_waiting();
        let other = self.ask("/kept.png");
        assert!(self.recv(other).ends_with(b"\r\n\r\nkept"));
        assert_eq!(self.server.jobs_waiting(), waiting);
    }

    fn run_job(&mut self) {
        self.server.run_job(0);
        self.settle();
    }
}

/// Old enough to be kept by the server.
fn write_long_ago(path: &Path, content: &[u8]) {
    let mut file = File::create(path).unwrap();
    file.write_all(content).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
}

/// A file of several pages, of which the system has forgotten at least the first and the last. Whether it could be brought to that.
fn write_cold(path: &Path, content: &[u8]) -> bool {
    const MOST_TRIES: usize = 100;
    write_long_ago(path, content);
    let file = File::open(path).unwrap();
    file.sync_all().unwrap();
    fadvise(&file, 0, None, Advice::Random).unwrap(); // who asks for a page lets the system read that one, and no more
    let ends = [0, content.len() as u64 - 1];
    // Pages that the system is just moving about are not forgotten: those that it had last.
    (0..MOST_TRIES).any(|_| {
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        ends.iter().all(|at| {
            preadv2(&file, &mut [IoSliceMut::new(&mut [0])], *at, ReadWriteFlags::NOWAIT) == Err(Errno::AGAIN)
        })
    })
}

#[test]
fn a_name_that_nobody_has_asked_for_is_looked_up_by_a_worker() {
    let mut site = Site::new(16);
    let client = site.ask("/never-seen.png");
    assert_eq!(site.server.jobs_waiting(), 1);
    site.others_are_answered();
    assert_eq!(site.recv(client), b"");
    site.run_job();
    assert!(site.recv(client).starts_with(b"HTTP/1.1 404 "));
}

#[test]
fn bytes_that_are_on_the_disk_are_read_by_a_worker() {
    let mut site = Site::new(16);
    // Only the first and the last page are known to be forgotten, and the system may have read them again: so try several files.
    let mut tried = None;
    for number in 0..20 {
        if !write_cold(&site.folder.path().join(format!("{number}.png")), &[b'x'; 20_000]) {
            return println!("skipped: the system forgets nothing here");
        }
        let path = format!("/{number}.png");
        let client = site.ask(&path);
        tried = Some((client, path));
        if site.server.jobs_waiting() == 1 {
            break;
        }
    }
    let (client, path) = tried.expect("some were tried");
    assert_eq!(site.server.jobs_waiting(), 1);
    site.others_are_answered();
    assert_eq!(site.recv(client), b"");
    site.run_job();
    assert!(site.recv(client).ends_with(&[b'x'; 20_000]));
    site.ask_again(client, &path);
    assert!(site.recv(client).ends_with(&[b'x'; 20_000]), "it is not cold any more");
    assert_eq!(site.server.jobs_waiting(), 0);
}

#[test]
fn bytes_that_the_system_has_need_no_worker() {
    let mut site = Site::new(16);
    for name in ["small.png", "large.png", "huge.png"] {
        write_long_ago(&site.folder.path().join(name), &vec![b'x'; [100, 100_000, 3_000_000][name.len() % 3]]);
        let client = site.ask(&format!("/{name}"));
        assert!(site.recv(client).ends_with(b"xxxx"), "{name}");
        assert_eq!(site.server.jobs_waiting(), 0, "{name}");
    }
}

#[test]
fn where_too_many_wait_for_the_disk_the_next_is_told_to_come_again() {
    let mut site = Site::new(1);
    let first = site.ask("/never-seen.png");
    let second = site.ask("/nor-this.png");
    let answer = String::from_utf8(site.recv(second)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nretry-after: "), "{answer}");
    site.others_are_answered();
    site.run_job();
    assert!(site.recv(first).starts_with(b"HTTP/1.1 404 "));
}

#[test]
fn who_leaves_while_the_disk_hangs_leaves_nothing_behind() {
    let mut site = Site::new(16);
    let client = site.ask("/never-seen.png");
    leaves_nothing_behind(site, client);
}

#[test]
fn who_waits_for_the_disk_at_shutdown_is_still_answered() {
    let mut site = Site::new(16);
    let client = site.ask("/never-seen.png");
    site.server.shut_down();
    site.settle();
    assert!(site.server.is_open(client));
    site.run_job();
    assert!(site.recv(client).starts_with(b"HTTP/1.1 404 "));
    assert!(site.server.is_finished(client));
}

#[test]
fn a_file_that_was_built_anew_is_found_through_a_root_that_was_swapped() {
    let mut site = Site::new(16);
    let (root, aside) = (site.folder.path().to_owned(), site.folder.path().with_extension("aside"));
    fs::rename(&root, &aside).unwrap();
    fs::create_dir(&root).unwrap();
    write_long_ago(&root.join("kept.png"), b"new");
    let client = site.ask("/kept.png");
    assert_eq!(site.server.jobs_waiting(), 1, "another root has to be opened");
    site.run_job();
    assert!(site.recv(client).ends_with(b"\r\n\r\nnew"));
    fs::remove_dir_all(aside).unwrap();
}

// ---- files that go by `sendfile` ----

const LARGE: usize = 3_500_000;

/// A site with a large file that is on the disk, and a client that has asked for it.
fn large(jobs: usize) -> (Site, PeerId) {
    let mut site = Site::new(jobs);
    write_long_ago(&site.folder.path().join("large.png"), &content());
    let client = site.ask_for_large();
    (site, client)
}

fn content() -> Vec<u8> {
    (0..LARGE).map(|place| (place / 1000) as u8).collect()
}

#[test]
fn a_file_of_which_each_stretch_is_cold_is_read_by_workers_stretch_by_stretch() {
    let (mut site, client) = large(16);
    let mut received = site.recv(client);
    let head = received.len();
    assert!(received.ends_with(b"\r\n\r\n"), "only the head");
    for stretch in 0..LARGE.div_ceil(1 << 20) {
        assert_eq!(site.server.jobs_waiting(), 1, "stretch {stretch}");
        site.others_are_answered();
        assert_eq!(site.recv(client), b"", "stretch {stretch}");
        site.run_job();
        received.extend(site.recv(client));
    }
    assert!(received[head..] == content());
    assert_eq!(site.server.jobs_waiting(), 0);
}

#[test]
fn where_no_worker_is_free_a_cold_stretch_is_asked_for_again_after_a_moment() {
    let (mut site, first) = large(1);
    let second = site.ask_for_large();
    assert!(site.recv(second).ends_with(b"\r\n\r\n"), "only the head");
    assert!(site.server.is_quiet(), "nobody spins");
    assert_eq!(site.server.deadline(second), Some(Duration::from_millis(100)));
    site.others_are_answered();
    let (mut to_first, mut to_second) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        site.run_job();
        to_first.extend(site.recv(first));
    }
    assert!(to_first.ends_with(&content()));
    for _ in 0..4 {
        site.server.advance(Duration::from_millis(100));
        site.settle();
        site.run_job();
        to_second.extend(site.recv(second));
    }
    assert!(to_second == content());
}

#[test]
fn who_leaves_while_its_file_is_read_leaves_nothing_behind() {
    let (site, client) = large(16);
    leaves_nothing_behind(site, client);
}

/// A client for which a worker is to read leaves; what the worker has read is for nobody.
fn leaves_nothing_behind(mut site: Site, client: PeerId) {
    site.server.reset(client);
    site.settle();
    assert!(!site.server.is_open(client));
    let next = site.connect(); // in the same slot
    site.run_job();
    assert_eq!(site.recv(next), b"");
    site.others_are_answered();
}

#[test]
fn who_is_sent_a_cold_file_at_shutdown_gets_all_of_it() {
    let (mut site, client) = large(16);
    site.server.shut_down();
    let mut received = site.recv(client);
    while site.server.jobs_waiting() > 0 {
        assert!(site.server.is_open(client));
        site.run_job();
        received.extend(site.recv(client));
    }
    assert!(received.ends_with(&content()));
    assert!(site.server.is_finished(client));
}

#[test]
fn a_disk_that_hangs_for_ever_holds_no_client_for_ever() {
    let (mut site, client) = large(16);
    assert!(site.recv(client).ends_with(b"\r\n\r\n"));
    site.server.advance(Duration::from_secs(60)); // the write timeout
    site.settle();
    assert!(site.server.is_reset(client) && !site.server.is_open(client), "it must not take what it has for all");
    site.run_job();
    site.others_are_answered();
}

/// Lets the time pass in small steps, so that whatever is due meanwhile happens.
fn pass(site: &mut Site, time: Duration) {
    let step = Duration::from_millis(100);
    for _ in 0..time.as_millis() / step.as_millis() {
        site.server.advance(step);
        site.settle();
    }
}

/// Nearly the write timeout.
const SILENCE: Duration = Duration::from_secs(59);

#[test]
fn a_client_is_not_blamed_for_the_slowness_of_the_disk() {
    let (mut site, client) = large(16);
    let mut received = site.recv(client);
    let head = received.len();
    while site.server.jobs_waiting() > 0 {
        pass(&mut site, SILENCE);
        assert!(site.server.is_open(client), "{} bytes, then the disk spins up", received.len());
        site.run_job();
        received.extend(site.recv(client));
    }
    assert!(received[head..] == content());
}

#[test]
fn a_client_is_not_blamed_where_no_worker_is_free() {
    let (mut site, first) = large(1);
    let second = site.ask_for_large();
    let head = site.recv(second).len();
    pass(&mut site, SILENCE);
    assert!(site.server.is_open(second), "the only place in the queue is taken");
    site.server.reset(first);
    site.run_job();
    pass(&mut site, Duration::from_millis(100));
    let mut received = Vec::new();
    while site.server.jobs_waiting() > 0 {
        site.run_job();
        received.extend(site.recv(second));
    }
    assert!(head > 0 && received == content());
}

#[test]
fn a_client_that_is_slow_itself_is_found_out_behind_a_slow_disk_too() {
    let (mut site, client) = large(16);
    site.recv(client);
    site.server.open_window(client, 0);
    pass(&mut site, SILENCE);
    site.run_job();
    let mut received = 0;
    for _ in 0..20 {
        site.server.open_window(client, 100); // in each second
        received += site.recv(client).len();
        pass(&mut site, Duration::from_secs(1));
    }
    assert!(!site.server.is_open(client), "{received} bytes in 20 s are less than min_write_rate");
}

/// The same over sockets, with a real file: the only worker is held by another handler.
#[test]
fn a_large_file_that_the_system_has_forgotten_stalls_no_other_client() {
    let folder = tempfile::tempdir().unwrap();
    let _ = write_cold(&folder.path().join("large.png"), &content()); // warm it stalls nobody, either
    write_long_ago(&folder.path().join("kept.png"), b"kept");
    let gate = Gate::default();
    let handler =
        Router::new().route("GET /held", blocking(gate_keeper(&gate))).mount("/", StaticFiles::new(folder.path()));
    let server = serve(local().workers(1), handler);
    let (mut held, mut cold, mut other) = (server.connect(), server.connect(), server.connect());
    held.send(get("/held"));
    gate.until_arrived(1);
    cold.send(get("/large.png"));
    for _ in 0..3 {
        assert_eq!(other.get("/kept.png").body, b"kept");
    }
    gate.open();
    assert!(cold.answer().body == content());
}

fn gate_keeper(gate: &Gate) -> impl Fn(&mut Request) -> &'static str + use<> {
    let gate = gate.clone();
    move |_| {
        gate.pass();
        "passed"
    }
}
