//! Forms with files: `multipart/form-data` (RFC 7578), a part at a time and never as a whole in memory.
//!
//! ```text
//!   body ──► buffer ──► Parser: what are the first bytes? ──► FormPart, an io::Read ──► text, or a file
//! ```
//!
//! Each number that a client could make large has a limit. A file's name is text that the client made up: only its last
//! component is given out, and it is still not to be used as the name of a file without a look at it.
//!
//! Whatever is sent has a reading or a 4xx, however it is cut: tests/multipart.rs tries it with anything that looks like a
//! form.
//!
//! Pattern: Iterator (pulled by the handler).

mod error;
mod head;
mod parser;
mod stream;

use std::fmt;
use std::io::{self, Read};

use self::error::MultipartError;
use self::head::PartHead;
use self::stream::Stream;
use super::{Error, Request};

impl Request {
    /// The parts of a form with files. Another kind of body is 415.
    ///
    /// Nothing is kept in memory but what you take: save large parts with [`FormPart::save_to`], or read them as the
    /// `io::Read` that they are. That blocks, so do it in [`blocking`](crate::blocking), or in [`streaming`](crate::streaming),
    /// where the parts come while the client sends them.
    ///
    /// ```
    /// use qibu::{Request, Result, blocking, testing::TestClient};
    ///
    /// fn upload(request: &mut Request) -> Result<String> {
    ///     let mut report = String::new();
    ///     let mut form = request.multipart()?.part_limit(1000);
    ///     while let Some(mut part) = form.next_part()? {
    ///         match part.file_name().map(str::to_owned) {
    ///             Some(file) => report += &format!("{file}: {} bytes\n", std::io::copy(&mut part, &mut std::io::sink())?),
    ///             None => report += &format!("{} = {}\n", part.name().to_owned(), part.text()?),
    ///         }
    ///     }
    ///     Ok(report)
    /// }
    /// let body = "--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nStairs\r\n\
    ///     --x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"../a.jpg\"\r\n\r\nJPEG\r\n--x--\r\n";
    /// let client = TestClient::new(blocking(upload));
    /// let answer = client.post("/").header("content-type", "multipart/form-data; boundary=x").body(body).send();
    /// assert_eq!(answer.text(), "title = Stairs\na.jpg: 4 bytes\n");
    /// ```
    pub fn multipart(&mut self) -> Result<Multipart<'_>, Error> {
        let boundary = head::boundary(self.header("content-type").unwrap_or_default());
        let boundary = boundary.map_err(MultipartError::into_error)?;
        Ok(Multipart { stream: Stream::new(self.body(), &boundary), memory_limit: 1024 * 1024 })
    }
}

/// The parts of a form, one after the other; made by [`Request::multipart`].
///
/// All limits are on top of the handler's [`body_limit`](crate::Plan::body_limit), and beyond each the client gets 413.
pub struct Multipart<'a> {
    stream: Stream<'a>,
    memory_limit: u64,
}

/// One part of a form: a field, or a file. It is an `io::Read` of its content.
pub struct FormPart<'m> {
    head: PartHead,
    /// Ends where the part does.
    content: &'m mut (dyn Read + 'm),
    memory_limit: u64,
}

impl Multipart<'_> {
    /// The longest part, in bytes. Default: as long as the body may be.
    #[must_use]
    pub fn part_limit(mut self, bytes: u64) -> Self {
        self.stream.limits.part = bytes;
        self
    }

    /// The most parts. Default: 100.
    #[must_use]
    pub fn count_limit(mut self, parts: usize) -> Self {
        self.stream.limits.count = parts;
        self
    }

    /// What all parts together may have, in bytes. Default: as much as the body may.
    #[must_use]
    pub fn total_limit(mut self, bytes: u64) -> Self {
        self.stream.limits.total = bytes;
        self
    }

    /// The longest part that [`FormPart::bytes`] and [`FormPart::text`] take, in bytes. Default: 1 MiB.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// The longest head of a part, in bytes: its names and fields. Default: 8 KiB; at most 32 KiB.
    #[must_use]
    pub fn head_limit(mut self, bytes: usize) -> Self {
        self.stream.set_head_limit(bytes);
        self
    }

    /// The next part, or `None` behind the last. What was not read of the one before is skipped.
    pub fn next_part(&mut self) -> Result<Option<FormPart<'_>>, Error> {
        let head = self.stream.next_head()?;
        Ok(head.map(|head| FormPart { head, content: &mut self.stream, memory_limit: self.memory_limit }))
    }
}

impl FormPart<'_> {
    /// The name of the form's field.
    pub fn name(&self) -> &str {
        &self.head.name
    }

    /// The name that the file had on the client's disk, if this part is a file: its last component, and `None` where that
    /// is no name (`..`, say, or one with control characters).
    ///
    /// It is for showing. Two clients may send the same one, and it may mean something to your program (`index.html`,
    /// `.htaccess`), so choose the names of your files yourself.
    pub fn file_name(&self) -> Option<&str> {
        self.head.safe_file_name()
    }

    /// The media type that the client says it has. It may say anything.
    pub fn content_type(&self) -> Option<&str> {
        self.head.content_type.as_deref()
    }

    /// The content in memory, up to [`Multipart::memory_limit`].
    pub fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        let mut content = Vec::new();
        // One byte more tells whether it is too long.
        (&mut *self.content).take(self.memory_limit.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() as u64 > self.memory_limit {
            let (name, limit) = (self.head.name.clone(), self.memory_limit);
            return Err(MultipartError::TooLargeForMemory { name, limit }.into_error());
        }
        Ok(content)
    }

    /// The same as text, which is UTF-8.
    pub fn text(&mut self) -> Result<String, Error> {
        let content = self.bytes()?;
        String::from_utf8(content).map_err(|_| MultipartError::NotText { name: self.head.name.clone() }.into_error())
    }
}

/// What is wrong with the form comes out as an error that `?` turns into its 4xx.
impl Read for FormPart<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.content.read(into)
    }
}

impl fmt::Debug for Multipart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multipart").finish_non_exhaustive()
    }
}

impl fmt::Debug for FormPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormPart").field("head", &self.head).finish_non_exhaustive()
    }
}
