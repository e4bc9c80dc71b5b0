//! Servers in a process of their own, seen from outside through /proc: memory and descriptors.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use bytes::Bytes;
use qibu::{Body, BodySender, Builder, Handler, Reply, Request, Response, StaticFiles, StatusCode, sse, ws};

use crate::common::{Client, MarkedFile, PATIENCE, eventually, get, local, marked_piece};
use crate::support::{LOG, affordable, allow_many_descriptors, assert_normal_meanwhile, connect_as, last_words, serve};

const LARGE: u64 = 256 * 1024 * 1024;
const IDLE_TIMEOUT: Duration = Duration::from_secs(8);

/// What is particular about a server process, as its environment says.
const FOLDER: &str = "QIBU_HOSTILE_FOLDER";
const DESCRIPTORS: &str = "QIBU_HOSTILE_DESCRIPTORS";

/// This test binary again, running [`server_process`] alone.
struct ServerProcess {
    process: std::process::Child,
    commands: ChildStdin,
    lines: mpsc::Receiver<String>,
    address: SocketAddr,
}

impl ServerProcess {
    fn start(folder: &tempfile::TempDir, adjust: impl FnOnce(&mut Command)) -> Self {
        Self::start_as(&env::current_exe().unwrap(), folder, adjust)
    }

    /// The same of a copy of this program.
    fn start_as(program: &Path, folder: &tempfile::TempDir, adjust: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(program);
        command
            .args(["--exact", "process::server_process", "--ignored", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        adjust(&mut command);
        let mut process = command.spawn().unwrap();
        let (commands, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || {
            let ours =
                output.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix('@').map(str::to_owned));
            ours.for_each(|line| drop(tell.send(line)));
        });
        let address = lines.recv_timeout(PATIENCE).expect("the process starts").parse().unwrap();
        Self { process, commands, lines, address }
    }

    fn connect(&self) -> Client<TcpStream> {
        Client::connect(self.address)
    }

    /// Asks the process for one of its figures.
    fn figure(&mut self, which: &str) -> u64 {
        writeln!(self.commands, "{which}").unwrap();
        self.lines.recv_timeout(PATIENCE).expect("the process answers").parse().unwrap()
    }

    /// How many lines of its log, from info upwards, hold this text.
    fn said(&mut self, text: &str) -> u64 {
        self.figure(&format!("said {text}"))
    }

    #[track_caller]
    fn until_connected(&mut self, count: u64) {
        let started = Instant::now();
        while self.figure("connections") != count {
            let (now, waited) = (self.figure("connections"), started.elapsed());
            assert!(waited < PATIENCE / 2, "waited in vain until {count} clients are connected: there are {now}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until it sends no more.
    fn until_stuck(&mut self) {
        let mut before = 0;
        eventually("the server stops sending", || {
            thread::sleep(Duration::from_millis(200)); // the time in which it must not have sent anything
            let sent = self.figure("sent");
            std::mem::replace(&mut before, sent) == sent && sent > 0
        });
    }

    /// Memory that the process itself has filled, in bytes.
    fn memory(&self) -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.process.id())).unwrap();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    fn threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap().count()
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.process.id())).unwrap().count()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "the other process of the tests below; alone it does nothing"]
fn server_process() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let site = Site::new(StaticFiles::new(folder));
    let (clock, room) = (site.clock.clone(), site.room.clone());
    let server = serve(settings(), site);
    log::set_max_level(log::LevelFilter::Info); // the lines are kept, and the memory is measured
    if let Some(most) = env::var(DESCRIPTORS).ok().and_then(|most| most.parse().ok()) {
        use rustix::process::{Resource, Rlimit, setrlimit};
        setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: Some(most) }).unwrap();
    }
    println!("\n@{}", server.local_addr());
    for command in io::stdin().lines().map_while(Result::ok) {
        let stats = server.handle().stats();
        let figure = match command.split_once(' ') {
            Some((_, text)) => LOG.lines(|line| line.contains(text)).len() as u64,
            None if command == "sent" => stats.sent_bytes,
            None if command == "accepted" => stats.accepted,
            None if command == "tick" => {
                clock.send(sse::Event::new("tick").id(stats.sent_bytes));
                clock.len() as u64
            }
            None if command == "say" => {
                room.send("hello to all");
                room.len() as u64
            }
            None => stats.connections,
        };
        println!("@{figure}");
    }
    server.handle().abort();
}

