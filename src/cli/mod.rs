//! The command line: what it says, and how it becomes a server.
//!
//! ```text
//!  flags, QIBU_* ─► options ─┐
//!                            ├─► settings ─► assemble (a handler) ─► listen (a server) ─► banner
//!  qibu.toml ─────► file ────┘      └─► --print-config
//! ```
//!
//! **To add an option, add one field to [`options::Settings`]**, with its doc comment and its `#[arg(long, help_heading = …)]`.
//! The field `clean_urls` is then the flag `--clean-urls` and its opposite `--no-clean-urls`, the variable
//! `QIBU_CLEAN_URLS`, and the key `clean-urls` of qibu.toml; it is in `--help` and in `--print-config`; what
//! `conflicts_with` says of it holds across all three sources. What it does is a line in [`assemble`] (if it changes what is
//! answered), [`listen`] (where and how) or [`banner`] (what is said). A switch is a `bool`, one value an `Option<T>`, a
//! list a `Vec<T>`. A `T` of your own is `FromStr` for the flag and serde's two traits for the file, where it may be a
//! table; [`options::Bind`] is one that is text in both. Whoever can be harmed by an option that a stranger's file sets
//! decides its heading: see [`file`].

mod assemble;
mod banner;
mod complaint;
mod file;
mod generated;
mod listen;
mod options;
mod qr;
mod rules;
mod settings;

use std::io;
use std::path::Path;
use std::process;

use qibu::WebServer;

pub(crate) use self::banner::{Banner, plain};
pub(crate) use self::complaint::Complaint;
use self::options::Options;
pub(crate) use self::options::{LineFormat, Settings};
use crate::log_file::LogFile;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Task {
    Print(String),
    Serve(Box<Settings>),
}

/// A server that listens, and what there is to say about it.
pub(crate) struct Prepared {
    pub(crate) server: WebServer,
    pub(crate) banner: Banner,
    pub(crate) log: Option<LogFile>,
}

/// Reads the three sources. Wrong usage, `--help` and `--version` end the process here.
pub(crate) fn read() -> Result<Task, Complaint> {
    let matches = options::command().try_get_matches().or_else(|said| match said.print() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Complaint::Failure(error.to_string())),
        _ => process::exit(said.exit_code()),
    })?;
    let options = Options::of(&matches);
    match options {
        Options { completions: Some(shell), .. } => return Ok(Task::Print(generated::completions(shell))),
        Options { man: true, .. } => return Ok(Task::Print(generated::man())),
        _ => {}
    }
    let resolved = settings::resolve(&matches, options)?;
    if options::is_asked(&matches, "print_config") {
        return Ok(Task::Print(resolved.to_toml()));
    }
    Ok(Task::Serve(Box::new(resolved.settings)))
}

/// Opens the log and the folder, and listens.
pub(crate) fn prepare(settings: &Settings) -> Result<Prepared, Complaint> {
    let log = settings.log_file.as_ref().map(|path| open_log(path)).transpose()?;
    let handler = assemble::handler(settings, log.as_ref())?;
    let listening = listen::listen(settings, &handler)?;
    let banner = Banner::of(settings, &listening)?;
    Ok(Prepared { server: listening.server, banner, log })
}

fn open_log(path: &str) -> Result<LogFile, Complaint> {
    let complain = |error| Complaint::Failure(format!("--log-file {path} cannot be written: {error}"));
    LogFile::open(Path::new(path)).map_err(complain)
}
