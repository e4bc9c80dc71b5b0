//! A client that remembers what it sent, and can tell what it expected.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use encoding_rs::GBK;

use crate::program::Patience;

/// A lesson, where something was wrong.
pub(crate) type Judged = Result<(), String>;

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    sent: Vec<u8>,
    /// What came behind what was expected so far.
    ahead: Vec<u8>,
}

impl Client {
    pub(crate) fn new(stream: TcpStream, patience: Patience) -> Result<Self, String> {
        let prepare = |stream: &TcpStream| {
            stream.set_nodelay(true)?;
            stream.set_write_timeout(Some(patience.to_answer()))?;
            stream.set_read_timeout(Some(patience.to_answer()))
        };
        prepare(&stream).map_err(|error| error.to_string())?;
        Ok(Self { stream, sent: Vec::new(), ahead: Vec::new() })
    }

    /// Sends, and is not surprised when the peer has gone: what it answered says more.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.sent.extend(bytes.as_ref());
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Says that nothing more will come.
    pub(crate) fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The next bytes are these.
    pub(crate) fn expect(&mut self, wanted: impl AsRef<[u8]>, why: &str) -> Judged {
        let wanted = wanted.as_ref();
        let silence = self.read_until(|came| came.len() >= wanted.len() || !wanted.starts_with(came));
        if !self.ahead.starts_with(wanted) {
            return Err(self.lesson(wanted, silence, why));
        }
        self.ahead.drain(..wanted.len());
        Ok(())
    }

    /// Nothing more comes, and the connection ends.
    pub(crate) fn expect_end(&mut self, why: &str) -> Judged {
        const END: &[u8] = b"(the end of the connection)";
        match self.read_until(|came| !came.is_empty()) {
            Some(Silence::Ended) => Ok(()),
            Some(Silence::Waiting) | None => Err(self.lesson(END, Some(Silence::Waiting), why)),
            Some(reset) => {
                Err(self.lesson(END, Some(reset), "the answer was right; read the message before you close."))
            }
        }
    }

    /// Takes what comes until this is satisfied, or why it never was.
    pub(crate) fn read_until(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> Option<Silence> {
        let mut piece = [0; 64 * 1024];
        while !is_enough(&self.ahead) {
            match self.stream.read(&mut piece) {
                Ok(0) => return Some(Silence::Ended),
                Ok(count) => self.ahead.extend(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut].contains(&error.kind()) => {
                    return Some(Silence::Waiting);
                }
                Err(error) => return Some(Silence::Broken(error)),
            }
        }
        None
    }

    pub(crate) fn came(&self) -> &[u8] {
        &self.ahead
    }

    pub(crate) fn take(&mut self, count: usize) -> Vec<u8> {
        self.ahead.drain(..count).collect()
    }

    /// What was sent, expected, and came; and what that means.
    pub(crate) fn lesson(&self, wanted: &[u8], silence: Option<Silence>, why: &str) -> String {
        let (then, means) = silence.map_or_else(Default::default, |silence| silence.tell(&self.ahead));
        let (sent, wanted, came) = (shown(&self.sent), shown(wanted), shown(&self.ahead));
        format!(
            "    I sent      {sent}\n    I expected  {wanted}\n    There came  {came}{then}\n\nIt means: {means}{why}"
        )
    }
}

/// Why nothing more comes.
pub(crate) enum Silence {
    Ended,
    Waiting,
    Broken(io::Error),
}

impl Silence {
    /// What comes after what came, and what it means, before anything else is said of it.
    fn tell(&self, came: &[u8]) -> (String, &'static str) {
        match (self, came) {
            (Self::Ended, b"") => (
                ", and then the end of the connection".into(),
                "your program has closed it without an answer, or it failed.\nWanted is this: ",
            ),
            (Self::Ended, _) => (
                ", and then the end of the connection".into(),
                "that is not all, and your program has closed it.\nWanted is this: ",
            ),
            (Self::Waiting, b"") => (
                ", however long I waited".into(),
                "your program has not answered yet, it waits for something.\nWanted is this: ",
            ),
            (Self::Waiting, _) => (", and then nothing, however long I waited".into(), ""),
            (Self::Broken(error), _) => (
                format!(", and then an error: {error}"),
                "your program has ended, or it has closed the connection with bytes that it had not read: then the system\n\
                resets it.\nWanted is this: ",
            ),
        }
    }
}

/// Bytes as a person reads them, and in which encoding they can be read.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 300;
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    if bytes.len() > MOST {
        return format!("{}… ({} bytes)", shown(&bytes[..40]), bytes.len());
    }
    match str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => format!("{text:?}"),
        Ok(text) => format!("{text:?} in UTF-8"),
        Err(_) => match GBK.decode_without_bom_handling_and_without_replacement(bytes) {
            Some(text) => format!("{text:?} in GBK"),
            None => format!("\"{}\"", bytes.escape_ascii()),
        },
    }
}
