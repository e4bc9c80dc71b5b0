//! Sees when files change, and says so when it has become quiet again: an editor that saves one file makes a dozen events,
//! and a site generator thousands.
//!
//! One thread per folder that is watched, besides the one of `notify`. They end with the last clone of the
//! [`LiveReload`] that has begun them.
//!
//! Pattern: Observer.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{Config, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::LiveReload;
use super::identity::{self, Identity};
use super::names::url_path;
use super::news::News;

/// Ends the thread when it is dropped.
pub(super) struct Watch {
    notes: Sender<Note>,
}

/// What the thread is told.
enum Note {
    Changed(Vec<PathBuf>),
    /// The folder itself was removed or renamed, as site generators do; there may be another one soon.
    Gone,
    /// More has changed than could be told.
    Overflow,
    Stop,
}

/// What the thread has.
struct Watching {
    watcher: RecommendedWatcher,
    notes: Receiver<Note>,
    folder: PathBuf,
    /// Which folder of that name is watched; `None` before the first.
    watched: Option<Identity>,
    scope: Scope,
    /// The URL path of the folder.
    prefix: String,
    news: Arc<News>,
}

/// What in the folder counts.
#[derive(Clone)]
enum Scope {
    All,
    Only(OsString),
}

/// So long nothing may happen before the pages are told.
const QUIET: Duration = Duration::from_millis(60);

/// So long they wait at most.
const LONGEST: Duration = Duration::from_millis(500);

/// How often it is seen whether the folder is still the same. The system tells that it was removed only when nobody has it open
/// any more, and a server has.
const GLANCE: Duration = Duration::from_secs(1);

/// How often a folder that has gone is looked for.
const LOOK: Duration = Duration::from_millis(100);

impl LiveReload {
    /// Watches a folder and all that is in it, or one file. `prefix` is the URL path under which the folder is served: `/`,
    /// unless it is one of several. What is never served (names that begin with a dot), what editors leave behind for a
    /// moment, and logs (`.log`) are not told of. A folder in it that may not be read is left out, with a warning.
    ///
    /// Fails if there is no such path, or the system does not allow so many folders to be watched; the error says what to do.
    pub fn watch(mut self, prefix: &str, path: impl AsRef<Path>) -> io::Result<Self> {
        self.watches.push(Arc::new(start(self.news.clone(), prefix, path.as_ref())?));
        Ok(self)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.notes.send(Note::Stop);
    }
}

fn start(news: Arc<News>, prefix: &str, path: &Path) -> io::Result<Watch> {
    let name_path = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let path = path.canonicalize().map_err(name_path)?;
    let (folder, scope) = match (path.is_dir(), path.parent(), path.file_name()) {
        (false, Some(folder), Some(name)) => (folder.to_owned(), Scope::Only(name.to_owned())),
        _ => (path.clone(), Scope::All),
    };
    let (sender, notes) = mpsc::channel();
    let (to_thread, root) = (sender.clone(), folder.clone());
    let pass_on = move |event: notify::Result<Event>| {
        if let Some(note) = note(event, &root) {
            let _ = to_thread.send(note); // the thread may have ended
        }
    };
    // What a link leads to is watched where it is, if it is served at all; and links can lead in circles.
    let config = Config::default().with_follow_symlinks(false);
    let watcher = RecommendedWatcher::new(pass_on, config).map_err(|error| explain(error, &path))?;
    let mut watching = Watching { watcher, notes, folder, watched: None, scope, prefix: prefix.to_owned(), news };
    watching.begin().map_err(|error| explain(error, &path))?;
    thread::Builder::new().name("qibu-watch".into()).spawn(move || watching.run())?;
    Ok(Watch { notes: sender })
}

/// What an event means for us.
fn note(event: notify::Result<Event>, folder: &Path) -> Option<Note> {
    let event = match event {
        Ok(event) if event.need_rescan() => return Some(Note::Overflow),
        Ok(event) => event,
        Err(error) => {
            log::warn!("{}", explain(error, folder));
            return None;
        }
    };
    let is_about_folder = event.paths.iter().any(|path| path == folder);
    match event.kind {
        EventKind::Access(_) => None, // our own reading, for the most part
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) if is_about_folder => {
            Some(Note::Gone)
        }
        _ => Some(Note::Changed(event.paths)),
    }
}

impl Watching {
    fn begin(&mut self) -> notify::Result<()> {
        // If it is replaced meanwhile, the next glance sees that.
        self.watched = identity::of(&self.folder).ok();
        match self.scope {
            Scope::All => self.watch_below(&self.folder.clone()),
            Scope::Only(_) => self.watcher.watch(&self.folder, RecursiveMode::NonRecursive),
        }
    }

