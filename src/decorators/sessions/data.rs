//! The values of a session, and their text in the cookie: `user=alice&theme=dark`, percent-encoded.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::message::Request;

/// The values of one visitor. What is changed before the handler returns is kept; an answer that comes later cannot
/// change it any more.
#[derive(Debug, Clone, Default)]
pub struct SessionData {
    values: BTreeMap<String, String>,
    pub(super) usage: Use,
}

/// What a request has done with its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Use {
    #[default]
    None,
    /// Nobody has changed it, but it must be signed anew.
    Stale,
    Read,
    Changed,
}

/// The values do not fit into a cookie any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionFull;

/// All values together, as they stand in the cookie, in bytes. With name, tag and attributes a cookie has 4096.
const MOST_BYTES: usize = 3800;

impl SessionData {
    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Sets a value. Fails, and changes nothing, if all values together are more than a cookie holds: some 3,800 letters and
    /// digits; other characters count three times or more.
    pub fn insert(&mut self, name: &str, value: impl Into<String>) -> Result<(), SessionFull> {
        let before = self.values.insert(name.to_owned(), value.into());
        if self.encode().len() > MOST_BYTES {
            match before {
                Some(before) => self.values.insert(name.to_owned(), before),
                None => self.values.remove(name),
            };
            return Err(SessionFull);
        }
        self.usage = Use::Changed;
        Ok(())
    }

    /// Removes a value, and gives it.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let removed = self.values.remove(name);
        if removed.is_some() {
            self.usage = Use::Changed;
        }
        removed
    }

    /// Removes all values; the browser forgets the cookie. A copy of the cookie that somebody has made stays good until its
    /// time is over.
    pub fn clear(&mut self) {
        self.values.clear();
        self.usage = Use::Changed;
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn encode(&self) -> String {
        let code = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<_> = self.values.iter().map(|(name, value)| format!("{}={}", code(name), code(value))).collect();
        pairs.join("&")
    }

    /// We have written the text ourselves: that was checked.
    pub(super) fn decode(text: &str, usage: Use) -> Self {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self { values: pairs.map(|(name, value)| (decode(name), decode(value))).collect(), usage }
    }
}

impl Request {
    /// The visitor's session, where a [`Sessions`](crate::sessions::Sessions) stands around the handler. Elsewhere it is
    /// empty, and what is put in is lost.
    pub fn session(&mut self) -> &mut SessionData {
        let session = self.extensions_mut().get_or_insert_default::<SessionData>();
        if session.usage == Use::None {
            session.usage = Use::Read;
        }
        session
    }
}

impl fmt::Display for SessionFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session's values do not fit into a cookie")
    }
}

impl std::error::Error for SessionFull {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_can_be_kept() {
        let mut data = SessionData::default();
        for (name, value) in [("a", ""), ("", "b"), ("&=;, .\"", "\r\n\0\u{4e03}%41"), ("user", "alice")] {
            data.insert(name, value).unwrap();
        }
        let text = data.encode();
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%&=".contains(&byte)), "{text}");
        assert_eq!(SessionData::decode(&text, Use::None).values, data.values);
        assert!(SessionData::decode("", Use::None).is_empty());
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let mut data = SessionData::default();
        data.insert("a", "x").unwrap();
        assert_eq!(data.insert("a", "x".repeat(4000)), Err(SessionFull));
        assert_eq!(data.insert("b", "\u{4e03}".repeat(500)), Err(SessionFull), "nine bytes each");
        assert_eq!((data.get("a"), data.get("b")), (Some("x"), None));
        assert_eq!(data.insert("b", "x".repeat(3700)), Ok(()));
    }
}
