//! The head of a request in one buffer, and the places of its names and values.

use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The head as it came: the target of its request line, and its field lines with the places of names and values.
#[derive(Default)]
pub(crate) struct RawHead {
    /// Path and query. It begins with the path, though it was sent in absolute-form.
    pub(crate) target: String,
    /// How long the path is. What follows is the `?` of the query, or nothing: `/a?` and `/a` are two targets.
    pub(crate) path_end: u32,
    pub(crate) bytes: Vec<u8>,
    pub(crate) fields: Vec<FieldLine>,
}

/// A stretch of a head's target or of its fields. A head is far below 4 GiB.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldLine {
    pub(crate) name: Span,
    pub(crate) value: Span,
}

impl RawHead {
    pub(crate) fn slice(&self, span: Span) -> &[u8] {
        &self.bytes[span.start as usize..span.end as usize]
    }

    /// Whether that is the field's name. Most names differ in their length, and are not looked at.
    #[inline]
    pub(super) fn is_named(&self, field: &FieldLine, name: &str) -> bool {
        field.name.length() == name.len() && is_named(self.slice(field.name), name.as_bytes())
    }

    /// Forgets its content, but keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.target.clear();
        self.bytes.clear();
        self.fields.clear();
    }

    /// Keeps bytes that did not come as a field line, and tells where.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        Span::from(start..self.bytes.len())
    }

    pub(super) fn in_target(&self, span: Span) -> &str {
        &self.target[span.start as usize..span.end as usize]
    }

    /// A field that `http` would not take is left out; none is known that our own parser lets through.
    pub(super) fn to_map(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(self.fields.len());
        for field in &self.fields {
            let name = HeaderName::from_bytes(self.slice(field.name));
            let value = HeaderValue::from_bytes(self.slice(field.value));
            if let (Ok(name), Ok(value)) = (name, value) {
                map.append(name, value);
            }
        }
        map
    }
}

/// Whether a field's name is this one, in any case (RFC 9110 section 5.1). It is soon said that it is written as in our
/// question, which therefore is best written as clients do.
#[inline]
pub(crate) fn is_named(written: &[u8], name: &[u8]) -> bool {
    written == name || written.eq_ignore_ascii_case(name)
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        let place = |at: usize| u32::try_from(at).expect("a head is far below 4 GiB");
        Self { start: place(range.start), end: place(range.end) }
    }
}

impl Span {
    fn length(self) -> usize {
        (self.end - self.start) as usize
    }

    /// The same stretch, of a buffer in which it begins so much later.
    pub(crate) fn moved_by(self, bytes: u32) -> Self {
        Self { start: self.start + bytes, end: self.end + bytes }
    }
}
