//! SIGINT and SIGTERM: the first lets running answers finish, the second ends at once. SIGHUP opens the log anew, where
//! there is one; where there is none, it ends the process, as it does by itself.
//!
//! At once means within a second, even if something hangs that no thread of ours can do anything about: a file system that does
//! not answer, or a terminal that is held.

use std::io::{self, IsTerminal};
use std::process;
use std::thread;
use std::time::Duration;

use qibu::ServerHandle;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::log_file::LogFile;

/// Where lines go.
pub(crate) struct Logs {
    pub(crate) stderr: LogFile,
    pub(crate) file: Option<LogFile>,
}

/// Watches on a thread of its own, for as long as the process lives.
pub(crate) fn watch(server: ServerHandle, logs: Logs) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    if logs.file.is_some() {
        signals.add_signal(SIGHUP)?;
    }
    let mut watch = Watch { server, logs, terminal: Terminal::now(), ending: Ending::NotAsked };
    let watch = move || signals.forever().for_each(|signal| watch.take(signal));
    thread::Builder::new().name("qibu signals".into()).spawn(watch)?;
    Ok(())
}

struct Watch {
    server: ServerHandle,
    logs: Logs,
    /// As it was at the start.
    terminal: Terminal,
    ending: Ending,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Terminal {
    There,
    NotThere,
}

#[derive(Clone, Copy)]
enum Ending {
    NotAsked,
    Asked,
}

impl Terminal {
    fn now() -> Self {
        if io::stderr().is_terminal() { Self::There } else { Self::NotThere }
    }
}

/// How soon after its signal a terminal is gone, and after the second one the process.
const LAST_MOMENTS: Duration = Duration::from_secs(1);

impl Watch {
    /// A terminal that is closed says so by the same signal, and then nobody is left to end us: we end with it.
    fn hang_up(&self) {
        self.logs.file.iter().for_each(LogFile::reopen);
        if self.terminal == Terminal::NotThere {
            return;
        }
        let server = self.server.clone();
        thread::spawn(move || {
            thread::sleep(LAST_MOMENTS);
            if Terminal::now() == Terminal::NotThere {
                server.shutdown();
            }
        });
    }

    fn take(&mut self, signal: i32) {
        match (signal, self.ending) {
            (SIGHUP, _) => self.hang_up(),
            (_, Ending::Asked) => {
                self.server.abort();
                thread::spawn(|| {
                    thread::sleep(LAST_MOMENTS);
                    process::exit(1); // something hangs
                });
            }
            (_, Ending::NotAsked) => {
                self.ending = Ending::Asked;
                if Terminal::now() == Terminal::There {
                    self.logs.stderr.write("Finishing what runs; once more ends it at once.");
                }
                self.server.shutdown();
            }
        }
    }
}
