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
use std::time::Duration;

use env_logger::{Env, Target, WriteStyle};
use qibu::AccessLog;

use cli::{Complaint, LineFormat, Settings, Task, plain};
use log_file::LogFile;
use signals::Logs;

/// How long whoever takes our last lines has for them.
const LAST_LINES: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let task = match cli::read() {
        Ok(task) => task,
        Err(complaint) => return complain(&complaint, &mut io::stderr()),
    };
    match (task, LogFile::stderr()) {
        (Task::Print(text), _) => {
            // Whoever has read enough of it may go.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        (Task::Serve(settings), Ok(mut stderr)) => {
            let served = serve(&settings, &stderr);
            let code = served.map_or_else(|complaint| complain(&complaint, &mut stderr), |()| ExitCode::SUCCESS);
            stderr.end(LAST_LINES);
            code
        }
        (Task::Serve(_), Err(error)) => complain(&Complaint::Failure(error.to_string()), &mut io::stderr()),
    }
}

fn complain(complaint: &Complaint, stderr: &mut dyn Write) -> ExitCode {
    let line = format!("qibu: {}\n", plain(&complaint.to_string()));
    let _ = stderr.write_all(line.as_bytes());
    complaint.exit_code()
}

fn serve(settings: &Settings, stderr: &LogFile) -> Result<(), Complaint> {
    start_logging(settings.log_format, stderr);
    limits::raise_open_files();
    let prepared = cli::prepare(settings)?;
    let logs = Logs { stderr: stderr.clone(), file: prepared.log.clone() };
    signals::watch(prepared.server.handle(), logs)
        .map_err(|error| Complaint::Failure(format!("signals cannot be caught: {error}")))?;
    prepared.banner.show();
    let ended = prepared.server.start().map_err(|error| Complaint::Failure(error.to_string()));
    prepared.log.iter().for_each(|log| log.end(LAST_LINES));
    ended
}

/// Warnings always, and what was refused, with its reason; a line for each answer where somebody is there to read it, or has
/// said how it shall look. `RUST_LOG` says otherwise.
fn start_logging(lines: Option<LineFormat>, stderr: &LogFile) {
    let is_terminal = io::stderr().is_terminal();
    let default = match (is_terminal, lines) {
        (true, _) => "warn,qibu=info",
        (false, Some(_)) => "warn,qibu::refused=info,qibu::access=info",
        (false, None) => "warn,qibu::refused=info",
    };
    let have_time = lines.is_some_and(|lines| lines != LineFormat::Text);
    let style = if is_terminal && has_colours() { WriteStyle::Always } else { WriteStyle::Never };
    env_logger::Builder::new()
        .write_style(style)
        .parse_env(Env::default().default_filter_or(default))
        .target(Target::Pipe(Box::new(stderr.clone())))
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

/// Whether a terminal may be given colours: <https://no-color.org>, and one that calls itself dumb.
fn has_colours() -> bool {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    variable("NO_COLOR").is_none() && variable("TERM").is_none_or(|term| term != "dumb")
}
