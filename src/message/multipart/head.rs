//! The fields before a part's content: what it is called, and what it is (RFC 7578 section 4.2).

use super::error::MultipartError;

/// What is said of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartHead {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) content_type: Option<String>,
}

impl PartHead {
    /// Reads the field lines, without the empty line behind them.
    pub(super) fn parse(lines: &[u8]) -> Result<Self, MultipartError> {
        let lines = std::str::from_utf8(lines).map_err(|_| MultipartError::MalformedHead)?;
        let (mut disposition, mut content_type) = (None, None);
        for line in lines.split("\r\n") {
            let (name, value) = line.split_once(':').ok_or(MultipartError::MalformedHead)?;
            // Also keeps out a line that goes on with the one before it, which RFC 5322 once allowed.
            if name.is_empty()
                || !name.bytes().all(|byte| byte.is_ascii_graphic())
                || value.contains(['\r', '\n', '\0'])
            {
                return Err(MultipartError::MalformedHead);
            }
            let slot = match () {
                () if name.eq_ignore_ascii_case("content-disposition") => &mut disposition,
                () if name.eq_ignore_ascii_case("content-type") => &mut content_type,
                () => continue,
            };
            // Two of a kind: peers would disagree about which one counts.
            if slot.replace(value.trim()).is_some() {
                return Err(MultipartError::MalformedHead);
            }
        }
        let mut part = Self { name: String::new(), file_name: None, content_type: content_type.map(str::to_owned) };
        part.read_disposition(disposition.ok_or(MultipartError::MalformedHead)?)?;
        Ok(part)
    }

    fn read_disposition(&mut self, value: &str) -> Result<(), MultipartError> {
        let (kind, parameters) = value.split_once(';').ok_or(MultipartError::MalformedHead)?;
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return Err(MultipartError::MalformedHead);
        }
        let mut name = None;
        for (key, value) in read_parameters(parameters).ok_or(MultipartError::MalformedHead)? {
            let slot = match () {
                () if key.eq_ignore_ascii_case("name") => &mut name,
                () if key.eq_ignore_ascii_case("filename") => &mut self.file_name,
                // RFC 7578 §4.2: `filename*` is not to be used.
                () => continue,
            };
            if slot.replace(value).is_some() {
                return Err(MultipartError::MalformedHead);
            }
        }
        self.name = name.ok_or(MultipartError::MalformedHead)?;
        Ok(())
    }

    /// What is left of the file name when nothing in it can be a path: see [`FormPart::file_name`](super::FormPart).
    pub(super) fn safe_file_name(&self) -> Option<&str> {
        let name = self.file_name.as_deref()?.rsplit(['/', '\\', ':']).next()?.trim_end_matches(['.', ' ']);
        (!name.is_empty() && !name.contains(char::is_control)).then_some(name)
    }
}

/// The `boundary` of a Content-Type that is `multipart/form-data`.
pub(super) fn boundary(content_type: &str) -> Result<String, MultipartError> {
    let (media_type, parameters) = content_type.split_once(';').ok_or(MultipartError::NotMultipart)?;
    if !media_type.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Err(MultipartError::NotMultipart);
    }
    let mut parameters = read_parameters(parameters).ok_or(MultipartError::NotMultipart)?.into_iter();
    let boundary = parameters.find(|(key, _)| key.eq_ignore_ascii_case("boundary")).map(|(_, value)| value);
    // RFC 2046 §5.1.1: 1 to 70 of these.
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    boundary
        .filter(|boundary| {
            (1..=70).contains(&boundary.len()) && boundary.bytes().all(is_right) && !boundary.ends_with(' ')
        })
        .ok_or(MultipartError::NotMultipart)
}

/// `a=b; c="d e"` (RFC 9110 section 5.6.6), with names as they stand.
fn read_parameters(mut rest: &str) -> Option<Vec<(&str, String)>> {
    let mut parameters = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            return Some(parameters);
        }
        let (name, behind) = rest.split_once('=')?;
        let value;
        (value, rest) = match behind.strip_prefix('"') {
            Some(quoted) => read_quoted(quoted)?,
            None => {
                let (value, rest) = behind.split_at(behind.find(';').unwrap_or(behind.len()));
                (value.trim().to_owned(), rest)
            }
        };
        parameters.push((name.trim(), value));
    }
}

/// What stands before the closing quote, and what behind. Browsers write a quote as `%22` and send a backslash as it is;
/// others write `\"`. So a backslash is an escape before a quote only.
fn read_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let behind = text[at + 1..].trim_start();
                return (behind.is_empty() || behind.starts_with(';')).then_some((value, behind));
            }
            '\\' if matches!(characters.peek(), Some((_, '"'))) => {
                value.push('"');
                characters.next();
            }
            other => value.push(other),
        }
    }
    None
}
