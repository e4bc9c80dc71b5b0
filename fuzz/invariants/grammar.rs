//! The grammar of RFC 9110 and RFC 9112 as plainly as it can be said: slow, strict, on whole slices, and not one line of it
//! is the library's.

/// One name and value.
pub(crate) type Field = (String, Vec<u8>);

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// RFC 9110 section 5.5: visible text with white space inside, not around.
pub(crate) fn is_field_value(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)) && trim(bytes) == bytes
}

/// Without the optional white space around it (RFC 9110 section 5.6.3).
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// RFC 9112 section 5: the name is in lower case afterwards.
pub(crate) fn field(line: &[u8]) -> Option<Field> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
    let is_valid = is_token(name) && is_field_value(value);
    is_valid.then(|| (String::from_utf8_lossy(name).to_ascii_lowercase(), value.to_vec()))
}

/// A line without its CR LF, and what follows it.
pub(crate) fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&bytes[..end], &bytes[end + 2..]))
}

/// Field lines up to an empty line, and what follows that.
pub(crate) fn section(mut bytes: &[u8]) -> Option<(Vec<Field>, &[u8])> {
    let mut fields = Vec::new();
    loop {
        let (line, rest) = line(bytes)?;
        if line.is_empty() {
            return Some((fields, rest));
        }
        fields.push(field(line)?);
        bytes = rest;
    }
}

/// A body in chunks (RFC 9112 section 7.1), complete.
#[derive(Debug)]
pub(crate) struct Chunked<'a> {
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<Field>,
    /// What stands behind it.
    pub(crate) rest: &'a [u8],
    /// Of the longest chunk size.
    pub(crate) size_digits: usize,
    /// The bytes of all extensions, with the white space and semicolons before them.
    pub(crate) extension_bytes: usize,
    /// The length of the trailer section with the empty line.
    pub(crate) trailer_bytes: usize,
}

/// Takes chunks apart. `None`: malformed or incomplete.
pub(crate) fn dechunk(mut rest: &[u8]) -> Option<Chunked<'_>> {
    let (mut body, mut size_digits, mut extension_bytes) = (Vec::new(), 0, 0);
    loop {
        let (head, behind) = line(rest)?;
        let digits = head.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (size, extensions) = head.split_at(digits);
        let size = u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        if !is_extensions(extensions) {
            return None;
        }
        size_digits = size_digits.max(digits);
        extension_bytes += extensions.len();
        if size == 0 {
            let (trailers, rest) = section(behind)?;
            let trailer_bytes = behind.len() - rest.len();
            return Some(Chunked { body, trailers, rest, size_digits, extension_bytes, trailer_bytes });
        }
        let size = usize::try_from(size).ok()?;
        body.extend_from_slice(behind.get(..size)?);
        rest = behind[size..].strip_prefix(b"\r\n")?;
    }
}

/// `*( BWS ";" BWS name [ BWS "=" BWS value ] )` (RFC 9112 section 7.1.1).
fn is_extensions(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let Some(behind) = trim_start(bytes).strip_prefix(b";") else { return false };
        let Some(behind) = without_token(trim_start(behind)) else { return false };
        bytes = match trim_start(behind).strip_prefix(b"=") {
            None => behind,
            Some(value) => {
                let value = trim_start(value);
                let Some(behind) = without_token(value).or_else(|| without_quoted(value)) else { return false };
                behind
            }
        };
    }
    true
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

fn without_token(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| !is_token(&[*byte])).unwrap_or(bytes.len());
    (end > 0).then(|| &bytes[end..])
}

/// What follows a quoted string (RFC 9110 section 5.6.4).
fn without_quoted(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(b"\"")?;
    loop {
        rest = match rest {
            [b'"', behind @ ..] => return Some(behind),
            [b'\\', b'\t' | b' '..=b'~' | 0x80.., behind @ ..] => behind,
            [b'\t' | b' ' | b'!' | b'#'..=b'[' | b']'..=b'~' | 0x80.., behind @ ..] => behind,
            _ => return None,
        };
    }
}

/// Decodes `%41` and the like; `None` where two hexadecimal digits are missing.
pub(crate) fn percent_decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let [byte, behind @ ..] = rest {
        rest = behind;
        if *byte != b'%' {
            decoded.push(*byte);
            continue;
        }
        let [high, low, behind @ ..] = behind else { return None };
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        decoded.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
        rest = behind;
    }
    Some(decoded)
}
