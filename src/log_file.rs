//! A file of lines that many threads write to, and none of them waits for: an access log, or stderr.
//!
//! ```text
//!  event loops ── append ──► lines in memory ── a moment later, all at once ──► one thread ──► the file
//! ```
//!
//! A line is copied into memory, under a lock that is held for no longer than that; a thread writes what has gathered for a
//! moment. So a slow disk stops no answer, nor does whoever reads a pipe and has paused, and a busy server makes one write
//! for hundreds of lines. If the disk is slower than the lines for long, lines are left out, and the file says how many.
//!
//! The thread also opens the file: a named pipe opens only when it has a reader. And who ends it waits no longer than it
//! wants to.
//!
//! The file can be opened anew while it is in use, so that a log can be renamed and put away (SIGHUP).
//!
//! Pattern: Producer-Consumer (with one buffer for each).

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long lines gather before they are written. Nobody who reads along sees the difference.
const GATHERING: Duration = Duration::from_millis(20);

/// How many bytes may wait; lines beyond that are left out. The disk is seconds behind, then.
const MOST_WAITING: usize = 8 * 1024 * 1024;

/// How long opening may take before we go on without; a disk has long answered by then.
const OPENING: Duration = Duration::from_secs(1);

/// The file, as those see it who write to it. The last lines are written when [`Self::end`] is called.
#[derive(Debug, Clone)]
pub(crate) struct LogFile {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// For the thread.
    news: Condvar,
    /// For those who wait for its end.
    end: Condvar,
}

/// What the thread has to do.
#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    /// Lines that found no room.
    lost: u64,
    request: Request,
    thread: Thread,
}

/// What the thread is asked for, beside writing. Of two that wait the greater one counts: an end is not taken back.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Request {
    #[default]
    None,
    Reopen,
    End,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Thread {
    #[default]
    Writes,
    Ended,
}

impl LogFile {
    /// Opens it, and makes it if there is none; new lines go to its end. Of a pipe without a reader it is said that its lines
    /// wait.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (tell, told) = mpsc::channel();
        let place = path.to_owned();
        let log = Self::begin(move |shared| match append(&place) {
            Ok(file) => {
                let _ = tell.send(Ok(()));
                Writer { shared, file: Box::new(file), place: Place::Named(place), health: Health::Well }.run();
            }
            Err(error) => {
                if let Err(SendError(Err(error))) = tell.send(Err(error)) {
                    log::error!("{} cannot be opened, its lines are lost: {error}", place.display());
                }
            }
        })?;
        told.recv_timeout(OPENING).unwrap_or_else(|_| {
            log::warn!("{} does not open yet (a pipe does when it has a reader); its lines wait", path.display());
            Ok(())
        })?;
        Ok(log)
    }

    /// What goes to stderr.
    pub(crate) fn stderr() -> io::Result<Self> {
        Self::begin(|shared| {
            Writer { shared, file: Box::new(io::stderr()), place: Place::Stderr, health: Health::Well }.run();
        })
    }

    fn begin(work: impl FnOnce(Arc<Shared>) + Send + 'static) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let of_thread = shared.clone();
        thread::Builder::new().name("qibu log".into()).spawn(move || {
            work(of_thread.clone());
            of_thread.waiting().thread = Thread::Ended;
            of_thread.end.notify_all();
        })?;
        Ok(Self { shared })
    }

    /// Adds a line.
    pub(crate) fn write(&self, line: &str) {
        self.append(&[line.as_bytes(), b"\n"]);
    }

    /// Adds what makes a whole line, or several.
    fn append(&self, parts: &[&[u8]]) {
        let mut waiting = self.shared.waiting();
        if waiting.lines.len() + parts.iter().map(|part| part.len()).sum::<usize>() > MOST_WAITING {
            waiting.lost += 1;
            return;
        }
        let was_idle = waiting.is_idle();
        parts.iter().for_each(|part| waiting.lines.extend_from_slice(part));
        drop(waiting);
        if was_idle {
            self.shared.news.notify_one();
        }
    }

    /// Goes on in a file of the same name, which may be a new one.
    pub(crate) fn reopen(&self) {
        self.ask(Request::Reopen);
    }

    /// Writes what waits, and then no more. Whoever takes the lines has so long for it.
    pub(crate) fn end(&self, patience: Duration) {
        self.ask(Request::End);
        let waiting = self.shared.waiting();
        let writes = |waiting: &mut Waiting| waiting.thread == Thread::Writes;
        drop(self.shared.end.wait_timeout_while(waiting, patience, writes));
    }

    fn ask(&self, request: Request) {
        let mut waiting = self.shared.waiting();
        waiting.request = waiting.request.max(request);
        drop(waiting);
        self.shared.news.notify_one();
    }
}

