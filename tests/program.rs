//! The program as a user meets it: what it says, where it listens, how it ends.
//!
//! Each test runs `qibu` itself. What the program does before it listens ends by itself, and is judged by exit code and
//! words; what it does afterwards is judged through its sockets. Nothing here sleeps and hopes: what is waited for has a
//! deadline, and every child is killed when its test ends.
#![cfg(all(feature = "program", unix))] // signals, permissions and unix sockets are half of it

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take that should happen at once; far below the grace of a shutdown, which is 30 seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// More than all buffers between the program and a client that does not read, in bytes.
const LARGE: u64 = 64 * 1024 * 1024;

// ---- what it says before it listens ----

#[test]
fn help_fits_on_one_screen_and_names_every_option() {
    for flag in ["--help", "-h"] {
        let help = run(&mut qibu(&[flag]));
        assert_eq!((help.code, &*help.stderr), (Some(0), ""), "{flag}");
        assert!(help.stdout.lines().count() <= 40, "{flag} is too long:\n{}", help.stdout);
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{flag} is too wide:\n{}", help.stdout);
        for part in ["DIR|FILE", "--lan", "--port", "--bind", "--loops", "--version", "8080", "Examples:"] {
            assert!(help.stdout.contains(part), "{flag} does not name {part}");
        }
    }
}

