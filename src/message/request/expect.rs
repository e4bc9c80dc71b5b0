//! A body of the kind that a handler wants, or 415.

use http::StatusCode;

use super::Request;
use crate::message::Error;

impl Request {
    /// 415 (RFC 9110 section 15.5.16) for a body of another kind.
    pub(crate) fn expect_media_type(&self, what: &str, is_right: impl Fn(&str) -> bool) -> Result<(), Error> {
        let media_type = self.media_type();
        if is_right(&media_type) {
            return Ok(());
        }
        let sent = if media_type.is_empty() { "nothing" } else { &media_type };
        let message = format!("{what} is expected, but the Content-Type says {sent}");
        Err(Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
    }
}
