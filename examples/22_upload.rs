//! Files from a browser, saved while they arrive: never in memory as a whole, however large.
//!
//! Type:  cargo run --example 22_upload
//! and open http://127.0.0.1:8090/, or type  curl -F file=@Cargo.lock http://127.0.0.1:8090/
//!
//! You will see where each file was saved, under a name of our own: a client could send any.
//!
//! Next: 23_cookies.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use qibu::{Html, Request, Result, Router, StaticFiles, WebServer, limit, method, streaming};

mod support;

const PAGE: &str = "<!DOCTYPE html><title>Upload</title>
<form method=post enctype=multipart/form-data><input type=file name=file multiple> <button>Send</button></form>
<p><a href=uploads/>What is there</a>";

/// 4 GiB for all files of a form, 1 GiB for one.
const FORM_BYTES: u64 = 4 << 30;
const FILE_BYTES: u64 = 1 << 30;

struct Inbox {
    folder: PathBuf,
    next: AtomicU64,
}

impl Inbox {
    /// It blocks, on the disk and on the client, so it runs on the worker pool: see `app`.
    fn take(&self, request: &mut Request) -> Result<String> {
        let mut report = String::new();
        let mut form = request.multipart()?.part_limit(FILE_BYTES).count_limit(20);
        while let Some(mut part) = form.next_part()? {
            let Some(sent_as) = part.file_name().map(str::to_owned) else { continue };
            let name = format!("{}.bin", self.next.fetch_add(1, Ordering::Relaxed));
            let bytes = part.save_to(self.folder.join(&name))?;
            report += &format!("{sent_as}: {bytes} bytes, in {name}\n");
        }
        Ok(report)
    }
}

fn app(folder: PathBuf) -> Router {
    let inbox = Arc::new(Inbox { folder: folder.clone(), next: AtomicU64::new(1) });
    Router::new()
        .get("/", |_| Html(PAGE))
        .route("POST /", limit(streaming(method(&inbox, Inbox::take)), FORM_BYTES))
        .mount("/uploads", StaticFiles::new(folder))
}

fn main() -> io::Result<()> {
    support::start_log();
    let folder = tempfile::tempdir()?; // is removed at the end
    let server = WebServer::new(support::address(), app(folder.path().to_owned()))?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let head = "Content-Disposition: form-data; name=file; filename=\"../../passwd\"";
    let form = format!("--x\r\n{head}\r\n\r\n{}\r\n--x--", "seven steps ".repeat(100_000));
    let sent = support::post(address, "/", "Content-Type: multipart/form-data; boundary=x\r\n", &form)?;
    support::expect(sent.ends_with("passwd: 1200000 bytes, in 1.bin\n"), "a file is saved under our name", &sent)?;
    let read = support::get(address, "/uploads/1.bin", "Range: bytes=0-10\r\n")?;
    support::expect(read.ends_with("\r\n\r\nseven steps"), "and can be read", &read)?;
    Ok("22_upload: a file was saved while it arrived, and read")
}
