//! Ctrl-C ends the process, as it does everywhere; nothing is cut off that could not be asked for again.

use std::io;

use qibu::ServerHandle;

use crate::log_file::LogFile;

/// Where lines go. Nobody here writes any.
#[allow(dead_code, reason = "there are signals elsewhere")]
pub(crate) struct Logs {
    pub(crate) stderr: LogFile,
    pub(crate) file: Option<LogFile>,
}

/// Leaves the system's own way as it is.
pub(crate) fn watch(_: ServerHandle, _: Logs) -> io::Result<()> {
    Ok(())
}
