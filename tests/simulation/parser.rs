//! Responses as a strict client reads them (RFC 9112). It shares no code with the server, takes bytes cut anywhere, and
//! forgives nothing: whatever is not a well-formed response is a fault of the server.

/// Reads one response after the other.
#[derive(Default)]
pub(crate) struct Parser {
    buffer: Vec<u8>,
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    Length(usize),
    ChunkSize,
    Chunk(usize),
    ChunkEnd,
    Trailers,
    UntilClose,
}

/// The next thing in a stream of responses.
#[derive(Debug)]
pub(crate) enum Piece {
    /// `100 Continue`, whole.
    Continue,
    Head(Head),
    Data(Vec<u8>),
    End,
}

#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
}

/// Whether the response answers HEAD, so that no body stands behind its head whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    HeadOnly,
    Body,
}

/// What is wrong with what came.
pub(crate) type Malformed = String;

impl Head {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    pub(crate) fn closes(&self) -> bool {
        self.field("connection") == Some("close")
    }

    pub(crate) fn length(&self) -> Option<usize> {
        self.field("content-length").map(|length| length.parse().expect("it was checked"))
    }

    pub(crate) fn is_chunked(&self) -> bool {
        self.field("transfer-encoding").is_some()
    }

    fn parse(text: &str) -> Result<Self, Malformed> {
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap_or_default();
        let (status, reason) = line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.split_at_checked(3))
            .ok_or_else(|| format!("no status line: {line:?}"))?;
        let is_reason = reason.starts_with(' ') && reason.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let status: u16 = status.parse().map_err(|_| format!("no status: {line:?}"))?;
        let fields = lines.map(field).collect::<Result<Vec<_>, _>>()?;
        let head = Self { status, fields };
        let is_valid = is_reason && (100..600).contains(&status);
        if is_valid { head.check() } else { Err(format!("no status line: {line:?}")) }
    }

    /// RFC 9110 §6.6.1, §8.6; RFC 9112 §6.
    fn check(self) -> Result<Self, Malformed> {
        let count = |name: &str| self.fields.iter().filter(|(known, _)| known == name).count();
        let is_plain_length = |length: &str| length.parse::<usize>().is_ok_and(|number| number.to_string() == length);
        let has_no_body = matches!(self.status, 100 | 204 | 304);
        let (lengths, codings) = (count("content-length"), count("transfer-encoding"));
        let wrong = if self.status == 100 {
            (!self.fields.is_empty()).then_some("fields in 100 Continue")
        } else if self.status < 200 {
            Some("an interim status that nobody asked for")
        } else if count("date") != 1 || self.field("date").is_none_or(|date| date.len() != 29) {
            Some("Date is missing, doubled or malformed")
        } else if lengths + codings > 1 {
            Some("more than one length")
        } else if has_no_body && lengths + codings > 0 {
            Some("the length of a body that cannot be")
        } else if self.field("content-length").is_some_and(|length| !is_plain_length(length)) {
            Some("a malformed Content-Length")
        } else if self.field("transfer-encoding").is_some_and(|coding| coding != "chunked") {
            Some("an unknown Transfer-Encoding")
        } else if count("connection") > 1 {
            Some("Connection is doubled")
        } else if !has_no_body && lengths + codings == 0 && !self.closes() {
            Some("no length, and the connection goes on")
        } else {
            None
        };
        wrong.map_or(Ok(()), |wrong| Err(format!("{wrong}: {self:?}")))?;
        Ok(self)
    }

    fn state_behind(&self, wants: Wants) -> State {
        match self.length() {
            _ if wants == Wants::HeadOnly || matches!(self.status, 204 | 304) => State::Length(0),
            Some(length) => State::Length(length),
            None if self.is_chunked() => State::ChunkSize,
            None => State::UntilClose,
        }
    }
}

fn field(line: &str) -> Result<(String, String), Malformed> {
    let malformed = || format!("a malformed field line: {line:?}");
    let (name, value) = line.split_once(": ").ok_or_else(malformed)?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let is_value = value.trim() == value && value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_name && is_value { Ok((name.into(), value.into())) } else { Err(malformed()) }
}

