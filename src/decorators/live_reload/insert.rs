//! Puts the script into a body, whatever that is made of: what is in memory at once, a file between two stretches of it, a
//! stream as soon as enough of it has come ([`place`]).

use std::io::{self, Read};

use bytes::{Buf, Bytes};

use super::place::{self, Place};
use crate::disk;
use crate::message::{Body, Coder, FileSlice, Kind, Part};

/// What is put into a page, in the page's charset.
pub(super) struct Script {
    text: String,
    width: Width,
}

/// How a charset writes ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// As ASCII.
    One,
    /// UTF-16.
    TwoLittle,
    TwoBig,
}

/// No beginning is longer, in bytes: a licence in a comment, say.
const BEGINNING_BYTES: usize = 64 * 1024;

const BYTE_ORDER_MARK: u16 = 0xFEFF;

/// What stands for a letter that is not ASCII while tags are looked for.
const OTHER: u8 = b'x';

impl Script {
    pub(super) fn new(text: String, content_type: &str) -> Self {
        let content_type = content_type.to_ascii_lowercase();
        let charset = content_type.split_once("charset=").map_or("", |(_, rest)| rest.trim_matches(['"', ' ']));
        let width = match charset {
            "utf-16" | "utf-16le" => Width::TwoLittle,
            "utf-16be" => Width::TwoBig,
            _ => Width::One,
        };
        Self { text, width }
    }

    /// The same body with the script in it. What is no body (a promise, an upgrade) is left as it is.
    pub(super) fn put_into(self, body: Body) -> Body {
        match body.kind {
            Kind::Bytes(bytes) => self.into_document(&bytes).into(),
            Kind::Made(bytes) => self.into_document(&bytes).into(),
            Kind::File(slice) => self.into_parts(vec![Part::File(slice)]),
            Kind::Parts(parts) => self.into_parts(parts),
            Kind::Reader(reader) => {
                let len = reader.len().map(|len| len + self.bytes().len() as u64);
                Body::reader(Reading { reader, beginning: Some(Beginning::of(self)), ready: Bytes::new() }, len)
            }
            Kind::Channel(mut receiver) if receiver.coder.is_none() => {
                receiver.coder = Some(Box::new(Stream { beginning: Some(Beginning::of(self)) }));
                Body { kind: Kind::Channel(receiver) }
            }
            kind => Body { kind }.append(self.bytes()),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self.width {
            Width::One => self.text.as_bytes().into(),
            Width::TwoLittle => self.text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Width::TwoBig => self.text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }

    /// Where it goes in a document of which this much has come.
    fn place(&self, document: &[u8]) -> Place {
        let unit: fn([u8; 2]) -> u16 = match self.width {
            Width::One => return place::find(document),
            Width::TwoLittle => u16::from_le_bytes,
            Width::TwoBig => u16::from_be_bytes,
        };
        let narrow = |unit: u16| u8::try_from(unit).ok().filter(u8::is_ascii).unwrap_or(OTHER);
        let (pairs, _) = document.as_chunks();
        let units = pairs.iter().map(|pair| unit(*pair));
        let mark = usize::from(units.clone().next() == Some(BYTE_ORDER_MARK));
        let text: Vec<u8> = units.skip(mark).map(narrow).collect();
        match place::find(&text) {
            Place::Certain(at) => Place::Certain(2 * (mark + at)),
            Place::SoFar(at) => Place::SoFar(2 * (mark + at)),
        }
    }

    fn into_document(self, document: &[u8]) -> Vec<u8> {
        let (Place::Certain(at) | Place::SoFar(at)) = self.place(document);
        [&document[..at], &self.bytes(), &document[at..]].concat()
    }

    fn into_parts(self, parts: Vec<Part>) -> Body {
        let (Place::Certain(at) | Place::SoFar(at)) = self.place(&beginning(&parts));
        let (mut before, mut behind, mut left) = (Vec::new(), Vec::new(), at as u64);
        for part in parts {
            let (first, second) = split(part, left);
            left -= len(&first);
            before.push(first);
            behind.push(second);
        }
        before.push(Part::Bytes(self.bytes().into()));
        Body::parts(before.into_iter().chain(behind).filter(|part| len(part) > 0).collect())
    }
}

/// What a body begins with. Of a file it was just opened, so the system most likely has it in its memory.
fn beginning(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let most = BEGINNING_BYTES.saturating_sub(bytes.len());
        match part {
            Part::Bytes(part) => bytes.extend_from_slice(&part[..part.len().min(most)]),
            Part::File(slice) => bytes.extend(read(slice, most)),
        }
    }
    bytes
}

/// Whoever sends the file finds out if it cannot be read.
fn read(slice: &FileSlice, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(slice.length).unwrap_or(usize::MAX).min(most)];
    let count = disk::read_at(&slice.file, &mut bytes, slice.offset).unwrap_or_default();
    bytes.truncate(count);
    bytes
}

