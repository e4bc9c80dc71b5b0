//! Step 4: the form in which a file is sent. In the order of preference of the client:
//!
//! * a **sidecar**, the same file compressed beforehand beside it (`app.js.br`), if it is not older than the file;
//! * the file compressed **on the fly**, if it is text and neither too small to gain nor too large to wait for, and there is
//!   a turn for it ([`compressions`](super::compressions));
//! * the file as it is.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use smallvec::smallvec;

use super::beneath::Fingerprint;
use super::cache::{Fingerprints, Form};
use super::charset::{Charset, Charsets};
use super::compressions::Compressions;
use super::conditional::Validators;
use super::media_type::{Characters, MediaType, Text};
use super::representation::{Content, Representation};
use super::resolve::{Found, Root, Target};
use super::rules::Rules;
use crate::coding::{Coding, Wanted};
use crate::disk::{self, Patience};
use crate::message::Request;

/// A form of a file, and what it was made of.
pub(super) struct Variant {
    pub(super) representation: Representation,
    /// What must stay as it is for the representation to be true; `None` if that cannot be told.
    pub(super) fingerprints: Option<Fingerprints>,
    /// For whom it is.
    pub(super) form: Form,
}

impl Variant {
    /// It is true only as long as the target leads nowhere.
    pub(super) fn unless_there_is(mut self, root: &Root, target: &Target) -> Self {
        self.fingerprints = self.fingerprints.and_then(|mut fingerprints| {
            fingerprints.push(root.absence(target)?);
            Some(fingerprints)
        });
        self
    }
}

/// Up to so many bytes, reading a file costs less than `sendfile` and a second packet.
const READ_AT_MOST_BYTES: u64 = 32 * 1024;

/// Smaller files fit into a packet or two as they are.
const COMPRESS_AT_LEAST_BYTES: u64 = 1024 + 1;

/// Larger files would take a worker for too long; they want a sidecar.
const COMPRESS_AT_MOST_BYTES: u64 = 8 * 1024 * 1024;

/// What was changed a moment ago is not kept, but compressed again for each who asks. So larger files are sent as they are
/// until they are settled.
const COMPRESS_UNSETTLED_AT_MOST_BYTES: u64 = 256 * 1024;

/// What a path without a slash or an extension at its end may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    File,
    /// Or a page, which gains by compression.
    Page,
}

/// The codings that the client takes; none where the kind of file gains nothing. A folder may be its `index.html`.
pub(super) fn wanted(request: &Request, bare: Bare) -> Wanted {
    let path = request.path();
    let gains = path.ends_with('/')
        || (bare == Bare::Page && Path::new(path).extension().is_none())
        || MediaType::of(Path::new(path)).is_compressible();
    if gains { Wanted::of(request) } else { Wanted::default() }
}

/// Where a file was found, and what is known of the texts there.
pub(super) struct Place<'a> {
    pub(super) root: &'a Root,
    pub(super) target: &'a Target,
    pub(super) charsets: &'a Charsets,
    pub(super) rules: &'a Rules,
    pub(super) compressions: &'a Compressions,
}

/// Reads what has to be read. Fails with `UnexpectedEof` if the file has become shorter meanwhile; with `WouldBlock` if the
/// root is one of memory, and the disk has to be waited for.
pub(super) fn choose(place: &Place<'_>, file: File, metadata: &Metadata, wanted: Wanted) -> io::Result<Variant> {
    let mut variant = choose_form(place, file, metadata, wanted)?;
    place.rules.apply(&place.target.path, &mut variant.representation);
    Ok(variant)
}

