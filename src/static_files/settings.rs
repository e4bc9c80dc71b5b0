//! What can be set about a folder: a method for each feature, whose code is in a file of its own.
//!
//! Pattern: Builder.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::StaticFiles;
use super::cache::{Cache, Cost};
use super::charset::{Charset, Charsets};
use super::clean_urls::CleanUrls;
use super::single_page::SinglePage;

impl StaticFiles {
    /// How many bytes of small files are kept in memory, at most. 0 keeps none. Default: 64 MiB.
    ///
    /// Each answer asks the system whether its file has changed, so the cache never shows an old one. What is compressed on the
    /// fly, kept or not, takes no more than this and 32 MiB: beyond that, files are sent as they are.
    #[must_use]
    pub fn cache_limit(mut self, bytes: usize) -> Self {
        self.cache = Cache::new(Cost { bytes, ..self.cache.limit() });
        self
    }

    /// How many files that are too large for memory are kept open, at most. 0 keeps none. Default: 128.
    ///
    /// Only files of up to 1 MiB are: to send a larger one costs so much that opening it does not count. Each answer asks the
    /// system whether the path still leads to the same file, unchanged.
    #[must_use]
    pub fn open_files_limit(mut self, files: usize) -> Self {
        self.cache = Cache::new(Cost { files, ..self.cache.limit() });
        self
    }

    /// All text is written in this charset, and no file is looked at to find out. Names are those of the WHATWG Encoding
    /// Standard, in any case: `utf-8`, `gbk`, `big5`, `shift_jis`, `windows-1251`; fails for another.
    ///
    /// ```
    /// use qibu::{StaticFiles, testing::TestClient};
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("old.txt"), b"caf\xE9")?;
    ///
    /// let client = TestClient::new(StaticFiles::new(folder.path()).charset("Latin1")?);
    /// assert_eq!(client.get("/old.txt").send().header("content-type"), Some("text/plain; charset=windows-1252"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn charset(mut self, name: &str) -> io::Result<Self> {
        let unknown = || {
            let message =
                format!("{name:?} is no charset that browsers know; utf-8, gbk, big5 and windows-1252 are some");
            io::Error::new(io::ErrorKind::InvalidInput, message)
        };
        self.charsets = Charsets::all(Charset::named(name).ok_or_else(unknown)?);
        Ok(self)
    }

    /// Never serves, nor lists, a file or folder of this name, wherever it lies beneath the root. Case does not count, as it
    /// does not on every file system. May be said several times.
    ///
    /// ```
    /// use qibu::{StaticFiles, testing::TestClient};
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("settings.toml"), "mine")?;
    ///
    /// let client = TestClient::new(StaticFiles::new(folder.path()).hide("settings.toml"));
    /// assert_eq!(client.get("/settings.toml").send().status(), 404);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn hide(mut self, name: impl Into<OsString>) -> Self {
        self.root.hide(name.into());
        self
    }

    /// Never serves, nor lists, this file, if it lies beneath the root: a log or a database of your own. Nor what leads to it (on
    /// unix), nor what is put away beside it under a longer name: with `access.log`, `access.log.1` and `access.log-2026.gz` are
    /// hidden, too. If it is a link, the same holds for what that leads to. Elsewhere its name means nothing.
    ///
    /// ```
    /// use qibu::{StaticFiles, testing::TestClient};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let log = folder.path().join("access.log");
    /// std::fs::write(&log, "GET /")?;
    ///
    /// let client = TestClient::new(StaticFiles::new(folder.path()).hide_file(&log));
    /// assert_eq!(client.get("/access.log").send().status(), 404);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn hide_file(mut self, path: impl AsRef<Path>) -> Self {
        self.root.hide_file(path.as_ref());
        self
    }

    /// `/about` is `about.html`, unless there is a file or a folder of that very name.
    ///
    /// ```
    /// use qibu::{StaticFiles, testing::TestClient};
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("about.html"), "<h1>About</h1>")?;
    ///
    /// let client = TestClient::new(StaticFiles::new(folder.path()).clean_urls());
    /// assert_eq!(client.get("/about").send().text(), "<h1>About</h1>");
    /// assert_eq!(client.get("/about/").send().header("location"), Some("/about"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn clean_urls(mut self) -> Self {
        self.clean_urls = CleanUrls::On;
        self
    }

    /// For an application whose routes are made in the browser: where nothing is found, who wants a page to look at gets
    /// `/index.html`, with status 200. A script, style or picture that is missing stays 404.
    ///
    /// ```
    /// use qibu::{StaticFiles, testing::TestClient};
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("index.html"), "<div id=app>")?;
    ///
    /// let client = TestClient::new(StaticFiles::new(folder.path()).single_page());
    /// assert_eq!(client.get("/orders/7").header("Sec-Fetch-Mode", "navigate").send().text(), "<div id=app>");
    /// assert_eq!(client.get("/app.js").header("Sec-Fetch-Mode", "no-cors").send().status(), 404);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn single_page(mut self) -> Self {
        self.single_page = SinglePage::On;
        self
    }

    /// Adds a header field to the files that a glob fits, in place of one of our own; the last rule for a name counts. What is
    /// looked at is the file that is sent: `*.html` fits `/about/`, too, if that is `about/index.html`. Fails if the glob or the
    /// field cannot be, and says why.
    ///
    /// Without a slash, a glob is for names in any folder; with one, it begins at the top: `/assets/**`.
    ///
    /// ```
    /// use qibu::{StaticFiles, testing::TestClient};
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("app-3f9a.js"), "run()")?;
    ///
    /// let files = StaticFiles::new(folder.path()).header("*-????.js", "cache-control", "max-age=31536000, immutable")?;
    /// let answer = TestClient::new(files).get("/app-3f9a.js").send();
    /// assert_eq!(answer.header("cache-control"), Some("max-age=31536000, immutable"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn header(mut self, files: &str, name: &str, value: &str) -> io::Result<Self> {
        self.rules.add(files, name, value)?;
        Ok(self)
    }

    /// Where this folder stands in its site, if it is mounted somewhere: the globs of [`Self::header`] see paths with this in
    /// front, so that the same rules can be given to all folders of a site.
    ///
    /// ```
    /// use qibu::{Router, StaticFiles, testing::TestClient};
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("a.txt"), "a")?;
    ///
    /// let docs = StaticFiles::new(folder.path()).at("/docs").header("/docs/**", "cache-control", "max-age=60")?;
    /// let answer = TestClient::new(Router::new().mount("/docs", docs)).get("/docs/a.txt").send();
    /// assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn at(mut self, prefix: &str) -> Self {
        self.rules.stand_at(prefix);
        self
    }
}