impl Parser {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether the last byte was the last of a response.
    pub(crate) fn is_between_responses(&self) -> bool {
        self.state == State::Head && self.buffer.is_empty()
    }

    /// How many bytes were not looked at yet.
    pub(crate) fn left(&self) -> usize {
        self.buffer.len()
    }

    /// Whether the end of the connection is the end of this response.
    pub(crate) fn ends_with_the_connection(&self) -> bool {
        self.state == State::UntilClose
    }

    /// The next piece, `None` where more bytes are needed. `wants` is asked when a head has come.
    pub(crate) fn next(&mut self, wants: Wants) -> Result<Option<Piece>, Malformed> {
        match self.state {
            State::Head => self.head(wants),
            State::Length(0) => Ok(Some(self.end())),
            State::Length(left) => Ok(self.data(left).map(|data| {
                self.state = State::Length(left - data.len());
                Piece::Data(data)
            })),
            State::UntilClose => Ok(self.data(usize::MAX).map(Piece::Data)),
            State::ChunkSize => self.chunk_size(),
            State::Chunk(left) => Ok(self.data(left).map(|data| {
                self.state = if data.len() == left { State::ChunkEnd } else { State::Chunk(left - data.len()) };
                Piece::Data(data)
            })),
            State::ChunkEnd => self.chunk_end(wants),
            State::Trailers => self.trailers(wants),
        }
    }

    fn head(&mut self, wants: Wants) -> Result<Option<Piece>, Malformed> {
        let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            let is_start = self.buffer.iter().zip(b"HTTP/1.1 ").all(|(byte, expected)| byte == expected);
            return if is_start { Ok(None) } else { Err(format!("no status line: {:?}", self.start())) };
        };
        let bytes: Vec<u8> = self.buffer.drain(..end + 4).collect();
        let text = String::from_utf8(bytes).map_err(|_| "a head that is not text")?;
        let head = Head::parse(&text[..end])?;
        if head.status == 100 {
            return Ok(Some(Piece::Continue));
        }
        self.state = head.state_behind(wants);
        Ok(Some(Piece::Head(head)))
    }

    fn chunk_size(&mut self) -> Result<Option<Piece>, Malformed> {
        let Some(line) = self.line(16)? else { return Ok(None) };
        let size = usize::from_str_radix(&line, 16).map_err(|_| format!("a malformed chunk size: {line:?}"))?;
        if format!("{size:x}") != line {
            return Err(format!("a strange chunk size: {line:?}"));
        }
        self.state = if size == 0 { State::Trailers } else { State::Chunk(size) };
        self.next(Wants::Body)
    }

    fn chunk_end(&mut self, wants: Wants) -> Result<Option<Piece>, Malformed> {
        match self.line(0)? {
            None => Ok(None),
            Some(_) => {
                self.state = State::ChunkSize;
                self.next(wants)
            }
        }
    }

    fn trailers(&mut self, wants: Wants) -> Result<Option<Piece>, Malformed> {
        match self.line(1000)? {
            None => Ok(None),
            Some(line) if line.is_empty() => Ok(Some(self.end())),
            Some(line) => {
                field(&line)?;
                self.next(wants)
            }
        }
    }

    fn end(&mut self) -> Piece {
        self.state = State::Head;
        Piece::End
    }

    fn data(&mut self, most: usize) -> Option<Vec<u8>> {
        let count = self.buffer.len().min(most);
        (count > 0).then(|| self.buffer.drain(..count).collect())
    }

    /// A line of at most `most` bytes, without its end.
    fn line(&mut self, most: usize) -> Result<Option<String>, Malformed> {
        let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") else {
            let is_possible = self.buffer.len() <= most + 1;
            return if is_possible { Ok(None) } else { Err(format!("a line without end: {:?}", self.start())) };
        };
        if end > most {
            return Err(format!("a line is too long: {:?}", self.start()));
        }
        let line: Vec<u8> = self.buffer.drain(..end + 2).take(end).collect();
        String::from_utf8(line).map(Some).map_err(|_| "a line that is not text".into())
    }

    fn start(&self) -> String {
        String::from_utf8_lossy(&self.buffer[..self.buffer.len().min(80)]).into_owned()
    }
}
