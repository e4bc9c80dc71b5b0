//! Where the parts of a multipart body begin and end (RFC 2046 section 5.1): a machine that is given bytes, cut anywhere,
//! and says what the first of them are.
//!
//! ```text
//!              delimiter              line end           empty line
//!   Preamble ─────────────► Delimited ──────────► Head ────────────────► Content
//!                            │     ▲                  delimiter             │
//!                         -- │     └────────────────────────────────────────┘
//!                            ▼
//!                         Epilogue
//! ```
//!
//! It reads nothing and keeps nothing but its state: what it cannot use yet must come again, with more behind it.
//!
//! Pattern: State.

use memchr::memmem::Finder;

use super::error::MultipartError;
use super::head::PartHead;

pub(super) struct Parser {
    /// CR LF, two hyphens, the boundary. What stands before the CR LF is the content, byte for byte.
    delimiter: Finder<'static>,
    state: State,
    /// The longest head of a part, in bytes.
    pub(super) head_limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the very start, where the delimiter may come without its CR LF.
    PreambleStart,
    /// What stands before the first part means nothing (RFC 2046 section 5.1.1).
    Preamble,
    /// Behind a delimiter.
    Delimited,
    Head,
    /// Where a part without any content may have its delimiter, whose CR LF was the empty line.
    ContentStart,
    Content,
    /// Nor does what follows the last.
    Epilogue,
}

/// What the first bytes of the input are. The caller drops them before the next step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// That cannot be said before more has come.
    NeedsMore,
    /// So many bytes that mean nothing.
    Skip(usize),
    /// So many bytes that are the head of a part.
    Head(PartHead, usize),
    /// So many bytes of the part's content.
    Content(usize),
    /// So many bytes that end the part.
    PartEnd(usize),
    /// There are no more parts.
    End,
}

/// RFC 2046 §5.1.1 lets white space follow the boundary on its line; nobody sends much of it.
const MOST_PADDING_BYTES: usize = 256;

impl Parser {
    pub(super) fn new(boundary: &str, head_limit: usize) -> Self {
        let delimiter = Finder::new(&format!("\r\n--{boundary}")).into_owned();
        Self { delimiter, state: State::PreambleStart, head_limit }
    }

    pub(super) fn step(&mut self, input: &[u8]) -> Result<Step, MultipartError> {
        match self.state {
            State::PreambleStart => Ok(self.start(input, State::Preamble, Step::Skip)),
            State::Preamble => Ok(self.until_delimiter(input, Step::Skip, Step::Skip)),
            State::Delimited => self.delimited(input),
            State::Head => self.head(input),
            State::ContentStart => Ok(self.start(input, State::Content, Step::PartEnd)),
            State::Content => Ok(self.until_delimiter(input, Step::Content, Step::PartEnd)),
            State::Epilogue => Ok(Step::End),
        }
    }

    /// A delimiter without its CR LF, or what comes `otherwise`.
    fn start(&mut self, input: &[u8], otherwise: State, at: fn(usize) -> Step) -> Step {
        let dashes = &self.delimiter.needle()[2..];
        if input.starts_with(dashes) {
            self.state = State::Delimited;
            at(dashes.len())
        } else if dashes.starts_with(input) {
            Step::NeedsMore
        } else {
            self.state = otherwise;
            Step::Skip(0)
        }
    }

    /// `before` is what stands before the delimiter, `at` the delimiter itself.
    fn until_delimiter(&mut self, input: &[u8], before: fn(usize) -> Step, at: fn(usize) -> Step) -> Step {
        let needle = self.delimiter.needle();
        match self.delimiter.find(input) {
            Some(0) => {
                self.state = State::Delimited;
                at(needle.len())
            }
            Some(length) => before(length),
            // The input may end in the beginning of a delimiter.
            None => {
                let tail = input.len().saturating_sub(needle.len() - 1);
                let held = (tail..input.len()).find(|start| needle.starts_with(&input[*start..]));
                match held.unwrap_or(input.len()) {
                    0 => Step::NeedsMore,
                    length => before(length),
                }
            }
        }
    }

    fn delimited(&mut self, input: &[u8]) -> Result<Step, MultipartError> {
        let padding = input.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if padding > MOST_PADDING_BYTES {
            return Err(MultipartError::MalformedBoundary);
        }
        match &input[padding..] {
            [b'-', b'-', ..] if padding == 0 => {
                self.state = State::Epilogue;
                Ok(Step::End)
            }
            [b'\r', b'\n', ..] => {
                self.state = State::Head;
                Ok(Step::Skip(padding + 2))
            }
            [] | [b'\r'] => Ok(Step::NeedsMore),
            [b'-'] if padding == 0 => Ok(Step::NeedsMore),
            _ => Err(MultipartError::MalformedBoundary),
        }
    }

    fn head(&mut self, input: &[u8]) -> Result<Step, MultipartError> {
        let within = &input[..input.len().min(self.head_limit)];
        match memchr::memmem::find(within, b"\r\n\r\n") {
            Some(length) => {
                self.state = State::ContentStart;
                Ok(Step::Head(PartHead::parse(&within[..length])?, length + 4))
            }
            None if within.len() == self.head_limit => Err(MultipartError::HeadTooLarge { limit: self.head_limit }),
            None => Ok(Step::NeedsMore),
        }
    }
}