#[test]
fn version_is_one_line() {
    let version = run(&mut qibu(&["--version"]));
    assert_eq!((version.code, &*version.stderr), (Some(0), ""));
    assert_eq!(version.stdout, concat!("qibu ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_which_argument() {
    let cases: &[(&[&str], &str)] = &[
        (&["--bogus"], "--bogus"),
        (&["-p"], "--port"),
        (&["-p", "65536"], "65536"),
        (&["-p", "eighty"], "eighty"),
        (&["-p", "-1"], "-1"),
        (&["--loops", "0"], "--loops"),
        (&["--loops", "many"], "--loops"),
        (&["-b", "nowhere"], "nowhere"),
        (&["-b", "300.0.0.1"], "300.0.0.1"),
        (&["-b", "127.0.0.1:99999"], "127.0.0.1:99999"),
        (&["--lan", "-b", "::1"], "--bind"),
        (&["one", "two"], "two"),
        (&[""], "DIR|FILE"),
    ];
    for (arguments, culprit) in cases {
        let ended = run(&mut qibu(arguments));
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: "), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(culprit), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_unix_socket_without_a_path_is_wrong_usage() {
    let ended = run(&mut qibu(&["-b", "unix:"]));
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
}

#[test]
fn a_missing_folder_is_named() {
    let complaint = complaint(&mut qibu(&["/no/such/folder"]));
    assert!(complaint.contains("/no/such/folder"), "{complaint}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = site();
    for (name, mode) in [("closed folder", 0o000), ("closed file", 0o000), ("unlisted folder", 0o311)] {
        let path = folder.path().join(name);
        if name.ends_with("folder") {
            fs::create_dir(&path).unwrap()
        } else {
            fs::write(&path, "secret").unwrap()
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let Some(mut command) = qibu_without_privileges(&folder) else { return };
        let ended = run(command.arg(&path));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap(); // or it could not be cleared away
        let complaint = ended.complaint();
        assert!(complaint.contains(name), "{complaint}");
    }
}

#[test]
fn what_is_neither_folder_nor_file_is_refused_at_once() {
    let folder = site();
    let fifo = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for path in [&*fifo, Path::new("/dev/null")] {
        let complaint = complaint(qibu(&["-p", "0"]).arg(path));
        assert!(complaint.contains(path.to_str().unwrap()), "{complaint}");
    }
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let complaint = complaint(&mut qibu(&["no\u{1b}[31m\nsuch"]));
    assert!(!complaint.contains(char::is_control), "{complaint:?}");
}

#[test]
fn a_port_that_was_asked_for_and_is_taken_is_an_error_that_shows_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let complaint = complaint(&mut qibu(&["-p", &port]));
    assert!(complaint.contains(&port) && complaint.contains("-p"), "{complaint}");
}

#[test]
fn a_taken_port_that_was_given_with_the_address_is_not_blamed_on_another_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let complaint = complaint(&mut qibu(&["-b", &address]));
    assert!(complaint.contains(&address), "{complaint}");
    assert!(!complaint.contains("-p"), "-p does not change it: {complaint}");
}

#[test]
fn an_address_of_another_host_is_named() {
    let complaint = complaint(&mut qibu(&["-b", "203.0.113.77", "-p", "0"]));
    assert!(complaint.contains("203.0.113.77"), "{complaint}");
}

#[test]
fn a_privileged_port_says_so_wherever_it_was_given() {
    const PORT: &str = "1";
    let first_free = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or("1024".into());
    if first_free.trim().parse::<u16>().is_ok_and(|first| first <= 1) {
        return println!("skipped: this system has no privileged ports");
    }
    let folder = site();
    for arguments in [["-p", PORT], ["-b", "127.0.0.1:1"]] {
        let Some(mut command) = qibu_without_privileges(&folder) else { return };
        let complaint = complaint(command.args(arguments).arg(folder.path()));
        assert!(complaint.contains("127.0.0.1:1:"), "{complaint}");
        assert!(complaint.contains("1024"), "{arguments:?} does not say what to do: {complaint}");
    }
}

#[test]
fn a_file_in_the_place_of_a_unix_socket_is_kept_and_named() {
    let folder = site();
    let path = folder.path().join("a.txt");
    let complaint = complaint(&mut qibu(&["-b", &unix(&path)]));
    assert!(complaint.contains("a.txt"), "{complaint}");
    assert!(!complaint.contains("-p"), "a port does not help: {complaint}");
    assert_eq!(fs::read_to_string(path).unwrap(), "hello\n");
}

#[test]
fn a_unix_socket_in_a_missing_folder_is_named() {
    let complaint = complaint(&mut qibu(&["-b", "unix:/no/such/folder/socket"]));
    assert!(complaint.contains("/no/such/folder/socket"), "{complaint}");
}

// ---- where it listens ----

#[test]
fn every_url_of_the_banner_leads_to_the_folder() {
    let folder = site();
    for arguments in [&["-p", "0"][..], &["--lan", "-p", "0"], &["-b", "0.0.0.0", "-p", "0"], &["-b", "127.0.0.1:0"]] {
        let program = start(qibu(arguments).arg(folder.path()));
        assert!(program.banner[0].contains(folder.path().to_str().unwrap()), "{:?}", program.banner);
        let urls = program.urls();
        assert!(!urls.is_empty(), "{:?}", program.banner);
        for host_and_port in urls {
            let answer = ask(TcpStream::connect(&*host_and_port), "/a.txt");
            assert!(answer.ends_with("\r\n\r\nhello\n"), "{arguments:?} {host_and_port}: {answer}");
        }
    }
}

/// On Linux all of 127.0.0.0/8 is this host's, but `localhost` is only one address of it; and not every host knows ::1
/// by that name.
#[test]
fn a_banner_does_not_promise_localhost_where_nobody_listens() {
    let folder = site();
    for ip in ["127.0.0.2", "::1"] {
        if TcpListener::bind((ip, 0)).is_err() {
            println!("skipped {ip}: this computer has no such address");
            continue;
        }
        let program = start(qibu(&["-b", ip, "-p", "0"]).arg(folder.path()));
        for host_and_port in program.urls() {
            let answer = ask(TcpStream::connect(&*host_and_port), "/a.txt");
            assert!(answer.ends_with("\r\n\r\nhello\n"), "-b {ip}: http://{host_and_port}/: {answer}");
        }
    }
}

#[test]
fn only_this_computer_is_let_in_unless_lan_is_said() {
    let Some(ip) = own_address() else { return println!("skipped: this computer has no network address") };
    let folder = site();
    let alone = start(qibu(&["-p", "0"]).arg(folder.path()));
    let outside = TcpStream::connect((ip, alone.port()));
    assert_eq!(outside.map_err(|error| error.kind()).unwrap_err(), io::ErrorKind::ConnectionRefused);

    let shared = start(qibu(&["--lan", "-p", "0"]).arg(folder.path()));
    assert!(shared.urls().contains(&SocketAddr::new(ip, shared.port()).to_string()), "{:?}", shared.banner);
    assert!(ask(TcpStream::connect((ip, shared.port())), "/a.txt").ends_with("hello\n"));
}

#[test]
fn a_taken_default_port_moves_on_to_the_next_and_says_so() {
    let _taken = TcpListener::bind("127.0.0.1:8080"); // or somebody else has it
    let folder = site();
    let program = start(qibu(&[]).arg(folder.path()));
    assert!(program.port() > 8080, "{:?}", program.banner);
    assert!(program.banner[0].contains("8080") && program.banner[0].contains("-p"), "{:?}", program.banner);
    assert!(program.banner[0].contains(&program.port().to_string()), "{:?}", program.banner);
    assert!(program.get("/a.txt").ends_with("\r\n\r\nhello\n"));
}

#[test]
fn the_current_folder_is_served_if_none_is_named() {
    let folder = site();
    let program = start(qibu(&["-p", "0"]).current_dir(folder.path()));
    assert!(program.get("/a.txt").ends_with("\r\n\r\nhello\n"));
}

#[test]
fn of_a_file_nothing_else_of_its_folder_is_served() {
    let folder = site();
    for (name, url) in [("a.txt", "/a.txt"), ("100% mine.txt", "/100%25%20mine.txt"), (".hidden", "/.hidden")] {
        let path = folder.path().join(name);
        fs::write(&path, "mine\n").unwrap();
        let program = start(qibu(&["-p", "0"]).arg(&path));
        let root = program.get("/");
        assert!(root.starts_with("HTTP/1.1 301 ") && root.contains(&format!("\r\nlocation: {url}\r\n")), "{root}");
        assert!(program.get(url).ends_with("\r\n\r\nmine\n"));
        for other in ["/b.txt", "/./b.txt", "/nothing", &format!("{url}/"), &format!("/{name}/../b.txt")] {
            assert!(!program.get(other).contains("for others"), "{other}");
            assert!(!program.get(other).starts_with("HTTP/1.1 200 "), "{other}");
        }
    }
}

#[test]
fn a_unix_socket_answers_and_is_removed_at_the_end() {
    let folder = site();
    let path = folder.path().join("socket");
    let mut program = start(qibu(&["-b", &unix(&path)]).arg(folder.path()));
    assert!(program.banner.iter().any(|line| line.trim() == unix(&path)), "{:?}", program.banner);
    assert!(ask(UnixStream::connect(&path), "/a.txt").ends_with("\r\n\r\nhello\n"));
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    assert!(!path.exists());
}

#[test]
fn a_unix_socket_is_taken_over_from_the_dead_but_not_from_the_living() {
    let folder = site();
    let path = folder.path().join("socket");
    let mut first = start(qibu(&["-b", &unix(&path)]).arg(folder.path()));
    let complaint = complaint(qibu(&["-b", &unix(&path)]).arg(folder.path()));
    assert!(complaint.contains(path.to_str().unwrap()), "{complaint}");
    first.signal("KILL");
    first.wait();
    assert!(path.exists(), "nobody was left to remove it");
    let _second = start(qibu(&["-b", &unix(&path)]).arg(folder.path()));
    assert!(ask(UnixStream::connect(&path), "/a.txt").ends_with("\r\n\r\nhello\n"));
}

#[test]
fn several_addresses_are_served_at_once() {
    let folder = site();
    let path = folder.path().join("socket");
    let program = start(qibu(&["-b", "127.0.0.1:0", "-b", &unix(&path)]).arg(folder.path()));
    assert!(program.get("/a.txt").ends_with("\r\n\r\nhello\n"));
    assert!(ask(UnixStream::connect(&path), "/a.txt").ends_with("\r\n\r\nhello\n"));

    if TcpListener::bind("[::1]:0").is_err() {
        return println!("skipped the rest: this computer has no IPv6");
    }
    let program = start(qibu(&["-b", "127.0.0.1", "-b", "::1", "-p", "0"]).arg(folder.path()));
    for ip in ["127.0.0.1", "::1"] {
        let address = SocketAddr::new(ip.parse().unwrap(), program.port());
        assert!(ask(TcpStream::connect(address), "/a.txt").ends_with("\r\n\r\nhello\n"), "{address}");
    }
}

#[test]
fn loops_are_as_many_as_asked_for() {
    let folder = site();
    let program = start(qibu(&["--loops", "3", "-p", "0"]).arg(folder.path()));
    let clients: Vec<_> = (0..6).map(|_| program.connect()).collect();
    for client in clients {
        assert!(ask(Ok(client), "/a.txt").ends_with("\r\n\r\nhello\n"));
    }
    #[cfg(target_os = "linux")] // elsewhere the threads of another process have no names
    {
        let tasks = fs::read_dir(format!("/proc/{}/task", program.child.id())).unwrap();
        let names = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("comm")).unwrap());
        let loops: Vec<_> = names.filter(|name| name.starts_with("qibu loop")).collect();
        assert_eq!(loops.len(), 2, "besides the first, which is the main thread: {loops:?}");
    }
}

#[test]
fn a_port_can_be_taken_again_while_old_connections_linger() {
    let folder = site();
    let mut first = start(qibu(&["-p", "0"]).arg(folder.path()));
    let port = first.port().to_string();
    first.get("/a.txt"); // the server closes first, so TIME_WAIT is on its side
    first.signal("TERM");
    assert_eq!(first.wait().code(), Some(0));
    let second = start(qibu(&["-p", &port]).arg(folder.path()));
    assert!(second.get("/a.txt").ends_with("\r\n\r\nhello\n"));
}

// ---- what it says while it serves ----

#[test]
fn nothing_is_said_where_no_terminal_is() {
    let folder = site();
    let mut program = start(qibu(&["-p", "0"]).arg(folder.path()));
    for path in ["/a.txt", "/", "/nothing", "/%zz", "/../../etc/passwd", "no path"] {
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
    program.signal("KILL");
    program.wait();
    let log = rest(&program.stderr);
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    assert!(lines[0].contains("127.0.0.1 GET /a.txt?q=1 200 6"), "{log}");
    assert!(lines[1].contains(r"/\u{9b}31m\u{202e}red 404 "), "{log}");
    assert!(lines[2].contains("/%1b%0a 404 "), "{log}");
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

// ---- how it ends ----

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

// ---- helpers ----

/// A folder with two files and a large one, that everybody can enter.
fn site() -> TempDir {
    let folder = TempDir::with_prefix("qibu-").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path().join("a.txt"), "hello\n").unwrap();
    fs::write(folder.path().join("b.txt"), "for others\n").unwrap();
    File::create(folder.path().join("large")).unwrap().set_len(LARGE).unwrap(); // sparse: it takes no room
    folder
}

fn qibu(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qibu"));
    command.args(arguments).env_remove("RUST_LOG");
    command
}

/// A `qibu` that may not do everything: as root it runs as nobody, from a place that nobody can reach. `None`, with the
/// reason printed, where that cannot be.
fn qibu_without_privileges(folder: &TempDir) -> Option<Command> {
    const NOBODY: u32 = 65534;
    if folder.path().metadata().unwrap().uid() != 0 {
        return Some(qibu(&[]));
    }
    let (original, copy) = (env!("CARGO_BIN_EXE_qibu"), folder.path().join("qibu"));
    if !copy.exists() && fs::hard_link(original, &copy).is_err() {
        fs::copy(original, &copy).unwrap();
    }
    let as_nobody = || {
        let mut command = Command::new(&copy);
        command.env_remove("RUST_LOG").uid(NOBODY).gid(NOBODY).current_dir("/");
        command
    };
    match as_nobody().arg("--version").output() {
        Ok(output) if output.status.success() => Some(as_nobody()),
        other => {
            println!("skipped: root may do everything, and nobody cannot run {}: {other:?}", copy.display());
            None
        }
    }
}

fn unix(path: &Path) -> String {
    format!("unix:{}", path.to_str().unwrap())
}

/// The address by which the network knows this computer. Nothing is sent to find it.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect("203.0.113.77:9").ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

/// A program that has ended.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn run(command: &mut Command) -> Ended {
    let mut program = spawn(command);
    let code = program.wait().code();
    Ended { code, stdout: rest(&program.stdout), stderr: rest(&program.stderr) }
}

fn complaint(command: &mut Command) -> String {
    run(command).complaint()
}

impl Ended {
    /// The one line that says why what was asked for cannot be done.
    fn complaint(self) -> String {
        assert_eq!((self.code, &*self.stdout), (Some(1), ""), "{}", self.stderr);
        let line = self.stderr.strip_suffix('\n').expect("a whole line");
        assert!(line.starts_with("qibu: ") && !line.contains('\n'), "not one line: {line:?}");
        line.to_owned()
    }
}

/// A running program; killed when dropped.
struct Program {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    banner: Vec<String>,
}

/// Starts it and reads on until it says that it serves.
fn start(command: &mut Command) -> Program {
    let mut program = spawn(command);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match program.stdout.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => program.banner.push(line),
            Err(error) => panic!("{command:?}: {error}; {:?} {}", program.banner, rest(&program.stderr)),
        }
        if program.banner.last().is_some_and(|line| line.contains("Ctrl-C")) {
            return program;
        }
    }
}

