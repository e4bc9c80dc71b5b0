//! Opening files beneath a folder, and nowhere else. What the system can do decides how.

#[cfg(unix)]
mod fingerprint;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(test, not(unix)))]
#[cfg_attr(unix, expect(dead_code, reason = "here only tests call it, and not all of it"))]
mod portable;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod walk;

#[cfg(unix)]
pub(super) use fingerprint::Fingerprint;
#[cfg(not(unix))]
pub(super) use portable::{Beneath, Fingerprint, file_name, inode, is_exhaustion, is_no_plain_file};
#[cfg(unix)]
pub(super) use unix::{Beneath, file_name, inode, is_exhaustion, is_no_plain_file};

#[cfg(all(test, unix))]
mod tests;