fn settings() -> Builder {
    local().idle_timeout(IDLE_TIMEOUT)
}

/// 256 MiB by every way there is, a folder, an answer that never comes, and a greeting.
struct Site {
    folder: StaticFiles,
    file: MarkedFile,
    memory: Bytes,
    never: Mutex<Vec<Reply>>,
    streams: Mutex<Vec<BodySender>>,
    clock: sse::Broadcast,
    room: ws::Broadcast,
}

impl Site {
    fn new(folder: StaticFiles) -> Self {
        // Zeros that nobody has written take no memory.
        let memory = Bytes::from(vec![0; LARGE as usize]);
        let (never, streams, clock) = (Mutex::default(), Mutex::default(), sse::Broadcast::new(4096));
        Self { folder, file: MarkedFile::new(LARGE), memory, never, streams, clock, room: ws::Broadcast::new() }
    }
}

impl Handler for Site {
    fn handle(&self, request: &mut Request) -> Response {
        let ok = |body: Body| Response::new(StatusCode::OK).with_body(body);
        match request.path() {
            "/" => Response::text("hello"),
            "/file" => ok(Body::file(self.file.file.clone(), 0..LARGE)),
            "/memory" => ok(self.memory.clone().into()),
            "/stream" => {
                let (sender, body) = Body::channel(64 * 1024);
                let produce = move || (0..LARGE / 65_536).try_for_each(|_| sender.send(marked_piece(0, 65_536)));
                thread::spawn(produce);
                ok(body)
            }
            "/stands-still" => {
                let (sender, body) = Body::channel(1024);
                sender.try_send("beginning").unwrap();
                let mut streams = self.streams.lock().unwrap();
                streams.retain(|stream| !stream.is_closed());
                streams.push(sender);
                ok(body)
            }
            "/clock" => self.clock.subscribe(),
            "/room" => ws::WebSocket::new().upgrade(request, Member(self.room.clone())),
            "/never" => {
                let (reply, pending) = request.later();
                self.never.lock().unwrap().push(reply);
                pending
            }
            _ => self.folder.handle(request),
        }
    }
}

/// Joins, and does not answer.
struct Member(ws::Broadcast);

impl ws::Handler for Member {
    fn on_open(&mut self, peer: &ws::Sender) {
        self.0.join(peer);
    }

    fn on_message(&mut self, _: &ws::Sender, _: ws::Message) {}
}

/// A folder with a file of 256 MiB that takes no room, and a small one.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::File::create(folder.path().join("large.bin")).unwrap().set_len(LARGE).unwrap();
    fs::write(folder.path().join("small.txt"), "small").unwrap();
    folder
}

/// They have never said a word. Caught: a buffer each, a timer that is walked through, an accept that falls behind.
#[test]
fn ten_thousand_idle_connections_are_held_and_then_gone() {
    let count = 10_000.min(allow_many_descriptors().saturating_sub(6000));
    if count < 10_000 {
        println!("{count} clients in place of 10,000: no more descriptors are allowed");
    }
    let folder = folder();
    let mut server = ServerProcess::start(&folder, |_| ());
    let connect = |number| connect_as(number, server.address, None);
    let first: Vec<_> = (0..100).map(connect).collect();
    server.connect().get("/"); // what is needed once is there
    server.until_connected(100);
    drop(first);
    server.until_connected(0);
    let before = server.memory();
    let clients: Vec<_> = (0..count).map(|number| connect_as(number, server.address, None)).collect();
    server.until_connected(count as u64);
    let each = server.memory().saturating_sub(before) / count as u64;
    assert!(each < 1024, "{each} bytes for an idle client");
    let address = server.address;
    assert_normal_meanwhile(address, || server.figure("connections") <= 1);
    for client in &clients {
        assert_eq!(last_words(client).0, b"", "nobody is told anything");
    }
    server.until_connected(0);
}

