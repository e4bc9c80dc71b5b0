//! Every option: its name, its type, its help. The one place where an option is declared; [`super`] says how.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, ValueEnum};
use clap_complete::Shell;
use qibu::LogFormat;
use serde::{Deserialize, Serialize, Serializer};

use super::rules::{Header, Mount, Redirect};

/// Options that change only how the served files are shown. A qibu.toml that was merely found may set these and no others.
pub(super) const SITE: &str = "Site";

/// What else is served. Not for a file that was merely found: it could serve the whole disk.
const FOLDERS: &str = "Folders";

/// Who can see it, and where.
pub(super) const NETWORK: &str = "Network";

/// What is written down.
const LOG: &str = "Log";

/// Serves a folder on the web.
#[derive(Debug, Parser)]
#[command(name = "qibu", version, about = "Serves a folder on the web", after_help = MORE, after_long_help = EXAMPLES, max_term_width = 100)]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) settings: Settings,

    /// Read the settings from this file, and trust it
    #[arg(short, long, value_name = "FILE", help_heading = "Settings", overrides_with = "no_config")]
    pub(super) config: Option<PathBuf>,

    /// Do not read ./qibu.toml
    #[arg(long, hide_short_help = true, help_heading = "Settings", overrides_with = "config")]
    pub(super) no_config: bool,

    /// Print the settings and where each comes from, as a qibu.toml
    #[arg(long, help_heading = "Settings")]
    pub(super) print_config: bool,

    /// Print what this shell reads to complete the options
    #[arg(long, hide_short_help = true, help_heading = "Settings", value_name = "SHELL")]
    pub(super) completions: Option<Shell>,

    /// Print the man page
    #[arg(long, hide_short_help = true, help_heading = "Settings")]
    pub(super) man: bool,
}

/// What can be set: by flag, by variable, or in a file.
#[derive(Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub(crate) struct Settings {
    /// The folder or file to serve [default: the one you are in]
    #[arg(value_name = "DIR|FILE")]
    #[serde(serialize_with = "as_text")]
    pub(super) path: Option<PathBuf>,

    /// Reload pages in the browser when a file changes
    #[arg(short, long, help_heading = SITE)]
    pub(super) watch: bool,

    /// The charset of all text, such as gbk [default: each file's own]
    #[arg(long, help_heading = SITE, value_name = "NAME")]
    pub(super) charset: Option<String>,

    /// /about is about.html
    #[arg(long, help_heading = SITE)]
    pub(super) clean_urls: bool,

    /// A single-page application: its routes are index.html
    ///
    /// Where a browser goes to a page that is no file, it gets index.html with 200. A missing script or picture stays 404.
    #[arg(long, help_heading = SITE)]
    pub(super) spa: bool,

    /// Send old paths to new ones, as /old/**=/new/**
    ///
    /// With a status: 302:/old=/new. May be given several times.
    #[arg(long, help_heading = SITE, value_name = "FROM=TO")]
    pub(super) redirect: Vec<Redirect>,

    /// Add a header field to files
    ///
    /// As in '*.html=Cache-Control: no-store'. May be given several times.
    #[arg(long, help_heading = SITE, value_name = "GLOB=NAME: VALUE")]
    pub(super) header: Vec<Header>,

    /// Isolate pages from other sites (COOP, COEP)
    ///
    /// Browsers then let them use threads and SharedArrayBuffer.
    #[arg(long, help_heading = SITE)]
    pub(super) isolate: bool,

    /// Serve a further folder at a path, as /docs=../manual
    ///
    /// May be given several times.
    #[arg(short, long, help_heading = FOLDERS, value_name = "PATH=DIR")]
    pub(super) mount: Vec<Mount>,

    /// Let the whole network in, not only this computer
    #[arg(short, long, help_heading = NETWORK, conflicts_with = "bind")]
    pub(super) lan: bool,

    /// The port; 0 lets the system choose [default: 8080, or the next free one]
    #[arg(short, long, help_heading = NETWORK, value_parser = parse_port, allow_negative_numbers = true)]
    pub(super) port: Option<u16>,

    /// An address to listen on, or unix:PATH; may be given several times
    ///
    /// Every user of this computer may connect to a unix socket, as to a port; a folder that only some may enter keeps others
    /// out.
    #[arg(short, long, help_heading = NETWORK, value_name = "ADDRESS")]
    pub(super) bind: Vec<Bind>,

    /// A name to answer for, besides localhost; may be given several times
    ///
    /// While only this computer is let in, a request for another host gets 421: it may come from a page of another site that
    /// has its own name point to this computer (DNS rebinding). `.example.org` stands for example.org and all names below
    /// it. With --lan, or -b and an address of the network, names are checked only if you say this.
    #[arg(long, help_heading = NETWORK, value_name = "NAME")]
    pub(super) allow_host: Vec<String>,

    /// Let pages of other sites read what is served (CORS)
    ///
    /// They may send any field, and see those that readers of parts need: ETag, Content-Range, Content-Length, Accept-Ranges
    /// and Last-Modified.
    #[arg(long, help_heading = NETWORK)]
    pub(super) cors: bool,

    /// Print a QR code of the address for the network [default: with --lan, on a terminal]
    #[arg(long, hide_short_help = true, help_heading = NETWORK, action = ArgAction::SetTrue)]
    pub(super) qr: Option<bool>,

    /// Open it in the browser
    #[arg(short, long, help_heading = NETWORK)]
    pub(super) open: bool,

    /// How many clients may be connected at once [default: 16384]
    #[arg(long, hide_short_help = true, help_heading = NETWORK, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_connections: Option<u32>,

    /// How many event loops, each on a thread [default: one per core]
    #[arg(long, hide_short_help = true, help_heading = NETWORK, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) loops: Option<u16>,

    /// How a line for each answer looks: text, common, combined, json
    ///
    /// By default it is text, and combined in a file.
    #[arg(long, hide_possible_values = true, help_heading = LOG, value_name = "FORMAT")]
    pub(crate) log_format: Option<LineFormat>,

    /// Write these lines to a file, which SIGHUP opens anew
    ///
    /// Without it they are printed on a terminal, if there is one, or anywhere if --log-format is given. The file is never
    /// served, nor what is put away beside it under a longer name, such as access.log.1.
    #[arg(long, help_heading = LOG, value_name = "FILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) log_file: Option<String>,

    /// The file that was read, so that it is not served.
    #[arg(skip)]
    #[serde(skip)]
    pub(super) config_file: Option<PathBuf>,
}