fn spawn(command: &mut Command) -> Program {
    let mut child = begin(command);
    let (stdout, stderr) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
    Program { child, stdout, stderr, banner: Vec::new() }
}

/// Nobody listens to what this one says.
fn spawn_deaf(command: &mut Command) -> Program {
    let mut child = begin(command);
    drop((child.stdout.take(), child.stderr.take()));
    Program { child, stdout: mpsc::channel().1, stderr: mpsc::channel().1, banner: Vec::new() }
}

fn begin(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Reads on a thread of its own, so that a program never waits for its test.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// All lines that are still to come from a program that has ended.
fn rest(stream: &Receiver<String>) -> String {
    let mut text = String::new();
    loop {
        match stream.recv_timeout(PATIENCE) {
            Ok(line) => text += &(line + "\n"),
            Err(RecvTimeoutError::Disconnected) => return text,
            Err(RecvTimeoutError::Timeout) => panic!("the output has no end: {text}"),
        }
    }
}

impl Program {
    /// The hosts and ports of the banner's URLs.
    fn urls(&self) -> Vec<String> {
        let links = self.banner.iter().filter_map(|line| line.trim().strip_prefix("http://"));
        links.map(|link| link.trim_end_matches('/').to_owned()).collect()
    }

    fn port(&self) -> u16 {
        let urls = self.urls();
        let port = urls.first().and_then(|url| url.rsplit(':').next()).and_then(|port| port.parse().ok());
        port.unwrap_or_else(|| panic!("no port in {:?}", self.banner))
    }

    fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        client.be_patient().unwrap();
        client
    }

    /// The whole answer to a request for this path.
    fn get(&self, path: &str) -> String {
        ask(Ok(self.connect()), path)
    }

    /// Asks for the large file and reads no more than the head, so that the answer cannot be done.
    fn begin_large_answer(&self) -> TcpStream {
        let mut client = self.connect();
        client.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        assert!(read_until(&mut client, "\r\n\r\n").starts_with("HTTP/1.1 200 "));
        client
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for its end.
    fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        until("the program ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request for this path and takes all that comes back, or says why nothing did.
fn ask<S: Stream>(connected: io::Result<S>, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answer = connected.and_then(|mut stream| {
        stream.be_patient()?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    });
    answer.unwrap_or_else(|error| format!("no answer: {error}"))
}

/// Reads no further than to the end of this text.
fn read_until(client: &mut TcpStream, end: &str) -> String {
    let mut received = Vec::new();
    while !received.ends_with(end.as_bytes()) {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        received.extend(byte);
    }
    String::from_utf8_lossy(&received).into_owned()
}

/// A client's side of a connection, whose reads have a deadline.
trait Stream: Read + Write {
    fn be_patient(&self) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn be_patient(&self) -> io::Result<()> {
        self.set_read_timeout(Some(PATIENCE))
    }
}

impl Stream for UnixStream {
    fn be_patient(&self) -> io::Result<()> {
        self.set_read_timeout(Some(PATIENCE))
    }
}

/// Looks again and again, but not for ever.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
