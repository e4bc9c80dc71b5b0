//! Settings → handler: the folder, and what stands around it, from the inside out.
//!
//! Pattern: Decorator (a setting, a decorator).

use std::io;
use std::path::Path;
use std::sync::Arc;

use qibu::{
    AccessLog, AllowedHosts, Cors, Handler, HandlerExt, Isolation, LiveReload, LogFormat, Redirects, Router,
    StaticFiles,
};

use super::complaint::Complaint;
use super::file;
use super::options::Settings;
use crate::log_file::LogFile;

/// Opens what is served, and puts around it what the settings ask for. The last one sees a request first.
pub(super) fn handler(settings: &Settings, log: Option<&LogFile>) -> Result<Arc<dyn Handler>, Complaint> {
    let handler = folders(settings)?;
    let handler = if settings.redirect.is_empty() { handler } else { handler.with(redirects(settings)?).boxed() };
    let handler = if settings.watch { handler.with(live_reload(settings)?).boxed() } else { handler };
    let handler = if settings.isolate { handler.with(Isolation::new()).boxed() } else { handler };
    let handler = if settings.cors { handler.with(cors()).boxed() } else { handler };
    let handler = match allowed_hosts(settings)? {
        Some(hosts) => handler.with(hosts).boxed(),
        None => handler,
    };
    let handler = match access_log(settings, log) {
        Some(lines) => handler.with(lines).boxed(),
        None => handler,
    };
    Ok(handler.into())
}

/// A line for each answer, to the file if there is one. What is logged is settled by now: nobody need ask for each answer
/// whether somebody wants its line.
fn access_log(settings: &Settings, log: Option<&LogFile>) -> Option<AccessLog> {
    let default = if log.is_some() { LogFormat::Combined } else { LogFormat::Text };
    let lines = AccessLog::new().format(settings.log_format.map_or(default, Into::into));
    match log.cloned() {
        Some(log) => Some(lines.to(move |line| log.write(line))),
        None => log::log_enabled!(target: AccessLog::TARGET, log::Level::Info).then_some(lines),
    }
}

/// For which names we answer. A server for this computer alone answers only for its own names: see [`AllowedHosts`]. Where
/// others are let in, we cannot know by which names, unless we are told.
fn allowed_hosts(settings: &Settings) -> Result<Option<AllowedHosts>, Complaint> {
    let hosts = match (settings.is_local(), settings.allow_host.is_empty()) {
        (true, _) => AllowedHosts::local(),
        (false, true) => return Ok(None),
        (false, false) => AllowedHosts::local().any_address(),
    };
    let named = settings.allow_host.iter().try_fold(hosts, |hosts, name| hosts.name(name));
    named
        .map(|hosts| Some(hosts.called("--allow-host")))
        .map_err(|error| Complaint::Usage(format!("--allow-host: {error}")))
}

/// The folder, and the others at their paths.
fn folders(settings: &Settings) -> Result<Box<dyn Handler>, Complaint> {
    let top = files(settings, settings.folder())?;
    if settings.mount.is_empty() {
        return Ok(top.boxed());
    }
    let mut router = Router::new().mount("/", top);
    for mount in &settings.mount {
        let files = files(settings, &mount.folder)?.at(&mount.at);
        router.try_mount(&mount.at, files).map_err(|error| Complaint::Usage(format!("mount: {error}")))?;
    }
    Ok(router.boxed())
}

/// For pages on other ports and hosts: they may send what they like, and see what a reader of parts needs to know.
fn cors() -> Cors {
    let fields = ["etag", "content-range", "content-length", "accept-ranges", "last-modified"];
    Cors::any().any_headers().expose(fields).expect("they are names of fields")
}

fn redirects(settings: &Settings) -> Result<Redirects, Complaint> {
    let mut rules = settings.redirect.iter();
    let all = rules.try_fold(Redirects::new(), |all, rule| all.add(&rule.from, &rule.to, rule.status));
    all.map_err(|error| Complaint::Usage(format!("redirect: {error}")))
}

/// One folder or file, served as the settings say. Our own settings and log are nobody's business,
/// whatever their files are called.
fn files(settings: &Settings, path: &Path) -> Result<StaticFiles, Complaint> {
    let files = StaticFiles::open(path).map_err(|error| cannot_read(path, &error))?;
    let files = match &settings.charset {
        Some(name) => files.charset(name).map_err(|error| Complaint::Usage(format!("charset: {error}")))?,
        None => files,
    };
    let files = if settings.clean_urls { files.clean_urls() } else { files };
    let files = if settings.spa { files.single_page() } else { files };
    let ruled =
        settings.header.iter().try_fold(files, |files, rule| files.header(&rule.files, &rule.name, &rule.value));
    let files = ruled.map_err(|error| Complaint::Usage(format!("header: {error}")))?;
    let own = [settings.config_file.as_deref(), settings.log_file.as_deref().map(Path::new)];
    Ok(own.into_iter().flatten().fold(files.hide(file::NAME), StaticFiles::hide_file))
}

/// A log of our own among the files that are watched would grow with each reload, and bring about the next.
fn live_reload(settings: &Settings) -> Result<LiveReload, Complaint> {
    let log = settings.log_file.as_deref().map(Path::new);
    if let Some(log) = log.filter(|log| !log.to_string_lossy().ends_with(".log") && is_within(log, settings.folder())) {
        let log = log.display();
        let what = format!(
            "watch: each answer would change {log} and reload the page: end its name in .log, or keep it elsewhere"
        );
        return Err(Complaint::Usage(what));
    }
    let watching = LiveReload::new().watch("/", settings.folder());
    let watching = settings.mount.iter().fold(watching, |watching, mount| watching?.watch(&mount.at, &mount.folder));
    watching.map_err(|error| Complaint::Failure(format!("watch: {error}")))
}

/// Whether a file, which may not be there yet, lies beneath a folder.
fn is_within(file: &Path, folder: &Path) -> bool {
    let parent = std::path::absolute(file).ok().and_then(|file| file.parent()?.canonicalize().ok());
    let folder = folder.canonicalize().ok();
    parent.zip(folder).is_some_and(|(parent, folder)| parent.starts_with(folder))
}

fn cannot_read(path: &Path, error: &io::Error) -> Complaint {
    let path = path.display();
    Complaint::Failure(match error.kind() {
        io::ErrorKind::NotFound => format!("there is no folder or file {path}"),
        io::ErrorKind::PermissionDenied => {
            format!("{path} cannot be read: permission denied; change its rights, or run qibu as its owner")
        }
        _ => format!("{path} cannot be read: {error}"),
    })
}