fn len(part: &Part) -> u64 {
    match part {
        Part::Bytes(bytes) => bytes.len() as u64,
        Part::File(slice) => slice.length,
    }
}

/// So many bytes of it, if it has them, and the rest.
fn split(part: Part, at: u64) -> (Part, Part) {
    let at = at.min(len(&part));
    match part {
        Part::Bytes(mut bytes) => {
            let rest = bytes.split_off(usize::try_from(at).expect("it lies in memory"));
            (Part::Bytes(bytes), Part::Bytes(rest))
        }
        Part::File(FileSlice { file, offset, length }) => {
            let first = FileSlice { file: file.clone(), offset, length: at };
            (Part::File(first), Part::File(FileSlice { file, offset: offset + at, length: length - at }))
        }
    }
}

/// What has come of a document, until it is clear where the script goes.
struct Beginning {
    script: Script,
    document: Vec<u8>,
}

impl Beginning {
    fn of(script: Script) -> Self {
        Self { script, document: Vec::new() }
    }

    /// Takes the next piece. Once the place is clear: all that has come, with the script in it.
    fn add(mut self, piece: &[u8]) -> Result<Vec<u8>, Self> {
        self.document.extend_from_slice(piece);
        let is_clear = || matches!(self.script.place(&self.document), Place::Certain(_));
        if self.document.len() >= BEGINNING_BYTES || is_clear() { Ok(self.end()) } else { Err(self) }
    }

    fn end(self) -> Vec<u8> {
        self.script.into_document(&self.document)
    }
}

/// A stream with the script in it.
struct Stream {
    /// `None` once it is sent.
    beginning: Option<Beginning>,
}

impl Coder for Stream {
    fn piece(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        let Some(beginning) = self.beginning.take() else { return Ok(piece.into()) };
        Ok(beginning.add(piece).unwrap_or_else(|beginning| {
            self.beginning = Some(beginning);
            Vec::new()
        }))
    }

    fn end(self: Box<Self>) -> io::Result<Vec<u8>> {
        Ok(self.beginning.map_or_else(Vec::new, Beginning::end))
    }
}

/// The same for what is read.
struct Reading<R> {
    reader: R,
    /// `None` once it is ready.
    beginning: Option<Beginning>,
    ready: Bytes,
}

