//! One event, and how it is written (HTML standard, section 9.2.6).
//!
//! Pattern: Builder.

use std::fmt::Display;
use std::time::Duration;

use bytes::Bytes;

/// What an `EventSource` gets: data, and perhaps a name, an id, and how long to wait before coming back.
///
/// ```
/// use qibu::sse::Event;
///
/// let event = Event::new("two\nlines").named("news").id(7);
/// assert_eq!(event.into_bytes(), "event: news\nid: 7\ndata: two\ndata: lines\n\n");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Event {
    /// The lines before the data.
    fields: String,
    data: Option<String>,
}

impl Event {
    /// An event with this data. Line breaks of all three kinds arrive as `\n`.
    pub fn new(data: impl Into<String>) -> Self {
        Self { fields: String::new(), data: Some(data.into()) }
    }

    /// A comment: the client drops it.
    pub fn comment(text: impl AsRef<str>) -> Self {
        lines(text.as_ref()).fold(Self::default(), |event, line| event.field("", line))
    }

    /// Its name: `addEventListener(name, ...)` gets it in place of `onmessage`. Line breaks are left out.
    pub fn named(self, name: impl AsRef<str>) -> Self {
        self.field("event", name.as_ref())
    }

    /// What the client says in `Last-Event-ID` when it comes back. Line breaks are left out.
    pub fn id(self, id: impl Display) -> Self {
        self.field("id", &id.to_string())
    }

    /// How long the client shall wait before it comes back when the stream has ended; sent in milliseconds.
    pub fn retry(self, pause: Duration) -> Self {
        self.field("retry", &pause.as_millis().to_string())
    }

    /// As it is sent.
    pub fn into_bytes(self) -> Bytes {
        let mut text = self.fields;
        for line in self.data.iter().flat_map(|data| lines(data)) {
            push(&mut text, "data", line);
        }
        text.push('\n'); // an empty line ends it
        text.into()
    }

    /// A line break in a name or an id would begin a field, or even an event, of somebody else's making.
    fn field(mut self, name: &str, value: &str) -> Self {
        push(&mut self.fields, name, &value.replace(['\r', '\n'], ""));
        self
    }
}

impl From<&str> for Event {
    fn from(data: &str) -> Self {
        Self::new(data)
    }
}

impl From<String> for Event {
    fn from(data: String) -> Self {
        Self::new(data)
    }
}

fn push(text: &mut String, name: &str, value: &str) {
    *text += name;
    *text += ": ";
    *text += value;
    text.push('\n');
}

/// The standard knows three line ends: CR LF, LF and CR.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else { return rest.take() };
        let (line, after) = text.split_at(end);
        rest = after.strip_prefix("\r\n").or_else(|| after.get(1..));
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_is_a_line_of_its_own() {
        for (data, written) in [
            ("", "data: \n\n"),
            ("a", "data: a\n\n"),
            (" a", "data:  a\n\n"), // the client takes one space away
            ("a\nb", "data: a\ndata: b\n\n"),
            ("a\r\nb", "data: a\ndata: b\n\n"),
            ("a\rb", "data: a\ndata: b\n\n"),
            ("a\n", "data: a\ndata: \n\n"),
            ("a\r", "data: a\ndata: \n\n"),
            ("a\r\n\r\nb", "data: a\ndata: \ndata: b\n\n"),
            ("a\n\rb", "data: a\ndata: \ndata: b\n\n"),
        ] {
            assert_eq!(Event::new(data).into_bytes(), written, "{data:?}");
        }
    }

    #[test]
    fn nothing_can_be_smuggled_into_another_field() {
        let event = Event::new("x\n\nevent: forged").named("a\nid: 9").id("7\r\rdata: y");
        let written = "event: aid: 9\nid: 7data: y\ndata: x\ndata: \ndata: event: forged\n\n";
        assert_eq!(event.into_bytes(), written);
        assert_eq!(Event::comment("a\n\ndata: b").into_bytes(), ": a\n: \n: data: b\n\n");
    }

    #[test]
    fn a_pause_is_told_in_milliseconds() {
        assert_eq!(Event::default().retry(Duration::from_secs(3)).into_bytes(), "retry: 3000\n\n");
    }
}
