//! The program `qibu`: options → handler → [`WebServer`](qibu::WebServer). It uses what everybody can use.

mod cli;
#[cfg(unix)]
#[path = "limits_unix.rs"]
mod limits;
#[cfg(not(unix))]
#[path = "limits_portable.rs"]
mod limits;
mod log_file;
#[cfg(unix)]
#[path = "signals_unix.rs"]
mod signals;
#[cfg(not(unix))]
#[path = "signals_portable.rs"]
mod signals;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use qibu::AccessLog;

use cli::{Complaint, LineFormat, Task, plain};

fn main() -> ExitCode {
    match cli::read().and_then(perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            let _ = writeln!(io::stderr(), "qibu: {}", plain(&complaint.to_string()));
            complaint.exit_code()
        }
    }
}

fn perform(task: Task) -> Result<(), Complaint> {
    let settings = match task {
        Task::Serve(settings) => settings,
        Task::Print(text) => {
            // Whoever has read enough of it may go.
            let _ = io::stdout().write_all(text.as_bytes());
            return Ok(());
        }
    };
    start_logging(settings.log_format);
    limits::raise_open_files();
    let prepared = cli::prepare(&settings)?;
    let log = prepared.log.as_ref().map(|(log, _)| log.clone());
    signals::watch(prepared.server.handle(), log)
        .map_err(|error| Complaint::Failure(format!("signals cannot be caught: {error}")))?;
    prepared.banner.show();
    let ended = prepared.server.start().map_err(|error| Complaint::Failure(error.to_string()));
    if let Some((log, thread)) = prepared.log {
        log.close();
        let _ = thread.join(); // it has said what it had to say
    }
    ended
}

/// Warnings always, and what was refused, with its reason; a line for each answer where somebody is there to read it, or has
/// said how it shall look. `RUST_LOG` says otherwise.
fn start_logging(lines: Option<LineFormat>) {
    let default = match (io::stderr().is_terminal(), lines) {
        (true, _) => "warn,qibu=info",
        (false, Some(_)) => "warn,qibu::refused=info,qibu::access=info",
        (false, None) => "warn,qibu::refused=info",
    };
    let have_time = lines.is_some_and(|lines| lines != LineFormat::Text);
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(default))
        .format(move |out, record| {
            let time = out.timestamp_seconds();
            match record.target() {
                AccessLog::TARGET if have_time => writeln!(out, "{}", record.args()),
                AccessLog::TARGET => writeln!(out, "{time} {}", record.args()),
                _ => {
                    let style = out.default_level_style(record.level());
                    let level = record.level().as_str().to_lowercase();
                    writeln!(out, "{time} {style}{level}{style:#} {}", record.args())
                }
            }
        })
        .init();
}
