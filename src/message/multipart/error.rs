//! What is wrong with a body that should be `multipart/form-data`.

use std::fmt;

use http::StatusCode;

use crate::message::Error;

/// What the peer did wrong, a variant per rule; each knows the answer that tells it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MultipartError {
    /// The `Content-Type` is another, or has no `boundary` of 1 to 70 characters (RFC 2046 section 5.1.1).
    NotMultipart,
    /// The boundary is followed by something else than a line end (RFC 2046 section 5.1.1).
    MalformedBoundary,
    /// A part has fields that are none, or no `Content-Disposition: form-data; name=...` (RFC 7578 section 4.2).
    MalformedHead,
    /// The body ends before its last boundary.
    Truncated,
    /// The fields of one part are longer than we keep.
    HeadTooLarge {
        /// The setting, in bytes.
        limit: usize,
    },
    /// There are more parts than we take.
    TooManyParts {
        /// The setting, in parts.
        limit: usize,
    },
    /// One part is longer than we take.
    PartTooLarge {
        /// The part's name.
        name: String,
        /// The setting, in bytes.
        limit: u64,
    },
    /// One part is longer than what we take into memory.
    TooLargeForMemory {
        /// The part's name.
        name: String,
        /// The setting, in bytes.
        limit: u64,
    },
    /// All parts together are longer than we take.
    TotalTooLarge {
        /// The setting, in bytes.
        limit: u64,
    },
    /// A part that should be text is not UTF-8.
    NotText {
        /// The part's name.
        name: String,
    },
}

impl MultipartError {
    /// The answer that tells the peer what it did wrong.
    fn status(&self) -> StatusCode {
        match self {
            Self::NotMultipart => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MalformedBoundary | Self::MalformedHead | Self::Truncated | Self::NotText { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::HeadTooLarge { .. }
            | Self::TooManyParts { .. }
            | Self::PartTooLarge { .. }
            | Self::TooLargeForMemory { .. }
            | Self::TotalTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

impl fmt::Display for MultipartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMultipart => f.write_str("multipart/form-data with a boundary is expected"),
            Self::MalformedBoundary => f.write_str("the form has a boundary that does not end its line"),
            Self::MalformedHead => f.write_str("the form has a part without a name, or with malformed fields"),
            Self::Truncated => f.write_str("the form ends before its last boundary"),
            Self::HeadTooLarge { limit } => {
                write!(f, "the form has a part with fields over {limit} bytes (head_limit)")
            }
            Self::TooManyParts { limit } => write!(f, "the form has over {limit} parts (count_limit)"),
            Self::PartTooLarge { name, limit } => write!(f, "the form's `{name}` is over {limit} bytes (part_limit)"),
            Self::TooLargeForMemory { name, limit } => {
                write!(f, "the form's `{name}` is over {limit} bytes (memory_limit)")
            }
            Self::TotalTooLarge { limit } => write!(f, "the form is over {limit} bytes (total_limit)"),
            Self::NotText { name } => write!(f, "the form's `{name}` is not UTF-8 text"),
        }
    }
}

impl MultipartError {
    pub(super) fn into_error(self) -> Error {
        Error::new(self.status(), self.to_string())
    }
}
