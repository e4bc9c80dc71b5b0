//! Opening files beneath a folder, and nowhere else. What the system can do decides how.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod descend;
#[cfg(all(unix, not(target_os = "linux")))]
#[path = "walk.rs"]
mod descend;
#[cfg(unix)]
mod fingerprint;
mod look;
#[cfg(all(test, unix))]
#[expect(dead_code, reason = "here only tests call it, and not all of it")]
mod portable;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(not(unix))]
#[path = "portable.rs"]
mod system;
#[cfg(target_os = "linux")]
mod walk;

pub(super) use look::{Kind, Look};
pub(super) use system::{Beneath, Fingerprint, file_name, inode, is_exhaustion, is_no_plain_file, is_same};

#[cfg(all(test, target_os = "linux"))]
mod tests;
