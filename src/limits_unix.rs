//! The number of files that this process may have open, as high as the system lets it.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Each client is an open file, and the usual soft limit of 1024 is for programs that still use select(2).
pub(crate) fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            log::debug!("the limit of open files stays as it is: {error}");
        }
    }
}
