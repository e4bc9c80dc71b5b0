//! The letter of RFC 9112 and RFC 9110, a file per group of sections; `docs/conformance.md` says which rule stands where,
//! and `table.rs` that it says so truly.
//!
//! Every case is said whole, cut in two everywhere, byte by byte, and all of that with a further request behind it
//! (`for_every_split`). What `tests/http1.rs` has is not repeated here; the table names it there.

#[path = "../common/http1_support.rs"]
mod http1_support;
mod rfc9110_conditional;
mod rfc9110_content_coding;
mod rfc9110_methods;
mod rfc9110_range;
mod rfc9112_2_messages;
mod rfc9112_3_request_line;
mod rfc9112_4_status_line;
mod rfc9112_5_fields;
mod rfc9112_6_framing;
mod rfc9112_7_chunked;
mod rfc9112_9_connections;
mod table;

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use log::{LevelFilter, Log, Metadata, Record};
use qibu::{Request, StaticFiles};

use http1_support::Server;

/// Method, target and body, as text.
fn echo(request: &mut Request) -> String {
    let (method, target) = (request.method().clone(), request.target().to_owned());
    let body = request.text().unwrap_or("(no text)");
    format!("{method} {target} {body}")
}

fn echo_server() -> Server {
    Server::new(echo)
}

fn get(target: &str, fields: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// What a handler gets to see of these bytes.
fn seen_by_handler(input: &[u8]) -> Vec<String> {
    let server = echo_server();
    server.connect().send(input);
    server.seen()
}

// ---- files ----

/// What `a.txt` is.
const TEXT: &str =
    "0123456789abcdefghij0123456789ABCDEFGHIJ0123456789klmnopqrst0123456789KLMNOPQRST0123456789uvwxyzUVWX";

/// What `coded.css` is, and what stands beside it as its gzip form (nobody unpacks it here).
const STYLE: &str = "body { color: black } /* as it is */";
const CODED: &[u8] = b"\x1f\x8b(as gzip would have it)";

/// `large.bin` is not kept in memory.
const LARGE_BYTES: usize = 100_000;

/// When the files were changed last: a billion seconds after 1970.
const MODIFIED: &str = "Sun, 09 Sep 2001 01:46:40 GMT";

/// A folder with files of all kinds, which vanishes.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("there is room for a few files"));
        let (day, modified) =
            (Duration::from_secs(86_400), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000));
        let large: Vec<u8> = (0..LARGE_BYTES).map(|at| (at % 251) as u8).collect();
        fs::create_dir(folder.path().join("sub")).expect("the folder is new");
        for (name, bytes, changed) in [
            ("index.html", b"<p>index".as_slice(), modified),
            ("a.txt", TEXT.as_bytes(), modified),
            ("empty.txt", b"", modified),
            ("large.bin", &large, modified),
            ("coded.css", STYLE.as_bytes(), modified),
            ("coded.css.gz", CODED, modified),
            ("fly.css", STYLE.repeat(100).as_bytes(), modified),
            ("future.txt", b"from tomorrow", SystemTime::now() + day),
            ("ancient.txt", b"before 1970", SystemTime::UNIX_EPOCH - day),
            ("sub/b.txt", b"b", modified),
        ] {
            folder.write(name, bytes);
            let file = File::options().write(true).open(folder.path().join(name)).expect("it was just written");
            file.set_modified(changed).expect("it is ours");
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).expect("there is room for a file");
    }

    fn server(&self) -> Server {
        Server::new(StaticFiles::new(self.path()))
    }
}

// ---- the log ----

/// Keeps the lines of each thread apart: tests run side by side, and a test connection does all on one thread.
struct Kept;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl Log for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.level() <= log::Level::Info {
            LINES.with_borrow_mut(|lines| lines.push(record.args().to_string()));
        }
    }

    fn flush(&self) {}
}

/// What is logged meanwhile, debug lines left out.
fn log_of(conversation: impl FnOnce()) -> Vec<String> {
    let _ = log::set_logger(&Kept); // another test may have done so
    log::set_max_level(LevelFilter::Info);
    LINES.take();
    conversation();
    LINES.take()
}