/// For those who have only lines to give, each as one piece.
impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.append(&[line]);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A line is whole or not there, whoever panics.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn is_idle(&self) -> bool {
        self.lines.is_empty() && self.request == Request::None
    }
}

/// The thread.
struct Writer {
    shared: Arc<Shared>,
    file: Box<dyn Write + Send>,
    place: Place,
    health: Health,
}

/// Where the lines end up.
enum Place {
    Named(PathBuf),
    Stderr,
}

/// Whether the last write went well; a disk that stays full is said once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Well,
    Failing,
}

impl Writer {
    fn run(mut self) {
        let mut lines = Vec::new();
        loop {
            let waiting = self.shared.waiting();
            let waiting = self.shared.news.wait_while(waiting, |waiting| waiting.is_idle());
            let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
            // More may come, and is written with it, unless somebody has asked for something.
            let gathered =
                self.shared.news.wait_timeout_while(waiting, GATHERING, |waiting| waiting.request == Request::None);
            let (mut waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
            mem::swap(&mut lines, &mut waiting.lines);
            let (lost, request) = (mem::take(&mut waiting.lost), mem::take(&mut waiting.request));
            drop(waiting);
            self.write(&lines, lost);
            lines.clear();
            match request {
                Request::None => {}
                Request::Reopen => self.reopen(),
                Request::End => return,
            }
        }
    }

    fn write(&mut self, lines: &[u8], lost: u64) {
        let written = self.file.write_all(lines).and_then(|()| match lost {
            0 => Ok(()),
            lost => writeln!(self.file, "# {lost} lines are missing: {} was too slow", self.place.taker()),
        });
        match (written, self.health, &self.place) {
            (Ok(()), _, _) => self.health = Health::Well,
            (Err(error), Health::Well, Place::Named(path)) => {
                self.health = Health::Failing;
                log::error!("{} cannot be written, its lines are lost: {error}", path.display());
            }
            (Err(_), Health::Failing, _) | (Err(_), _, Place::Stderr) => {} // whom could we tell?
        }
    }

    /// A log in the old place is better than none.
    fn reopen(&mut self) {
        let Place::Named(path) = &self.place else { return };
        match append(path) {
            Ok(file) => self.file = Box::new(file),
            Err(error) => log::error!("{} cannot be opened again: {error}", path.display()),
        }
    }
}

impl Place {
    /// Who takes the lines.
    fn taker(&self) -> &'static str {
        match self {
            Self::Named(_) => "the disk",
            Self::Stderr => "the reader",
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn lines_of_many_threads_are_whole_and_all_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = LogFile::open(&path).unwrap();
        thread::scope(|scope| {
            for name in ["a", "b", "c", "d"] {
                let log = log.clone();
                scope.spawn(move || (0..1000).for_each(|number| log.write(&format!("{name} {number}"))));
            }
        });
        log.end(PATIENCE);
        let text = std::fs::read_to_string(path).unwrap();
        for name in ["a", "b", "c", "d"] {
            let numbers: Vec<_> = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).collect();
            assert_eq!(numbers, (0..1000).map(|number| number.to_string()).collect::<Vec<_>>());
        }
        assert_eq!(text.lines().count(), 4000);
    }

    #[test]
    fn it_goes_on_in_a_new_file_and_no_line_is_lost_or_twice() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
        let log = LogFile::open(&path).unwrap();
        log.write("before");
        std::fs::rename(&path, &old).unwrap();
        log.reopen();
        while !path.exists() {
            thread::yield_now();
        }
        log.write("after");
        log.end(PATIENCE);
        assert_eq!(std::fs::read_to_string(old).unwrap(), "before\n");
        assert_eq!(std::fs::read_to_string(path).unwrap(), "after\n");
    }

    #[test]
    fn it_ends_even_if_the_file_shall_be_opened_anew_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let log = LogFile::open(&folder.path().join("log")).unwrap();
        log.write("last");
        log.ask(Request::End);
        log.reopen();
        log.end(PATIENCE);
        assert_eq!(log.shared.waiting().thread, Thread::Ended);
        assert_eq!(std::fs::read_to_string(folder.path().join("log")).unwrap(), "last\n");
    }

    #[test]
    fn lines_that_find_no_room_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = LogFile::open(&path).unwrap();
        log.write(&"x".repeat(MOST_WAITING));
        log.write("short");
        log.end(PATIENCE);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "short\n# 1 lines are missing: the disk was too slow\n");
    }
}
