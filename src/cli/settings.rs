//! One value of every setting, from three sources with the same names: flags win over variables, variables over the file.
//!
//! Each source is a [`Layer`]: key, value, and who said it. A value is whole: a list of a stronger source replaces that of a
//! weaker one. All sources are read by the same parser, that of the flags, so a value is right or wrong wherever it
//! stands, and the same words say why. What contradicts itself across the sources is an error, and never a silent choice.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, FromArgMatches};
use serde::Deserialize;
use toml::{Table, Value};

use super::complaint::Complaint;
use super::file;
use super::options::{self, Options, Settings};

/// What begins the name of a variable that is a setting.
const PREFIX: &str = "QIBU_";

/// The variable for `--config`.
const CONFIG: &str = "QIBU_CONFIG";

/// The one for `--no-config`.
const NO_CONFIG: &str = "QIBU_NO_CONFIG";

/// What one source says, by key.
pub(super) type Layer = BTreeMap<String, Said>;

/// A value, and who said so.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

#[derive(Debug, Clone)]
pub(super) enum Origin {
    Flag,
    Variable(String),
    Line(PathBuf, usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("the command line"),
            Self::Variable(name) => f.write_str(name),
            Self::Line(path, line) => write!(f, "{}:{line}", path.display()),
        }
    }
}

/// What holds, and why.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) settings: Settings,
    said: Layer,
}

/// Lays the sources over each other.
pub(super) fn resolve(matches: &ArgMatches, options: Options) -> Result<Resolved, Complaint> {
    let named = options.config.clone().or_else(|| env::var_os(CONFIG).filter(|name| !name.is_empty()).map(Into::into));
    let source = match named {
        _ if options.no_config || (options.config.is_none() && says_no_config()?) => None,
        Some(path) => Some(file::Source::Named(path)),
        None => file::Source::find(),
    };
    let mut said = source.as_ref().map(file::Source::read).transpose()?.unwrap_or_default();
    said.extend(variables()?);
    said.extend(flags(matches, &options.settings));
    refuse_contradictions(&said)?;

    let table: Table = said.iter().map(|(key, said)| (key.clone(), said.value.clone())).collect();
    let mut settings = Settings::deserialize(table).map_err(|error| Complaint::Usage(error.message().to_owned()))?;
    settings.path = options.settings.path.or(settings.path); // of any bytes, while a table holds only text
    settings.config_file = source.map(file::Source::into_path);
    Ok(Resolved { settings, said })
}

fn says_no_config() -> Result<bool, Complaint> {
    match env::var(NO_CONFIG).unwrap_or_default() {
        text if text.is_empty() => Ok(false),
        text => is_on(&text).ok_or_else(|| Complaint::Usage(format!("{NO_CONFIG}: {EITHER}"))),
    }
}

/// What was said on the command line.
fn flags(matches: &ArgMatches, settings: &Settings) -> Layer {
    let table = to_table(settings);
    let value = |argument: &Arg| {
        let (id, key) = (argument.get_id().as_str(), options::key(argument));
        if options::is_switch(argument) && options::is_asked(matches, &options::opposite(argument)) {
            return Some((key, Value::Boolean(false)));
        }
        let is_said = matches.value_source(id) == Some(ValueSource::CommandLine);
        is_said.then(|| table.get(&key).cloned()).flatten().map(|value| (key, value))
    };
    let said = |(key, value)| (key, Said { value, origin: Origin::Flag });
    options::arguments().iter().filter_map(value).map(said).collect()
}

/// What the environment says: one value a line, where there may be several. An empty variable says nothing.
fn variables() -> Result<Layer, Complaint> {
    let mut layer = Layer::new();
    for (name, text) in env::vars_os() {
        let Some(name) = name.to_str().filter(|name| is_setting(name)) else { continue };
        let wrong = |why: &str| Complaint::Usage(format!("{name}: {why}{}", whose(name, &text)));
        let Some(text) = text.to_str() else { return Err(wrong("this is not UTF-8")) };
        let key = name[PREFIX.len()..].to_ascii_lowercase().replace('_', "-");
        let argument = argument(&key).ok_or_else(|| wrong("there is no such setting"))?;
        let texts: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
        if !texts.is_empty() {
            let value = parse(&argument, &texts).map_err(|why| wrong(&why))?;
            layer.insert(key, Said { value, origin: Origin::Variable(name.to_owned()) });
        }
    }
    Ok(layer)
}

