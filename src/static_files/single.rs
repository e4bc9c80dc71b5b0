//! `Response::file`: one file of the program's own choosing.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use http::StatusCode;
use http::header::{CONTENT_TYPE, LAST_MODIFIED};

use super::charset::{Charset, Charsets};
use super::conditional::Modified;
use super::media_type::{Characters, MediaType};
use crate::disk::Patience;
use crate::message::{Body, Response};

impl Response {
    /// 200 with a file: its length, media type and `Last-Modified`; the bytes go by `sendfile`. The path is the program's
    /// own. For paths that clients choose, and for ranges, conditions and compression, there is
    /// [`StaticFiles`](crate::StaticFiles).
    ///
    /// ```
    /// use qibu::{Request, Response, Result, testing::TestClient};
    ///
    /// fn terms(_: &mut Request) -> Result {
    ///     Ok(Response::file("Cargo.toml")?.with_header("content-disposition", "attachment; filename=terms.toml"))
    /// }
    /// assert_eq!(TestClient::new(terms).get("/").send().bytes(), std::fs::read("Cargo.toml")?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn file(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        // Before it is opened: opening a FIFO would wait for whoever writes into it.
        if !path.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} is no file", path.display())));
        }
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let media_type = MediaType::of_file(path, &mut file, metadata.len(), Patience::ForTheDisk)?;
        let charset = match media_type.characters {
            Characters::Text(text) => Charsets::default().of(&mut file, metadata.len(), text, None)?,
            Characters::Utf8 | Characters::Own => Charset::UTF_8,
        };
        let mut response = Self::new(StatusCode::OK).with_body(Body::file(file, 0..metadata.len()));
        response.headers_mut().insert(CONTENT_TYPE, media_type.field_value(charset));
        // A system that does not know, or a time before 1970, is none.
        if let Some(modified) = metadata.modified().ok().and_then(|time| Modified::at(time, SystemTime::now())) {
            response.headers_mut().insert(LAST_MODIFIED, modified.text);
        }
        Ok(response)
    }
}
