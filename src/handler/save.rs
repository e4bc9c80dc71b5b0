//! Parts of forms as files.
//!
//! What is not complete yet has a name of its own, in the same folder: nobody finds half a file, and nothing is left of one
//! whose client went away.

use std::io;
use std::path::Path;

use http::StatusCode;
use tempfile::NamedTempFile;

use crate::message::Error;
use crate::message::multipart::FormPart;

impl FormPart<'_> {
    /// Saves the content as a file, and gives its length in bytes. A file that is there already is left alone (409). The
    /// new one can be read by the user alone that the program runs as.
    ///
    /// It blocks, so do it in [`blocking`](crate::blocking) or [`streaming`](crate::streaming). The path is for you to
    /// choose, never for the client: see [`Self::file_name`].
    pub fn save_to(&mut self, path: impl AsRef<Path>) -> Result<u64, Error> {
        let path = path.as_ref();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(folder)?;
        let length = io::copy(self, &mut file)?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(length),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::new(StatusCode::CONFLICT, "there is a file of that name already"))
            }
            Err(error) => Err(error.error.into()),
        }
    }
}
