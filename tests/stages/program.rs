//! A program that is judged: started with an ADDRESS, watched, and ended.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use crate::client::{Client, Judged};

pub(crate) struct Program {
    command: Vec<String>,
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) patience: Patience,
    /// Holds what it prints.
    folder: TempDir,
}

/// How long answers are waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience {
    /// It may run on a busy machine.
    Learner,
    /// It is known not to answer: being refused too early does no harm.
    Short,
}

impl Patience {
    pub(crate) fn to_answer(self) -> Duration {
        match self {
            Self::Learner => Duration::from_secs(10),
            // The slow one of stage 11 takes a second, and more where others run.
            Self::Short => Duration::from_secs(3),
        }
    }
}

/// What is told of one that ends by itself, and without an error.
pub(crate) const STAYS: &str = "It means: your program has ended. Take the address from the variable ADDRESS; then\n\
    socket, bind, listen; and stay: a server waits for clients, for one after the other.";

/// How long a program may take to end that has nothing more to do, or has failed.
pub(crate) const TO_END: Duration = Duration::from_millis(300);

/// How often we look again for what comes without a notice.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(10);

impl Program {
    pub(crate) fn start(command: &[String], patience: Patience) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let address = free_address();
        let child = launch(command, address, &folder)?;
        Ok(Self { command: command.to_vec(), child, address, patience, folder })
    }

    /// Kills it and starts it again at the same address, at once.
    pub(crate) fn restart(&mut self) -> Judged {
        self.kill();
        self.child = launch(&self.command, self.address, &self.folder)?;
        Ok(())
    }

    /// A client, as soon as it listens. It may well be its first: nothing has connected before.
    pub(crate) fn connect(&mut self) -> Result<Client, String> {
        let deadline = Instant::now() + self.to_start();
        loop {
            let refused = match TcpStream::connect(self.address) {
                Ok(stream) => return Client::new(stream, self.patience),
                Err(error) => error,
            };
            let address = self.address;
            match self.has_ended() {
                Some(status) if status.success() => {
                    return Err(format!("I connected to {address}: {refused}, because nobody listens there.\n{STAYS}"));
                }
                Some(status) => {
                    return Err(format!(
                        "I connected to {address}: {refused}, because your program has ended ({status}).\n\
                        It means: read what it printed, that says why."
                    ));
                }
                None if Instant::now() > deadline => {
                    return Err(format!(
                        "I connected to {address}: {refused}, because nobody listens there.\n\
                        It means: take the address from the variable ADDRESS; then socket, bind, listen."
                    ));
                }
                None => {}
            }
            thread::sleep(A_MOMENT);
        }
    }

    /// A UDP socket that sends to it.
    pub(crate) fn udp(&self) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(self.address)?;
        Ok(socket)
    }

    /// Whether it may still be on its way to its address.
    pub(crate) fn may_start_until(&self) -> Instant {
        Instant::now() + self.to_start()
    }

    /// Who waits for a lesson should not wait long; but cargo may have to compile it first.
    fn to_start(&self) -> Duration {
        Duration::from_secs(if self.command[0] == "cargo" { 120 } else { 20 })
    }

    /// Waits for its end.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        while self.has_ended().is_none() && Instant::now() < deadline {
            thread::sleep(A_MOMENT);
        }
        self.has_ended()
    }

    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// One that has just failed needs a moment to end.
    pub(crate) fn how_it_ended(&mut self) -> String {
        self.ends_within(TO_END).map_or("still ran".to_owned(), |status| format!("has ended: {status}"))
    }

    /// All it has printed, indented.
    pub(crate) fn printed(&self) -> String {
        let bytes = fs::read(self.folder.path().join("printed")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        if text.is_empty() {
            "    (nothing)\n".to_owned()
        } else {
            text.lines().map(|l| format!("    {l}\n")).collect()
        }
    }

    /// Ctrl-C, as a terminal sends it: to all processes of the group.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        self.signal(rustix::process::Signal::INT);
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        let group = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process_group(group, signal); // it may have ended
    }

    fn kill(&mut self) {
        #[cfg(unix)]
        self.signal(rustix::process::Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn launch(words: &[String], address: SocketAddr, folder: &TempDir) -> Result<Child, String> {
    let [program, arguments @ ..] = words else { return Err("STAGE is empty: it has to be a command".to_owned()) };
    let printed = folder.path().join("printed");
    let into = || File::options().create(true).append(true).open(&printed).map(Stdio::from).map_err(|e| e.to_string());
    let mut command = Command::new(program);
    command.args(arguments).env("ADDRESS", address.to_string()).env_remove("STAGE").env("PYTHONUNBUFFERED", "1");
    command.env("PYTHONUTF8", "1").stdin(Stdio::null()).stdout(into()?).stderr(into()?);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    spawn(&mut command)
        .map_err(|error| format!("{program} cannot be started: {error}. STAGE has to be a command, as you type it"))
}

/// From its fork until its exec a process has all our sockets: it would go on listening at an address that was only tried.
/// So either a program is started, or an address is tried.
static FORKS_OR_TRIES: Mutex<()> = Mutex::new(());

/// Returns when it runs: no child of ours has what was open here.
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    let _no_address_is_tried = FORKS_OR_TRIES.lock();
    command.spawn()
}

/// An address where nobody listens: below the ports that systems give to clients, so that no client of ours takes it.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let _nobody_forks = FORKS_OR_TRIES.lock();
    let first = (process::id() % 10_000) as u16;
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        // Without SO_REUSEADDR, for a learner's program may lack it: no connection of before is in TIME_WAIT there, either.
        let tcp = Socket::new(Domain::IPV4, Type::STREAM, None).and_then(|socket| socket.bind(&address.into()));
        if tcp.is_ok() && UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}
