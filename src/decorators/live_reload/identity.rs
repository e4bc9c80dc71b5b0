//! Which folder it is that has a name. Its number is not given to another one while somebody has it open, and only then is
//! it needed: when nobody has, the system tells that it was removed.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub(super) type Identity = (u64, u64);

pub(super) fn of(folder: &Path) -> io::Result<Identity> {
    let metadata = folder.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}
