//! A log that can be read, crowds of clients, and a normal client among them.

use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::sync::{Mutex, Once, PoisonError, mpsc};
use std::time::{Duration, Instant};
use std::{panic, thread};

use qibu::{Builder, Handler};

use crate::common::{self, Client, PATIENCE, Server};

/// The time a limit is set to where it is not what the test is about to wait for.
pub(crate) const SOON: Duration = Duration::from_millis(200);

/// What a normal client may wait for its answer, by the median, whatever the others do.
const NORMAL: Duration = Duration::from_millis(100);

/// A server whose log can be read.
pub(crate) fn serve(builder: Builder, handler: impl Handler) -> Server {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&LOG).unwrap();
        log::set_max_level(log::LevelFilter::Debug);
        allow_many_descriptors();
    });
    common::serve(builder, handler)
}

/// All lines of all servers of this process.
pub(crate) struct Log(Mutex<Vec<String>>);

pub(crate) static LOG: Log = Log(Mutex::new(Vec::new()));

impl Log {
    /// The lines of which `is_wanted` holds.
    pub(crate) fn lines(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| is_wanted(line)).cloned().collect()
    }

    /// Waits for a line about `whom` that names the setting.
    #[track_caller]
    pub(crate) fn until_named(&self, setting: &str, whom: &str) {
        let (name, started) = (format!("({setting})"), Instant::now());
        while self.lines(|line| line.contains(&name) && is_about(line, whom)).is_empty() {
            let about = self.lines(|line| is_about(line, whom));
            assert!(started.elapsed() < 2 * SECOND, "no line names {setting}; of {whom} there is {about:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// Whether the line names this address or target, and not one that begins like it.
fn is_about(line: &str, whom: &str) -> bool {
    line.split_once(whom).is_some_and(|(_, rest)| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}", record.level(), record.args());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn flush(&self) {}
}

/// As many as this process may have; some systems give it 256 at first.
#[cfg(unix)]
pub(crate) fn allow_many_descriptors() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX).min(65_536);
    if limit.current.is_some_and(|current| current < most) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum });
    }
    getrlimit(Resource::Nofile).current.map_or(65_536, |current| current as usize)
}

#[cfg(not(unix))]
pub(crate) fn allow_many_descriptors() -> usize {
    65_536
}

/// `wanted` clients of a server in this process, or fewer where the system does not allow so many descriptors: several
/// tests run at once.
pub(crate) fn affordable(wanted: usize) -> usize {
    let count = wanted.min(allow_many_descriptors().saturating_sub(200) / 8);
    if count < wanted {
        println!("{count} clients in place of {wanted}: no more descriptors are allowed");
    }
    count
}

/// One of many clients. On Linux they come from eight addresses, so that no one's ports run out.
pub(crate) fn connect_as(number: usize, address: SocketAddr, window: Option<usize>) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    if let Some(bytes) = window {
        socket.set_recv_buffer_size(bytes).unwrap();
    }
    if cfg!(target_os = "linux") {
        let source = Ipv4Addr::new(127, 0, 0, 2 + (number % 8) as u8);
        socket.bind(&SocketAddr::V4(SocketAddrV4::new(source, 0)).into()).unwrap();
    }
    socket.connect(&address.into()).unwrap();
    socket.into()
}

/// Does `act` for each of the clients once a second, and meanwhile `others`, until those have come to their end.
pub(crate) fn every_second<T>(
    clients: &[TcpStream],
    act: impl Fn(usize, &TcpStream) + Send,
    others: impl FnOnce() -> T,
) -> T {
    let (stop, stopped) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                clients.iter().enumerate().for_each(|(number, client)| act(number, client));
                if stopped.recv_timeout(SECOND) != Err(mpsc::RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        let outcome = panic::catch_unwind(panic::AssertUnwindSafe(others)); // a failure must not leave the dripper behind
        drop(stop);
        outcome.unwrap_or_else(|failure| panic::resume_unwind(failure))
    })
}

/// A normal client comes again and again, asks 10 times, and leaves, until `is_over`. The median of its visits' medians
/// must be normal: a busy machine delays some, a server that is held up delays all.
#[track_caller]
pub(crate) fn assert_normal_meanwhile(address: SocketAddr, mut is_over: impl FnMut() -> bool) {
    let (started, mut visits) = (Instant::now(), Vec::new());
    loop {
        let mut client = Client::connect(address);
        visits.push(median((0..10).map(|_| {
            let asked = Instant::now();
            assert_eq!(client.get("/").status(), 200);
            asked.elapsed()
        })));
        drop(client);
        if is_over() {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "they are still there");
        thread::sleep(Duration::from_millis(20));
    }
    let (count, normal) = (visits.len(), median(visits.into_iter()));
    assert!(normal < NORMAL, "{normal:?} is the median of {count} visits");
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// All that this client can still read, and how it ends.
pub(crate) fn last_words(mut client: &TcpStream) -> (Vec<u8>, io::Result<()>) {
    client.set_nonblocking(false).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut words = Vec::new();
    let end = client.read_to_end(&mut words).map(drop);
    (words, end)
}