/// Server-sent events for everyone. Caught: a thread or a buffer for each, a text made for each.
#[test]
fn a_thousand_clients_of_a_clock_fit_into_10_mib_and_cost_no_thread() {
    let count = affordable(1000);
    let folder = folder();
    let mut server = ServerProcess::start(&folder, |_| ());
    server.connect().get("/");
    server.until_connected(0);
    let (threads, before) = (server.threads(), server.memory());
    let mut clients: Vec<_> = (0..count).map(|_| server.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.send(get("/clock")).head().status, 200);
    }
    for _ in 0..20 {
        assert_eq!(server.figure("tick"), count as u64, "nobody is too slow");
        for client in &mut clients {
            let chunk: Vec<_> = (0..5).map(|_| client.line().unwrap().unwrap()).collect();
            assert_eq!(chunk[2], "data: tick", "{chunk:?}");
        }
    }
    let (all, growth) = (server.memory(), server.memory().saturating_sub(before));
    println!("{count} clients of a clock: {all} bytes in all, {growth} of them for the clients");
    assert!(all < 10 * 1024 * 1024, "{all} bytes");
    assert_eq!(server.threads(), threads);
}

/// Each has sent a large message before it fell silent. Caught: room for it that is kept, a thread or a frame for each.
#[test]
fn a_thousand_websockets_fit_into_10_mib_and_cost_no_thread() {
    let count = affordable(1000);
    let folder = folder();
    let mut server = ServerProcess::start(&folder, |_| ());
    server.connect().get("/");
    server.until_connected(0);
    let (threads, before) = (server.threads(), server.memory());
    let mut clients: Vec<_> = (0..count).map(|_| server.connect()).collect();
    // Bytes, 512 KiB of them; the mask is four zeros.
    let large = [&b"\x82\xff\0\0\0\0\0\x08\0\0\0\0\0\0"[..], &[7; 512 * 1024]].concat();
    for client in &mut clients {
        client.send(
            "GET /room HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        );
        assert_eq!(client.head().status, 101);
        client.send(&large);
    }
    for _ in 0..20 {
        assert_eq!(server.figure("say"), count as u64, "nobody is too slow");
        for client in &mut clients {
            let mut frame = [0; 14];
            client.read_exact(&mut frame);
            assert_eq!(&frame, b"\x81\x0chello to all");
        }
    }
    let (all, growth) = (server.memory(), server.memory().saturating_sub(before));
    println!("{count} WebSockets: {all} bytes in all, {growth} of them for the clients");
    assert!(all < 10 * 1024 * 1024, "{all} bytes");
    assert_eq!(server.threads(), threads);
}

/// Eight of each kind. Caught: an answer in memory for each request; a file's bytes in ours; a producer that runs ahead.
#[test]
fn peers_that_never_read_50_answers_of_256_mib_cost_less_than_4_mib() {
    let folder = folder();
    for target in ["/file", "/memory", "/stream", "/large.bin"] {
        let mut server = ServerProcess::start(&folder, |_| ());
        server.connect().get("/");
        server.until_connected(0);
        let before = server.memory();
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let mut client = server.connect();
                client.send(get(target).repeat(50));
                client
            })
            .collect();
        server.until_connected(8);
        server.until_stuck();
        let growth = server.memory().saturating_sub(before);
        assert!(growth < 4 * 1024 * 1024, "{growth} bytes for 8 clients that ask for {target}");
        assert_eq!(server.connect().get("/").text(), "hello");
        drop(clients);
    }
}

/// What comes before the reset: an empty line, half a head, half a body, a request for more than fits (in a file, in a stream), or
/// a pipeline.
#[test]
fn of_three_thousand_resets_nothing_is_left() {
    assert_nothing_is_left_of(&[
        |client| _ = client.send("\r\n"),
        |client| _ = client.send("GET / HTTP/1.1\r\nHo"),
        |client| _ = client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf"),
        |client| _ = client.send(get("/file")),
        |client| _ = client.send(get("/stream")),
        |client| _ = client.send(get("/").repeat(20)),
    ]);
}