    /// Watches a folder and all below it but what may not be read. `notify` stops at such a folder, when it has begun to watch
    /// those above it; so those beside it are watched one by one.
    fn watch_below(&mut self, folder: &Path) -> notify::Result<()> {
        let Err(error) = self.watcher.watch(folder, RecursiveMode::Recursive) else { return Ok(()) };
        match error.paths.first() {
            Some(denied) if is_denied(&error) && denied != folder => {
                let inside = fs::read_dir(folder).map_err(notify::Error::io)?.filter_map(Result::ok);
                let folders = inside.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
                folders.map(|entry| entry.path()).try_for_each(|folder| self.watch_below(&folder))
            }
            Some(denied) if is_denied(&error) && *denied != self.folder => {
                if self.url_path(denied).is_some() {
                    log::warn!("{} may not be read: its changes are not seen", denied.display());
                }
                Ok(())
            }
            _ => Err(error),
        }
    }

    fn run(mut self) {
        loop {
            let notes = match self.notes.recv_timeout(GLANCE) {
                Ok(first) => self.settle(first),
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let (mut changed, mut is_gone) = (BTreeSet::new(), self.is_gone());
            for note in notes {
                match note {
                    Note::Changed(paths) => changed.extend(paths.iter().filter_map(|path| self.url_path(path))),
                    Note::Overflow => drop(changed.insert("/".into())),
                    Note::Gone => is_gone = true,
                    Note::Stop => return,
                }
            }
            if is_gone {
                if self.find_again().is_err() {
                    return;
                }
                changed.insert("/".into());
            }
            if !changed.is_empty() {
                self.news.announce(changed);
            }
        }
    }

    /// Whether the folder was removed, or there is another one of its name.
    fn is_gone(&self) -> bool {
        identity::of(&self.folder).ok() != self.watched
    }

    /// This note and those that follow, until it is quiet.
    fn settle(&self, first: Note) -> Vec<Note> {
        let (mut notes, end) = (vec![first], Instant::now() + LONGEST);
        loop {
            let wait = QUIET.min(end.saturating_duration_since(Instant::now()));
            match self.notes.recv_timeout(wait) {
                Ok(note) => notes.push(note),
                Err(_) => return notes,
            }
        }
    }

    /// Waits for another folder of that name. Fails when nobody wants to know any more.
    fn find_again(&mut self) -> Result<(), mpsc::RecvError> {
        let _ = self.watcher.unwatch(&self.folder);
        while self.begin().is_err() {
            match self.notes.recv_timeout(LOOK) {
                Ok(Note::Stop) | Err(RecvTimeoutError::Disconnected) => return Err(mpsc::RecvError),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
        Ok(())
    }

    fn url_path(&self, path: &Path) -> Option<String> {
        let relative = path.strip_prefix(&self.folder).ok()?;
        match &self.scope {
            Scope::Only(name) if relative.as_os_str() != name => None,
            _ => url_path(&self.prefix, relative),
        }
    }
}

fn is_denied(error: &notify::Error) -> bool {
    matches!(&error.kind, ErrorKind::Io(error) if error.kind() == io::ErrorKind::PermissionDenied)
}

/// The error, with what to do against it where that is known.
fn explain(error: notify::Error, path: &Path) -> io::Error {
    let culprit = error.paths.first().map_or(path, PathBuf::as_path).display();
    let path = path.display();
    let too_many_watches = "the system does not allow so many folders to be watched; \
        allow more with: sysctl fs.inotify.max_user_watches=1048576";
    let too_many_watchers = "the system does not allow so many programs to watch folders; \
        allow more with: sysctl fs.inotify.max_user_instances=1024";
    match error.kind {
        ErrorKind::MaxFilesWatch => io::Error::other(format!("{path}: {too_many_watches}")),
        ErrorKind::Io(error) if is_exhaustion(&error) => io::Error::other(format!("{path}: {too_many_watchers}")),
        ErrorKind::Io(error) => io::Error::new(error.kind(), format!("{culprit}: {error}")),
        ErrorKind::PathNotFound => io::Error::new(io::ErrorKind::NotFound, format!("{path}: there is no such folder")),
        _ => io::Error::other(format!("{path}: {error}")),
    }
}

/// EMFILE: what inotify says when there are too many users of it.
fn is_exhaustion(error: &io::Error) -> bool {
    const EMFILE: i32 = 24;
    cfg!(target_os = "linux") && error.raw_os_error() == Some(EMFILE)
}