fn is_setting(variable: &str) -> bool {
    variable.starts_with(PREFIX) && ![CONFIG, NO_CONFIG].contains(&variable)
}

/// Who else makes variables with such names.
fn whose(variable: &str, text: &OsStr) -> &'static str {
    let is_a_services = text.as_encoded_bytes().starts_with(b"tcp://")
        || ["SERVICE_", "PORT_"].iter().any(|part| variable[PREFIX.len()..].starts_with(part));
    if is_a_services {
        "; Kubernetes sets it for a service that is called qibu: give that another name, or say enableServiceLinks: false"
    } else {
        ""
    }
}

/// The setting of this name.
pub(super) fn argument(key: &str) -> Option<Arg> {
    options::arguments().into_iter().find(|argument| options::key(argument) == key)
}

/// What a flag with these values means, or one line that says why it means nothing.
pub(super) fn parse(argument: &Arg, texts: &[String]) -> Result<Value, String> {
    if options::is_switch(argument) {
        let [text] = texts else { return Err(EITHER.into()) };
        return is_on(text).map(Value::Boolean).ok_or_else(|| EITHER.into());
    }
    let words: Vec<String> = match argument.get_long() {
        Some(name) => texts.iter().map(|text| format!("--{name}={text}")).collect(),
        None => [String::from("--")].into_iter().chain(texts.iter().cloned()).collect(),
    };
    let matched = options::settings_command().try_get_matches_from(words);
    let settings =
        matched.and_then(|matches| Settings::from_arg_matches(&matches)).map_err(|error| one_line(&error))?;
    to_table(&settings).remove(&options::key(argument)).ok_or_else(|| "this takes one value".into())
}

const EITHER: &str = "this is either true or false";

fn is_on(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// What clap has to say, without its advice on flags.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().take_while(|line| !line.is_empty()).map(str::trim);
    lines.collect::<Vec<_>>().join(" ").trim_start_matches("error: ").to_owned()
}

fn to_table(settings: &Settings) -> Table {
    Table::try_from(settings).expect("every setting can be said in a file")
}

/// What clap refuses among flags is refused across sources, too.
fn refuse_contradictions(said: &Layer) -> Result<(), Complaint> {
    let command = options::command();
    let is_set = |key: &str| said.get(key).filter(|said| !is_nothing(&said.value));
    for argument in options::arguments() {
        let Some(one) = is_set(&options::key(&argument)) else { continue };
        let others = command.get_arg_conflicts_with(&argument);
        if let Some((other, said)) = others.into_iter().find_map(|other| Some((other, is_set(&options::key(other))?))) {
            let (key, other) = (options::key(&argument), options::key(other));
            let what = format!("{key} ({}) contradicts {other} ({}): leave one of them out", one.origin, said.origin);
            return Err(Complaint::Usage(what));
        }
    }
    Ok(())
}

/// A switch that is off, or an empty list.
fn is_nothing(value: &Value) -> bool {
    value.as_bool() == Some(false) || value.as_array().is_some_and(Vec::is_empty)
}

impl Resolved {
    /// All that holds, as a file that means the same: what was said and by whom, then what else there is to say.
    pub(super) fn to_toml(&self) -> String {
        let (mut values, mut tables, mut defaults) = (String::new(), String::new(), String::new());
        for argument in options::arguments() {
            let key = options::key(&argument);
            let Some(Said { value, origin }) = self.said.get(&key) else {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                defaults += &format!("# {key}: {help}\n");
                continue;
            };
            let text =
                toml::to_string(&Table::from_iter([(key, value.clone())])).expect("a value can be said in a file");
            // Tables come last: in TOML, a key behind one belongs to it.
            let part = if text.starts_with('[') { &mut tables } else { &mut values };
            *part += &format!("# {origin}\n{text}");
        }
        format!("{values}{tables}\n# Not said, so the default holds:\n{defaults}")
    }
}
