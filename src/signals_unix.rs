//! SIGINT and SIGTERM: the first lets running answers finish, the second ends at once.

use std::io::{self, IsTerminal, Write};
use std::thread;

use qibu::ServerHandle;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Watches on a thread of its own, for as long as the process lives.
pub(crate) fn stop_on_signals(handle: ServerHandle) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::Builder::new().name("qibu signals".into()).spawn(move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            if io::stderr().is_terminal() {
                let _ = writeln!(io::stderr(), "Finishing what runs; once more ends it at once.");
            }
            handle.shutdown();
        }
        if signals.next().is_some() {
            handle.abort();
        }
    })?;
    Ok(())
}
