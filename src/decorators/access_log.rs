//! A line for each answer.
//!
//! The line goes to the `log` crate under the target `qibu::access`, at level info: where it ends up, and whether it is
//! wanted at all, is for the program to say. Or it goes to a function of your own, which must not block: it runs on the
//! event loop. What the client wrote is escaped in every [format](mod@format), so that it can neither forge lines nor steer a
//! terminal.
//!
//! What the server refuses by itself, because it is no HTTP or too long or too slow, has a line as well. Why it was refused
//! stands in the `log` crate under the target `qibu::refused`, and in the JSON lines.
//!
//! The line is written when the last byte of the answer has been given to the system, or when the client has gone. It says what
//! became of the request, not what its handler would have liked: how many bytes of the body were sent, so that a download that
//! was broken off is seen as one; 503 where the server gave up on the handler, 500 where that panicked, and 499, the number
//! that nginx has for it, where the client went before there was an answer. It has gone when it has reset the connection; one that
//! has only finished sending, as a browser's tab that is closed has at first, may still read and is answered.
//!
//! Pattern: Decorator (it watches), Strategy (the formats).

mod escape;
mod format;
mod record;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::format::LogFormat;
use self::record::Record;
use crate::handler::{Handler, Middleware};
use crate::message::{Refusal, Request, Response, Sent};

/// The log target of the lines, to be named in a filter such as `RUST_LOG=qibu::access=info`.
const TARGET: &str = "qibu::access";

/// Logs each answer: client, request, status, bytes of the body that were sent; more in other [`LogFormat`]s.
///
/// ```
/// use std::sync::mpsc;
/// use qibu::{AccessLog, HandlerExt, LogFormat, Request, testing::TestClient};
///
/// let logged = (|_: &mut Request| "hello").with(AccessLog::new()); // through the `log` crate
///
/// let (sender, lines) = mpsc::channel();
/// let log = AccessLog::new().format(LogFormat::Combined).to(move |line| sender.send(line.to_owned()).unwrap());
/// TestClient::new((|_: &mut Request| "hello").with(log)).get("/a?b").header("User-Agent", "me").send();
/// assert!(lines.recv().unwrap().ends_with(r#"] "GET /a?b HTTP/1.1" 200 5 "-" "me""#));
/// ```
#[derive(Debug, Default)]
pub struct AccessLog {
    format: LogFormat,
    destination: Destination,
}

/// Who takes the lines.
#[derive(Clone, Default)]
enum Destination {
    #[default]
    Log,
    Own(Arc<dyn Fn(&str) + Send + Sync>),
}

impl AccessLog {
    /// The log target of the lines: `qibu::access`.
    pub const TARGET: &'static str = TARGET;

    /// A log of all answers.
    pub fn new() -> Self {
        Self::default()
    }

    /// How the lines look. Default: [`LogFormat::Text`].
    #[must_use]
    pub fn format(mut self, format: LogFormat) -> Self {
        self.format = format;
        self
    }

    /// Gives each line, without its end, to this function, and not to the `log` crate. It must not block.
    #[must_use]
    pub fn to(mut self, destination: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.destination = Destination::Own(Arc::new(destination));
        self
    }

    fn line(&self, record: Record) -> Line {
        Line { destination: self.destination.clone(), format: self.format, record: Arc::new(Mutex::new(record)) }
    }
}

impl Destination {
    fn wants_lines(&self) -> bool {
        match self {
            Self::Log => log::log_enabled!(target: TARGET, log::Level::Info),
            Self::Own(_) => true,
        }
    }

    fn write(&self, format: LogFormat, record: &Record) {
        match self {
            Self::Log => log::info!(target: TARGET, "{}", format.line(record)),
            Self::Own(write) if format == LogFormat::Text => write(&format!("{} {}", record.time, format.line(record))),
            Self::Own(write) => write(&format.line(record).to_string()),
        }
    }
}

impl Middleware for AccessLog {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        if !self.destination.wants_lines() {
            return next.handle(request);
        }
        let line = self.line(Record::of(request));
        request.watch(line.writer());
        let response = next.handle(request);
        // Decorators further in may have found out more.
        line.record().client = record::client(request);
        response.map(move |response| {
            line.record().note_answer();
            response
        })
    }

    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        if self.destination.wants_lines() {
            let line = self.line(Record::of_refusal(refusal));
            line.record().note_answer();
            refusal.watch(line.writer());
        }
        answer
    }
}

/// A line that is to be written, by whoever gets to know what became of the request; the decorator adds to it meanwhile.
struct Line {
    destination: Destination,
    format: LogFormat,
    record: Arc<Mutex<Record>>,
}

impl Line {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> impl FnOnce(Sent) + Send + use<> {
        let line = Self { destination: self.destination.clone(), format: self.format, record: self.record.clone() };
        move |sent| {
            let mut record = line.record();
            record.end(sent);
            line.destination.write(line.format, &record);
        }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Log => "Log",
            Self::Own(_) => "Own",
        })
    }
}
