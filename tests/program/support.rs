//! A program that runs, and how to talk to it.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take that should happen at once; far below the grace of a shutdown, which is 30 seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// More than all buffers between the program and a client that does not read, in bytes.
pub(crate) const LARGE: u64 = 64 * 1024 * 1024;

/// A folder with two files and a large one, that everybody can enter.
pub(crate) fn site() -> TempDir {
    let folder = TempDir::with_prefix("qibu-").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path().join("a.txt"), "hello\n").unwrap();
    fs::write(folder.path().join("b.txt"), "for others\n").unwrap();
    File::create(folder.path().join("large")).unwrap().set_len(LARGE).unwrap(); // sparse: it takes no room
    folder
}

pub(crate) fn qibu(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qibu"));
    command.args(arguments).env_remove("RUST_LOG");
    for (name, _) in env::vars().filter(|(name, _)| name.starts_with("QIBU_")) {
        command.env_remove(name); // whoever runs the tests may have settings of their own
    }
    command
}

/// A `qibu` that may not do everything: as root it runs as nobody, from a place that nobody can reach. `None`, with the
/// reason printed, where that cannot be.
pub(crate) fn qibu_without_privileges(folder: &TempDir) -> Option<Command> {
    const NOBODY: u32 = 65534;
    if folder.path().metadata().unwrap().uid() != 0 {
        return Some(qibu(&[]));
    }
    let (original, copy) = (env!("CARGO_BIN_EXE_qibu"), folder.path().join("qibu"));
    if !copy.exists() && fs::hard_link(original, &copy).is_err() {
        // Not fs::copy: whoever forks meanwhile has our file open for writing, and what is being written cannot be run.
        assert!(Command::new("cp").arg(original).arg(&copy).status().unwrap().success());
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

/// Takes port 8080, if nobody has it: for as long as tests run, for others rely on it too.
pub(crate) fn take_the_default_port() {
    static TAKEN: OnceLock<Option<TcpListener>> = OnceLock::new();
    TAKEN.get_or_init(|| TcpListener::bind("127.0.0.1:8080").ok());
}

pub(crate) fn unix(path: &Path) -> String {
    format!("unix:{}", path.to_str().unwrap())
}

/// The address by which the network knows this computer. Nothing is sent to find it.
pub(crate) fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect("203.0.113.77:9").ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

/// A program that has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn run(command: &mut Command) -> Ended {
    let mut program = spawn(command);
    let code = program.wait().code();
    Ended { code, stdout: rest(&program.stdout), stderr: rest(&program.stderr) }
}

pub(crate) fn complaint(command: &mut Command) -> String {
    run(command).complaint()
}

impl Ended {
    /// The one line that says why what was asked for cannot be done.
    pub(crate) fn complaint(self) -> String {
        assert_eq!((self.code, &*self.stdout), (Some(1), ""), "{}", self.stderr);
        let line = self.stderr.strip_suffix('\n').expect("a whole line");
        assert!(line.starts_with("qibu: ") && !line.contains('\n'), "not one line: {line:?}");
        line.to_owned()
    }
}

/// A running program; killed when dropped.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) stdout: Receiver<String>,
    pub(crate) stderr: Receiver<String>,
    pub(crate) banner: Vec<String>,
}

/// Starts it and reads on until it says that it serves.
pub(crate) fn start(command: &mut Command) -> Program {
    await_banner(spawn(command), command)
}

/// The same, but what it says on stderr is left in the pipe.
pub(crate) fn start_unheard(command: &mut Command) -> (Program, ChildStderr) {
    let mut child = begin(command);
    let (stdout, unread) = (lines(child.stdout.take().unwrap()), child.stderr.take().unwrap());
    let program = Program { child, stdout, stderr: mpsc::channel().1, banner: Vec::new() };
    (await_banner(program, command), unread)
}

fn await_banner(mut program: Program, command: &Command) -> Program {
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

pub(crate) fn spawn(command: &mut Command) -> Program {
    let mut child = begin(command);
    let (stdout, stderr) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
    Program { child, stdout, stderr, banner: Vec::new() }
}

/// Nobody listens to what this one says.
pub(crate) fn spawn_deaf(command: &mut Command) -> Program {
    let mut child = begin(command);
    drop((child.stdout.take(), child.stderr.take()));
    Program { child, stdout: mpsc::channel().1, stderr: mpsc::channel().1, banner: Vec::new() }
}

pub(crate) fn begin(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Reads on a thread of its own, so that a program never waits for its test.
pub(crate) fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
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
pub(crate) fn rest(stream: &Receiver<String>) -> String {
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
    pub(crate) fn urls(&self) -> Vec<String> {
        let links = self.banner.iter().filter_map(|line| line.trim().strip_prefix("http://"));
        links.map(|link| link.trim_end_matches('/').to_owned()).collect()
    }

    pub(crate) fn port(&self) -> u16 {
        let urls = self.urls();
        let port = urls.first().and_then(|url| url.rsplit(':').next()).and_then(|port| port.parse().ok());
        port.unwrap_or_else(|| panic!("no port in {:?}", self.banner))
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        client.be_patient().unwrap();
        client
    }

    /// The whole answer to a request for this path.
    pub(crate) fn get(&self, path: &str) -> String {
        ask(Ok(self.connect()), path)
    }

    /// Asks for the large file and reads no more than the head, so that the answer cannot be done.
    pub(crate) fn begin_large_answer(&self) -> TcpStream {
        let mut client = self.connect();
        client.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        assert!(read_until(&mut client, "\r\n\r\n").starts_with("HTTP/1.1 200 "));
        client
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.child.id())).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
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
pub(crate) fn ask<S: Stream>(connected: io::Result<S>, path: &str) -> String {
    tell(connected, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
}

/// Sends these bytes and takes all that comes back, or says why nothing did.
pub(crate) fn tell<S: Stream>(connected: io::Result<S>, request: &str) -> String {
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
pub(crate) fn read_until(client: &mut TcpStream, end: &str) -> String {
    let mut received = Vec::new();
    while !received.ends_with(end.as_bytes()) {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        received.extend(byte);
    }
    String::from_utf8_lossy(&received).into_owned()
}

/// A client's side of a connection, whose reads have a deadline.
pub(crate) trait Stream: Read + Write {
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
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