/// The same while their answers are still to come, or stand still: the server wants nothing of them, but the system says
/// that they are gone. Caught: keeping their descriptors until `handler_timeout`, which is five minutes.
#[test]
fn of_three_thousand_resets_of_those_who_wait_nothing_is_left() {
    assert_nothing_is_left_of(&[
        |client| _ = client.send(get("/never")),
        |client| _ = client.send(get("/stands-still")).head(),
    ]);
}

fn assert_nothing_is_left_of(beginnings: &[fn(&mut Client<TcpStream>)]) {
    let folder = folder();
    let mut server = ServerProcess::start(&folder, |_| ());
    let storm = |server: &mut ServerProcess, count: usize| {
        let before = server.figure("accepted");
        for beginning in beginnings.iter().cycle().take(count) {
            let mut client = server.connect();
            beginning(&mut client);
            client.vanish();
        }
        (0..count / 6).for_each(|_| server.connect().vanish()); // of who says nothing, the system need not tell
        eventually("all have come", || server.figure("accepted") >= before + count as u64);
        server.until_connected(0);
    };
    storm(&mut server, 3000); // what is needed once is there
    let descriptors = server.descriptors();
    let growth = [(); 3].map(|()| {
        let before = server.memory();
        storm(&mut server, 3000);
        server.memory().saturating_sub(before)
    });
    assert_eq!(server.descriptors(), descriptors);
    // The allocator has its moods; a leak would grow in each of the three.
    assert!(growth.iter().any(|growth| *growth < 256 * 1024), "{growth:?} bytes");
    assert_eq!(server.said(""), 0, "a reset is nothing to tell the administrator");
    assert_eq!(server.connect().get("/").text(), "hello");
}

/// All 40 are clients' sockets: there is none left to open a file with.
#[test]
fn with_40_descriptors_for_80_clients_a_file_is_503_until_some_leave() {
    let folder = folder();
    let mut server = ServerProcess::start(&folder, |command| {
        command.env(DESCRIPTORS, "40");
    });
    let mut first = server.connect();
    assert_eq!(first.get("/").text(), "hello");
    let others: Vec<_> = (0..80).map(|_| server.connect()).collect();
    eventually("it has been said", || server.said("no client can be accepted") > 0);
    for target in ["/large.bin", "/small.txt", "/"].repeat(10) {
        let status = if target == "/" { 200 } else { 503 };
        assert_eq!(first.get(target).status(), status, "{target}");
    }
    assert_eq!(server.said("503 for /small.txt"), 10, "the log says why");
    drop(others);
    server.until_connected(1);
    assert_eq!(first.get("/small.txt").text(), "small");
    assert_eq!(server.said("no client can be accepted"), 1, "that is said once");
}

/// Root may read everything, so the server is somebody else.
#[test]
fn a_file_and_a_folder_that_become_unreadable_are_403_100_times() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let set = |name: &str, mode| {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/page.txt"), "page").unwrap();
    set("", 0o755);
    let is_root = rustix::process::geteuid().is_root();
    // Somebody else may not be let into the folder where this program lies.
    let (place, original) = (tempfile::tempdir().unwrap(), env::current_exe().unwrap());
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = place.path().join("hostile");
    if fs::hard_link(&original, &program).is_err() {
        // Not fs::copy: whoever forks meanwhile has our file open for writing, and what is being written cannot be run.
        assert!(Command::new("cp").args([&original, &program]).status().unwrap().success());
    }
    let server = ServerProcess::start_as(&program, &folder, |command| {
        if is_root {
            command.uid(65_534).gid(65_534);
        }
    });
    let mut client = server.connect();
    let targets = ["/small.txt", "/sub/page.txt"];
    targets.iter().for_each(|target| assert_eq!(client.get(target).status(), 200, "{target}"));
    set("small.txt", 0o000);
    set("sub", 0o000);
    for _ in 0..100 {
        targets.iter().for_each(|target| assert_eq!(client.get(target).status(), 403, "{target}"));
    }
    set("small.txt", 0o644);
    set("sub", 0o755);
    targets.iter().for_each(|target| assert_eq!(client.get(target).status(), 200, "{target}"));
}
