//! qibu.toml: the settings as a file.
//!
//! A file that is *named* (`--config FILE`, `QIBU_CONFIG`) is the user's own word. A `qibu.toml` that is merely *found* in
//! the folder we are in may be a stranger's: whoever unpacks an archive and types `qibu` in it has not read it. It may say
//! how files are shown (the options under [`SITE`]) and on which port; anything else in it, such as `lan`, or a field that lets
//! other sites' pages read them, is an error that says how to trust it. Such a file is never served ([`super::assemble`]).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Arg;
use serde::Deserialize;
use toml::de::{DeTable, Deserializer};
use toml::{Spanned, Table, Value};

use super::complaint::Complaint;
use super::options::{self, SITE, Settings};
use super::rules::Header;
use super::settings::{self, Layer, Origin, Said};

/// The file that is looked for where we are.
pub(super) const NAME: &str = "qibu.toml";

/// The longest file that is read, in bytes: settings, and nothing else, are shorter.
const MOST_BYTES: u64 = 1024 * 1024;

/// A name that is this much like another is taken for a slip (Jaro-Winkler, from 0 to 1).
const ALIKE: f64 = 0.8;

/// A file, and how we came to it.
#[derive(Debug)]
pub(super) enum Source {
    Named(PathBuf),
    Found(PathBuf),
}

impl Source {
    /// The one in the folder we are in.
    pub(super) fn find() -> Option<Self> {
        Path::new(NAME).is_file().then(|| Self::Found(NAME.into()))
    }

    pub(super) fn into_path(self) -> PathBuf {
        let (Self::Named(path) | Self::Found(path)) = self;
        path
    }

    /// What it says, with the line of each key.
    pub(super) fn read(&self) -> Result<Layer, Complaint> {
        let (Self::Named(path) | Self::Found(path)) = self;
        let text = text_of(path).map_err(|why| Complaint::Failure(format!("{}: {why}", path.display())))?;
        let line = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
        let wrong = |offset, why: String| Complaint::Usage(format!("{}:{}: {why}", path.display(), line(offset)));
        let of_toml = |error: toml::de::Error| wrong(error.span().map_or(0, |span| span.start), one_line(&error));

        let parsed = DeTable::parse(&text).map_err(of_toml)?;
        let values: Table = text.parse().map_err(of_toml)?;
        let mut layer = Layer::new();
        for key in parsed.get_ref().keys() {
            let (name, offset) = (key.get_ref().to_string(), key.span().start);
            let argument = settings::argument(&name).ok_or_else(|| wrong(offset, unknown(&name)))?;
            let is_too_much = |what: &str| {
                let cure = format!("if you trust it, say --config {NAME}");
                wrong(offset, format!("{what} is more than a file that was merely found may set; {cure}"))
            };
            if matches!(self, Self::Found(_)) && !is_harmless(&argument) {
                return Err(is_too_much(&name));
            }
            let value = match texts(&values[&name]) {
                Some(texts) => {
                    settings::parse(&argument, &texts).map_err(|why| wrong(offset, format!("{name}: {why}")))?
                }
                None => table(&parsed, &name).map_err(|error| match error.span() {
                    Some(span) => wrong(span.start, format!("{name}: {}", one_line(&error))),
                    None => wrong(offset, format!("{name}: {}", one_line(&error))),
                })?,
            };
            if let (Self::Found(_), Some(field)) = (self, door(&value)) {
                return Err(is_too_much(&format!("{name} = {field:?}")));
            }
            layer.insert(name, Said { value, origin: Origin::Line(path.clone(), line(offset)) });
        }
        Ok(layer)
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err("settings are read from a file, and this is none".into()),
        Ok(metadata) if metadata.len() > MOST_BYTES => return Err("this is too long to be settings".into()),
        _ => {}
    }
    fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file of settings".into(),
        io::ErrorKind::InvalidData => "this is not UTF-8".into(),
        _ => format!("the settings cannot be read: {error}"),
    })
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Whether a stranger may set it for us.
fn is_harmless(argument: &Arg) -> bool {
    argument.get_help_heading() == Some(SITE) || argument.get_id() == "port"
}

/// One of several header fields, if it lets pages of other sites read what is served (CORS).
fn door(value: &Value) -> Option<&str> {
    let mut fields = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    fields.find(|field| {
        field.parse().is_ok_and(|Header { name, .. }| name.to_ascii_lowercase().starts_with("access-control-"))
    })
}

fn unknown(name: &str) -> String {
    let keys = options::arguments().iter().map(options::key).collect::<Vec<_>>();
    let likeness = |key: &&String| strsim::jaro_winkler(key, name);
    match keys.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other))) {
        Some(key) if likeness(&key) > ALIKE => format!("there is no setting {name}; perhaps you mean {key}"),
        _ => format!("there is no setting {name}"),
    }
}

/// The value as a flag would have it, one text or several; `None` if tables are in it.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) => values.iter().map(|value| texts(value).filter(|_| !value.is_array())?.pop()).collect(),
        Value::Table(_) => None,
        value => Some(vec![value.to_string()]),
    }
}

/// The value of a setting that is a table or several: errors know their place in it.
fn table(parsed: &Spanned<DeTable<'_>>, name: &str) -> Result<Value, toml::de::Error> {
    let entries = parsed.get_ref().iter().filter(|(key, _)| key.get_ref() == name);
    let only: DeTable<'_> = entries.map(|(key, value)| (key.clone(), value.clone())).collect();
    let settings = Settings::deserialize(Deserializer::from(Spanned::new(parsed.span(), only)))?;
    let table = Table::try_from(settings).map_err(serde::de::Error::custom)?;
    Ok(table[name].clone())
}
