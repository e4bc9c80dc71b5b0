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

use env_logger::{Target, WriteStyle};
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
        (Task::Print(text), _) => match print(&text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&Complaint::Failure(error.to_string()), &mut io::stderr()),
        },
        (Task::Serve(settings), Ok(mut stderr)) => {
            let served = serve(&settings, &stderr);
            let code = served.map_or_else(|complaint| complain(&complaint, &mut stderr), |()| ExitCode::SUCCESS);
            stderr.end(LAST_LINES);
            code
        }
        (Task::Serve(_), Err(error)) => complain(&Complaint::Failure(error.to_string()), &mut io::stderr()),
    }
}

/// Whoever has read enough of it may go.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

fn complain(complaint: &Complaint, stderr: &mut dyn Write) -> ExitCode {
    let line = format!("qibu: {}\n", plain(&complaint.to_string()));
    let _ = stderr.write_all(line.as_bytes());
    complaint.exit_code()
}

fn serve(settings: &Settings, stderr: &LogFile) -> Result<(), Complaint> {
    start_logging(settings, stderr);
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
fn start_logging(settings: &Settings, stderr: &LogFile) {
    let is_terminal = io::stderr().is_terminal();
    let lines = settings.log_format;
    let default = match (is_terminal, lines) {
        // These lines have the reason.
        (_, Some(LineFormat::Json)) if settings.log_file.is_none() => "warn,qibu::access=info",
        (true, _) => "warn,qibu=info",
        (false, Some(_)) => "warn,qibu::refused=info,qibu::access=info",
        (false, None) => "warn,qibu::refused=info",
    };
    let have_time = lines.is_some_and(|lines| lines != LineFormat::Text);
    let filter = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let style = match std::env::var("RUST_LOG_STYLE").as_deref() {
        Ok("always") => WriteStyle::Always,
        Ok("never") => WriteStyle::Never,
        _ if is_terminal && has_colours() => WriteStyle::Always,
        _ => WriteStyle::Never,
    };
    env_logger::Builder::new()
        .write_style(style)
        .parse_filters(filter.as_deref().unwrap_or(default))
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