fn choose_form(place: &Place<'_>, mut file: File, metadata: &Metadata, wanted: Wanted) -> io::Result<Variant> {
    let Place { root, target, charsets, .. } = place;
    let original = root.fingerprint(target, metadata);
    let media_type = MediaType::of_file(&target.path, &mut file, metadata.len(), root.patience())?;
    let (form, wanted) =
        if media_type.is_compressible() { (Form::Of(wanted), wanted) } else { (Form::ForAll, Wanted::default()) };
    let mut plain = Plain { file, length: metadata.len(), patience: root.patience(), bytes: None };
    let charset = match media_type.characters {
        Characters::Text(text) => plain.charset(charsets, text, original.as_ref())?,
        Characters::Utf8 | Characters::Own => Charset::UTF_8,
    };
    let content_type = media_type.field_value(charset);
    let validators = |metadata: &Metadata| Validators::of(metadata, SystemTime::now()).of_charset(charset);
    for coding in wanted.iter() {
        if let Some((sidecar, coded)) = find_sidecar(root, target, metadata, coding) {
            let Found::File(file, metadata) = coded else { continue };
            let coded = Plain { file, length: metadata.len(), patience: root.patience(), bytes: None };
            let content = coded.into_content()?;
            let fingerprints =
                original.and_then(|original| Some(smallvec![original, root.fingerprint(&sidecar, &metadata)?]));
            let representation = Representation::new(content_type, Some(coding), validators(&metadata), content);
            return Ok(Variant { representation, fingerprints, form });
        }
    }
    let is_settled = original.is_some();
    let coding = wanted.iter().next().filter(|_| is_worth_compressing(metadata.len(), is_settled));
    let turn = coding.map(|coding| place.compressions.begin(target, coding, metadata.len()));
    let fingerprints = original.map(|original| smallvec![original]);
    let ((coding, content), fingerprints) = match turn {
        Some(Some(turn)) => {
            let (coding, bytes) = turn.compress(plain.into_bytes()?)?;
            ((coding, Content::Memory(bytes)), fingerprints)
        }
        // Not to be kept so: the next who asks may have a turn.
        Some(None) => ((None, plain.into_content()?), None),
        None => ((None, plain.into_content()?), fingerprints),
    };
    let validators = match coding {
        Some(coding) => validators(metadata).of_coding(coding),
        None => validators(metadata),
    };
    let representation = Representation::new(content_type, coding, validators, content);
    Ok(Variant { representation, fingerprints, form })
}

/// Whether a file of that length is; one that is settled can be kept.
fn is_worth_compressing(length: u64, is_settled: bool) -> bool {
    let most = if is_settled { COMPRESS_AT_MOST_BYTES } else { COMPRESS_UNSETTLED_AT_MOST_BYTES };
    (COMPRESS_AT_LEAST_BYTES..=most).contains(&length)
}

/// What a file with this coding has behind its name.
fn extension(coding: Coding) -> &'static str {
    match coding {
        Coding::Brotli => ".br",
        Coding::Zstd => ".zst",
        Coding::Gzip => ".gz",
    }
}

/// The file with this coding, unless the plain one was changed since.
fn find_sidecar(root: &Root, target: &Target, plain: &Metadata, coding: Coding) -> Option<(Target, Found)> {
    let mut name = OsString::from(target.path.file_name()?);
    name.push(extension(coding));
    let sidecar = target.sibling(&name);
    let found = root.find_even_hidden(&sidecar).ok()?;
    let Found::File(_, metadata) = &found else { return None };
    let is_fresh = metadata.modified().ok()? >= plain.modified().ok()?;
    is_fresh.then_some((sidecar, found))
}

/// A file as it lies there, read once at most.
struct Plain {
    file: File,
    length: u64,
    patience: Patience,
    bytes: Option<Vec<u8>>,
}

impl Plain {
    fn is_small(&self) -> bool {
        self.length <= READ_AT_MOST_BYTES
    }

    /// A small file has to be read anyway; a large one is not, where a guess at it is known.
    fn charset(&mut self, charsets: &Charsets, text: Text, version: Option<&Fingerprint>) -> io::Result<Charset> {
        if self.is_small() {
            let patience = self.patience;
            return charsets.of_bytes(self.read()?, text, version, patience);
        }
        match (charsets.known(version), self.patience) {
            (Some(charset), _) => Ok(charset),
            (None, Patience::ForMemory) => Err(io::ErrorKind::WouldBlock.into()), // a guess takes its time, too
            (None, Patience::ForTheDisk) => charsets.of(&mut self.file, self.length, text, version),
        }
    }

    fn read(&mut self) -> io::Result<&[u8]> {
        if self.bytes.is_none() {
            let mut bytes = vec![0; usize::try_from(self.length).expect("it was compared with a limit")];
            disk::read(&mut self.file, &mut bytes, self.patience)?;
            self.bytes = Some(bytes);
        }
        Ok(self.bytes.as_deref().unwrap_or_default())
    }

    fn into_bytes(mut self) -> io::Result<Vec<u8>> {
        self.read()?;
        Ok(self.bytes.unwrap_or_default())
    }

    fn into_content(self) -> io::Result<Content> {
        if self.is_small() {
            return Ok(Content::Memory(self.into_bytes()?.into()));
        }
        Ok(Content::File(Arc::new(self.file), self.length))
    }
}