/// What stands below the short help.
const MORE: &str = "qibu --help says more, with examples.";

/// What stands below the long one.
const EXAMPLES: &str = "\
Examples:
  qibu                     serve this folder at http://localhost:8080/
  qibu site/               serve another one
  qibu --lan               share this folder with the network
  qibu -p 3000 book.pdf    serve one file, on a port of your choice
  qibu -b unix:/run/q.sock serve behind a proxy on this computer
  qibu --man | man -l -    read all this as a man page

Settings: each option is also a variable, as in QIBU_PORT=3000, and a key of a file, as in
  port = 3000
  bind = [\"127.0.0.1\", \"::1\"]
Flags win over variables, variables over the file; --no-lan undoes a --lan of the file. The file is
the one that --config names, or ./qibu.toml; of the latter, which may be a stranger's, only the port
and the options under Site are taken. Paths in it are seen from the folder you are in.

Never served: names that begin with a dot (but /.well-known/), links that lead out of the folder
or are absolute (make them with ln -sr), and the files of --config and --log-file.

More or less to read on the terminal: RUST_LOG=debug, RUST_LOG=error";

impl Options {
    pub(super) fn of(matches: &ArgMatches) -> Self {
        Self::from_arg_matches(matches).expect("clap has matched them against these very options")
    }
}

impl Settings {
    /// What is served.
    pub(super) fn folder(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new("."))
    }

    /// Whether no address but those of this computer alone is listened on.
    pub(super) fn is_local(&self) -> bool {
        !self.lan && self.bind.iter().all(Bind::is_local)
    }
}

/// The whole command line: each switch of the settings has an opposite, which undoes it where a weaker source sets it.
pub(super) fn command() -> Command {
    arguments().iter().filter(|argument| is_switch(argument)).fold(Options::command(), |command, switch| {
        let opposite = Arg::new(opposite(switch)).long(format!("no-{}", key(switch)));
        let opposite = opposite.action(ArgAction::SetTrue).hide(true).overrides_with(switch.get_id());
        let id = opposite.get_id().clone();
        command.arg(opposite).mut_arg(switch.get_id(), |switch| switch.overrides_with(id))
    })
}

/// The id of the switch that undoes this one.
pub(super) fn opposite(switch: &Arg) -> String {
    format!("no_{}", switch.get_id())
}

/// What clap knows of each setting, in the order of the declaration.
pub(super) fn arguments() -> Vec<Arg> {
    settings_command().get_arguments().cloned().collect()
}

/// The settings without the options that are none.
pub(super) fn settings_command() -> Command {
    Settings::augment_args(Command::new("qibu").no_binary_name(true).disable_help_flag(true))
}

/// The name of a setting in a file: that of its flag, without the dashes.
pub(super) fn key(argument: &Arg) -> String {
    argument.get_id().as_str().replace('_', "-")
}

pub(super) fn is_switch(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::SetTrue)
}

/// Whether a switch was given on the command line.
pub(super) fn is_asked(matches: &ArgMatches, id: &str) -> bool {
    matches.try_get_one::<bool>(id).is_ok_and(|given| given.is_some_and(|given| *given))
}

fn parse_port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "a port is a number from 0 to 65535".into())
}

/// Text of any path, for people to read: of one that is not UTF-8, the flag itself is taken ([`super::settings`]).
fn as_text<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.to_string_lossy()).serialize(serializer)
}

/// Where to listen, as the user says it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Bind {
    Address(IpAddr),
    AddressAndPort(SocketAddr),
    Unix(PathBuf),
}

/// How a line of the access log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LineFormat {
    Text,
    Common,
    Combined,
    Json,
}

impl From<LineFormat> for LogFormat {
    fn from(format: LineFormat) -> Self {
        match format {
            LineFormat::Text => Self::Text,
            LineFormat::Common => Self::Common,
            LineFormat::Combined => Self::Combined,
            LineFormat::Json => Self::Json,
        }
    }
}

impl Bind {
    fn is_local(&self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::AddressAndPort(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl FromStr for Bind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() {
                Err("unix: needs a path behind it".into())
            } else {
                Ok(Self::Unix(path.into()))
            };
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        let text = text.replacen("localhost", "127.0.0.1", usize::from(text.starts_with("localhost")));
        let bare = bare.replacen("localhost", "127.0.0.1", usize::from(bare == "localhost"));
        match (bare.parse(), text.parse()) {
            (Ok(address), _) => Ok(Self::Address(address)),
            (_, Ok(address)) => Ok(Self::AddressAndPort(address)),
            _ => Err("an IP address such as 127.0.0.1 or ::1, with a port if you like, or unix:PATH".into()),
        }
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::AddressAndPort(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl TryFrom<String> for Bind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Bind> for String {
    fn from(bind: Bind) -> Self {
        bind.to_string()
    }
}
