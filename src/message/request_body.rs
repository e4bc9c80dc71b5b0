//! The body of a request, as an `io::Read`: whole in memory, or as it arrives.
//!
//! Pattern: Adapter (of what has come and what comes, to `io::Read`).

use std::any::Any;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::sync::LazyLock;

use bytes::Bytes;
use http::HeaderMap;

use super::BodySink;
use super::feed::Intake;

/// The body of a request, for handlers that read it piece by piece.
///
/// It is in memory as a whole, unless the handler's plan is [`Plan::stream`](crate::Plan::stream): then reading waits for
/// the client, and fails if the client breaks off or sends what is no body (the client has been answered then).
///
/// ```
/// use std::io::Read;
/// use qibu::{Request, Result, streaming, testing::TestClient};
///
/// let count = streaming(|request: &mut Request| -> Result<String> {
///     let bytes = std::io::copy(request.body(), &mut std::io::sink())?; // a file, as a rule
///     Ok(format!("{bytes} bytes"))
/// });
/// assert_eq!(TestClient::new(count).post("/").body(vec![0; 1_000_000]).send().text(), "1000000 bytes");
/// ```
#[derive(Default)]
pub struct RequestBody {
    source: Source,
    /// Few have any.
    trailers: Option<Box<HeaderMap>>,
}

enum Source {
    /// The head says that there is one. Who is asked for a plan sees no more of it.
    Announced,
    Whole {
        bytes: Bytes,
        /// How many of them were read.
        read: usize,
    },
    Arriving(Intake),
    /// Nothing is left of it but what was made of it.
    Taken(Box<dyn BodySink>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Whole { bytes: Bytes::new(), read: 0 }
    }
}

impl RequestBody {
    pub(crate) fn announced() -> Self {
        Self { source: Source::Announced, trailers: None }
    }

    pub(crate) fn whole(bytes: Bytes, trailers: HeaderMap) -> Self {
        Self { source: Source::Whole { bytes, read: 0 }, trailers: some(trailers) }
    }

    pub(crate) fn arriving(intake: Intake) -> Self {
        Self { source: Source::Arriving(intake), trailers: None }
    }

    pub(crate) fn taken(sink: Box<dyn BodySink>, trailers: HeaderMap) -> Self {
        Self { source: Source::Taken(sink), trailers: some(trailers) }
    }

    /// For another request. Most have no body, and what is empty need not be replaced.
    pub(crate) fn clear(&mut self) {
        let Self { source, trailers } = self;
        if !matches!(source, Source::Whole { bytes, .. } if bytes.is_empty()) {
            *source = Source::default();
        }
        *trailers = None;
    }

    /// Whether one follows of which nothing was looked at.
    pub(crate) fn is_announced(&self) -> bool {
        matches!(self.source, Source::Announced)
    }

    /// What has taken the body, if the plan gave it to one of this kind: [`Plan::sink`](crate::Plan::sink). The body reads as
    /// empty then.
    pub fn sink<S: BodySink>(&mut self) -> Option<&mut S> {
        match &mut self.source {
            Source::Taken(sink) => (&mut **sink as &mut dyn Any).downcast_mut(),
            Source::Announced | Source::Whole { .. } | Source::Arriving(_) => None,
        }
    }

    /// Gives what is left of it to `sink`, as it arrives, and keeps that in its place. Fails if the client breaks off.
    #[cfg_attr(not(feature = "auth"), expect(dead_code))]
    pub(crate) fn pour_into(&mut self, mut sink: Box<dyn BodySink>) -> io::Result<()> {
        loop {
            let piece = self.fill_buf()?;
            if piece.is_empty() || sink.take(piece).is_break() {
                break;
            }
            let count = piece.len();
            self.consume(count);
        }
        self.source = Source::Taken(sink);
        Ok(())
    }

    pub(crate) fn trailers(&self) -> &HeaderMap {
        static NONE: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);
        self.trailers.as_deref().unwrap_or(&NONE)
    }

    /// The whole body, or what is left of one that arrives; waits for its end.
    pub(crate) fn collect(&mut self) -> io::Result<&Bytes> {
        if let Source::Arriving(_) = self.source {
            let mut rest = Vec::new();
            self.read_to_end(&mut rest)?;
            self.source = Source::Whole { bytes: rest.into(), read: 0 };
        }
        static NOTHING: Bytes = Bytes::new();
        match &self.source {
            Source::Whole { bytes, .. } => Ok(bytes),
            Source::Announced | Source::Taken(_) => Ok(&NOTHING),
            Source::Arriving(_) => Err(io::Error::other("a body that was read to its end still arrives")),
        }
    }
}

fn some(trailers: HeaderMap) -> Option<Box<HeaderMap>> {
    (!trailers.is_empty()).then(|| trailers.into())
}

impl BufRead for RequestBody {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match &mut self.source {
            Source::Whole { bytes, read } => Ok(&bytes[*read..]),
            Source::Arriving(intake) => intake.fill(self.trailers.get_or_insert_default()),
            Source::Announced | Source::Taken(_) => Ok(&[]),
        }
    }

    fn consume(&mut self, count: usize) {
        match &mut self.source {
            Source::Whole { bytes, read } => *read = (*read + count).min(bytes.len()),
            Source::Arriving(intake) => intake.consume(count),
            Source::Announced | Source::Taken(_) => {}
        }
    }
}

impl Read for RequestBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let count = available.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Announced => f.write_str("a body that is announced"),
            Source::Whole { bytes, .. } => write!(f, "{} bytes", bytes.len()),
            Source::Arriving(_) => f.write_str("a body that arrives"),
            Source::Taken(sink) => sink.fmt(f),
        }
    }
}