impl<R: Read> Reading<R> {
    /// Reads until the beginning is ready. The place in the buffer is only borrowed.
    fn find_place(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        while let Some(beginning) = self.beginning.take() {
            let read = self.reader.read(buffer);
            match read.as_ref().map(|count| &buffer[..*count]) {
                Ok([]) => self.ready = beginning.end().into(),
                Ok(piece) => match beginning.add(piece) {
                    Ok(ready) => self.ready = ready.into(),
                    Err(beginning) => self.beginning = Some(beginning),
                },
                Err(_) => {
                    self.beginning = Some(beginning); // it may only have been interrupted
                    return read.map(|_| ());
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Reading<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.find_place(buffer)?;
        if self.ready.is_empty() {
            return self.reader.read(buffer);
        }
        let count = self.ready.len().min(buffer.len());
        self.ready.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "<script></script>";

    fn script(content_type: &str) -> Script {
        Script::new(SCRIPT.into(), content_type)
    }

    fn in_memory(document: &[u8], content_type: &str) -> Vec<u8> {
        script(content_type).put_into(Body::from(document.to_vec())).as_bytes().unwrap().into()
    }

    fn utf_16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn utf_16_is_read_and_written_as_such() {
        let swapped =
            |bytes: Vec<u8>| bytes.as_chunks().0.iter().flat_map(|[low, high]| [*high, *low]).collect::<Vec<_>>();
        for mark in ["", "\u{FEFF}"] {
            let (page, wanted) =
                (format!("{mark}<!doctype html><p>七步"), format!("{mark}<!doctype html>{SCRIPT}<p>七步"));
            let (page, wanted) = (utf_16(&page), utf_16(&wanted));
            assert_eq!(in_memory(&page, "text/html; charset=UTF-16LE"), wanted);
            assert_eq!(in_memory(&swapped(page), "text/html;charset=\"utf-16be\""), swapped(wanted));
        }
        assert_eq!(in_memory(b"<html>\xC6\xDF", "text/html; charset=gbk"), b"<html><script></script>\xC6\xDF");
        assert_eq!(in_memory(b"", "text/html"), SCRIPT.as_bytes());
    }

    /// All that a reader gives that has one byte at a time.
    fn read_bytewise(document: &[u8]) -> Vec<u8> {
        struct Bytewise<'a>(&'a [u8]);
        impl Read for Bytewise<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let most = buffer.len().min(1);
                self.0.read(&mut buffer[..most])
            }
        }
        let beginning = Some(Beginning::of(script("text/html")));
        let mut reading = Reading { reader: Bytewise(document), beginning, ready: Bytes::new() };
        let mut read = Vec::new();
        reading.read_to_end(&mut read).unwrap();
        read
    }

    fn streamed_bytewise(document: &[u8]) -> Vec<u8> {
        let mut stream = Box::new(Stream { beginning: Some(Beginning::of(script("text/html"))) });
        let mut sent: Vec<u8> = document.chunks(1).flat_map(|piece| stream.piece(piece).unwrap()).collect();
        sent.extend(stream.end().unwrap());
        sent
    }

    #[test]
    fn all_kinds_of_bodies_get_it_at_the_same_place() {
        for document in
            ["", "<p>x", "<!doctype html>\n<html lang=\"a>\"><head>\n<title>x", "<!-- unfinished", "<!doctype h"]
        {
            let wanted = in_memory(document.as_bytes(), "text/html");
            assert_eq!(read_bytewise(document.as_bytes()), wanted, "{document}");
            assert_eq!(streamed_bytewise(document.as_bytes()), wanted, "{document}");
            let parts = document.as_bytes().chunks(4).map(|piece| Part::Bytes(Bytes::copy_from_slice(piece)));
            let body = script("text/html").put_into(Body::parts(parts.collect()));
            let Kind::Parts(parts) = body.kind else { panic!("parts stay parts") };
            let bytes = parts.iter().map(|part| match part {
                Part::Bytes(bytes) => &bytes[..],
                Part::File(_) => panic!("there is no file"),
            });
            assert_eq!(bytes.collect::<Vec<_>>().concat(), wanted, "{document}");
        }
    }

    #[test]
    fn a_beginning_without_an_end_is_not_kept_for_ever() {
        let endless = "<!--".to_owned() + &"x".repeat(2 * BEGINNING_BYTES);
        let mut stream = Stream { beginning: Some(Beginning::of(script("text/html"))) };
        let sent: usize = endless.as_bytes().chunks(1024).map(|piece| stream.piece(piece).unwrap().len()).sum();
        assert_eq!(sent, SCRIPT.len() + endless.len());
    }
}
