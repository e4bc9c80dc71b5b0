//! Requests and answers of HTTP/1.1, as a client that trusts nothing would read them.

use crate::client::{Client, Judged};

/// An answer that was taken from a connection.
pub(crate) struct Answer {
    /// `1.1`
    pub(crate) version: String,
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn get(&mut self, path: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: stage\r\n\r\n"));
    }

    pub(crate) fn post(&mut self, path: &str, body: &str) {
        let length = body.len();
        self.send(format!(
            "POST {path} HTTP/1.1\r\nHost: stage\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
        ));
        self.send(body);
    }

    /// The next answer: its head, and as much body as it promises.
    pub(crate) fn answer(&mut self, why: &str) -> Result<Answer, String> {
        let head_end = |came: &[u8]| came.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4);
        let silence = self.read_until(|came| head_end(came).is_some());
        let Some(end) = head_end(self.came()) else {
            let wanted = "HTTP/1.1 STATUS REASON, fields, and an empty line; all lines end in \\r\\n";
            let why = if self.came().is_empty() { why } else { "the head of an answer, to its end: an empty line." };
            return Err(self.lesson(wanted.as_bytes(), silence, why));
        };
        let head = String::from_utf8_lossy(&self.came()[..end]).into_owned();
        let Some((version, status, fields)) = parse(&head) else {
            return Err(self.lesson(b"HTTP/1.1 STATUS REASON, and lines of `Name: value`", None, why));
        };
        let mut answer = Answer { version, status, fields, body: String::new() };
        let Some(length) = answer.field("content-length").and_then(|length| length.parse::<usize>().ok()) else {
            return Err(self.lesson(
                b"a field Content-Length",
                None,
                "without it the client cannot tell where the body ends.",
            ));
        };
        let silence = self.read_until(|came| came.len() >= end + length);
        if silence.is_some() {
            let wanted = format!("a body of {length} bytes, as Content-Length says");
            return Err(self.lesson(
                wanted.as_bytes(),
                silence,
                "Content-Length counts the bytes of the body, not its characters.",
            ));
        }
        answer.body = String::from_utf8_lossy(&self.take(end + length)[end..]).into_owned();
        Ok(answer)
    }
}

impl Answer {
    /// The value of a field; its name in small letters.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    pub(crate) fn has_status(&self, wanted: u16, of: &str) -> Judged {
        if self.status == wanted {
            return Ok(());
        }
        Err(format!(
            "    I sent      {of}\n    I expected  status {wanted}\n    There came  {}: {:?}",
            self.status, self.body
        ))
    }
}

/// The version, the status, and the fields.
type Head = (String, u16, Vec<(String, String)>);

fn parse(head: &str) -> Option<Head> {
    let mut lines = head.trim_end().split("\r\n");
    let (version, rest) = lines.next()?.strip_prefix("HTTP/")?.split_once(' ')?;
    let status = rest.split(' ').next()?.parse().ok()?;
    let fields =
        lines.map(|line| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())));
    Some((version.to_owned(), status, fields.collect::<Option<_>>()?))
}
