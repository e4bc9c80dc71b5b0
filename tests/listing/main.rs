//! A folder without an index.html, as its visitors meet it. What a browser makes of it is for tests/browser/listing.mjs.
#![cfg(unix)] // half of the names could not be made elsewhere

mod forms;
mod markup;
mod names;
mod order;
mod readme;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use qibu::StaticFiles;
use qibu::testing::{TestClient, TestResponse};
use tempfile::TempDir;

use crate::markup::{Element, parse};

/// A folder, and a client of it.
struct Site {
    folder: TempDir,
    client: TestClient,
}

impl Site {
    /// With these files in it; a folder's name ends in a slash.
    fn new<N: AsRef<[u8]>>(names: &[N]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let client = TestClient::new(StaticFiles::new(folder.path()));
        let site = Self { folder, client };
        for name in names {
            site.add(name.as_ref(), b"x");
        }
        site
    }

    fn path(&self, name: impl AsRef<[u8]>) -> std::path::PathBuf {
        self.folder.path().join(Path::new(OsStr::from_bytes(name.as_ref())))
    }

    fn add(&self, name: impl AsRef<[u8]>, content: &[u8]) {
        let (name, path) = (name.as_ref(), self.path(name.as_ref()));
        if name.ends_with(b"/") {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::write(path, content).unwrap();
        }
    }

    /// Sets the time of a file's last change, in seconds from 1970.
    fn set_time(&self, name: &str, seconds: i64) {
        let distance = Duration::from_secs(seconds.unsigned_abs());
        let epoch = SystemTime::UNIX_EPOCH;
        let time = if seconds < 0 { epoch - distance } else { epoch + distance };
        File::open(self.path(name)).unwrap().set_modified(time).unwrap();
    }

    fn get(&self, target: &str) -> TestResponse {
        let answer = self.client.get(target).send();
        assert_eq!(answer.status(), 200, "{target}");
        answer
    }

    /// As the client with this Accept field sees it.
    fn get_as(&self, media_type: &str, target: &str) -> TestResponse {
        self.client.get(target).header("accept", media_type).send()
    }

    /// The elements of the page, in order.
    fn page(&self, target: &str) -> Vec<Element> {
        parse(self.get(target).text())
    }

    /// The names in the page, in order.
    fn names(&self, target: &str) -> Vec<String> {
        rows(&self.page(target)).map(|link| link.text.clone()).collect()
    }
}

/// The links to what the folder holds: those in cells and in tiles.
fn rows(page: &[Element]) -> impl Iterator<Item = &Element> {
    page.iter().filter(|element| element.name == "a" && matches!(&*element.parent, "td" | "li") && element.has("class"))
}

/// The URL that a browser makes of a link in the page at this one. Enough for links such as ours; no test of URLs.
fn resolve(base: &str, link: &str) -> String {
    let mut base = base.split('?').next().unwrap().rsplit_once('/').unwrap().0;
    if link.starts_with('?') {
        return format!("{base}/{link}");
    }
    let mut link = link.strip_prefix("./").unwrap_or(link);
    while let Some(rest) = link.strip_prefix("../") {
        (base, link) = (base.rsplit_once('/').unwrap().0, rest);
    }
    format!("{base}/{link}")
}
