//! What is said over a WebSocket: text or bytes.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use tungstenite::Utf8Bytes;

/// One message. Clones share their bytes.
///
/// ```
/// use qibu::ws::Message;
///
/// assert_eq!(Message::from("seven steps").as_text(), Some("seven steps"));
/// assert_eq!(Message::from(vec![7]).as_text(), None);
/// assert_eq!(Message::from("steps").as_bytes(), b"steps");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text, which is always UTF-8.
    Text(Text),
    /// Any bytes.
    Binary(Bytes),
}

impl Message {
    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The bytes, of either kind.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The bytes, of either kind, without a copy.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(Text(text)) => text.into(),
            Self::Binary(bytes) => bytes,
        }
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(Text(text.into()))
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(Text(text.into()))
    }
}

impl From<Text> for Message {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

/// The text of a message: a `str` that several owners share without a copy.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text(pub(super) Utf8Bytes);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
