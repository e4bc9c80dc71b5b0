//! Systems on which a folder that is open cannot be removed: the name is enough.

use std::io;
use std::path::Path;

pub(super) type Identity = ();

pub(super) fn of(folder: &Path) -> io::Result<Identity> {
    folder.metadata().map(|_| ())
}
