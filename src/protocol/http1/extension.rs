//! Chunk extensions (RFC 9112 section 7.1.1): nobody uses them, and what one of them means is ignored; but whoever reads over
//! them less strictly than their grammar sees another end of a line than a stricter reader does.
//!
//! ```text
//!            ;              token            =                token
//!   Bws ──────► BeforeName ──────► Name ────────► BeforeValue ──────► Token ── space ──► Bws
//!                                   │              ▲      │
//!                                   └─► AfterName ─┘      └─ " ─► Quoted ─ " ─► AfterQuoted ── space ──► Bws
//!                                 space            =
//! ```
//!
//! From all behind a name or a value a semicolon leads to `BeforeName` again.
//!
//! Pattern: State.

/// Where in the extensions behind one chunk size we are. Bad white space (BWS) may stand before `;` and around `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extension {
    /// White space behind the size or a value, which only another extension may follow.
    Bws,
    /// Behind `;`.
    BeforeName,
    Name,
    /// White space behind the name.
    AfterName,
    /// Behind `=`.
    BeforeValue,
    Token,
    /// In a quoted string (RFC 9110 section 5.6.4).
    Quoted,
    /// Behind a backslash in it.
    Escaped,
    /// Behind its end.
    AfterQuoted,
}

impl Extension {
    /// What a byte behind the size begins; `None` if it begins no extension.
    pub(super) fn begin(byte: u8) -> Option<Self> {
        Self::Bws.next(byte)
    }

    /// Where `byte` leads; `None` if it must not stand here.
    pub(super) fn next(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Quoted, b'"') => Some(Self::AfterQuoted),
            (Self::Quoted, b'\\') => Some(Self::Escaped),
            (Self::Quoted | Self::Escaped, b'\t' | b' '..=b'~' | 0x80..) => Some(Self::Quoted),
            (Self::BeforeName | Self::Name, _) if is_token(byte) => Some(Self::Name),
            (Self::BeforeValue | Self::Token, _) if is_token(byte) => Some(Self::Token),
            (Self::BeforeValue, b'"') => Some(Self::Quoted),
            (Self::Name | Self::AfterName, b'=') => Some(Self::BeforeValue),
            (Self::BeforeName | Self::BeforeValue | Self::Bws | Self::AfterName, b' ' | b'\t') => Some(self),
            (Self::Name, b' ' | b'\t') => Some(Self::AfterName),
            (Self::Token | Self::AfterQuoted, b' ' | b'\t') => Some(Self::Bws),
            (Self::Bws | Self::Name | Self::AfterName | Self::Token | Self::AfterQuoted, b';') => {
                Some(Self::BeforeName)
            }
            _ => None,
        }
    }

    /// Whether the line may end here.
    pub(super) fn may_end(self) -> bool {
        matches!(self, Self::Name | Self::Token | Self::AfterQuoted)
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
