//! What is told to the user when it cannot be done.

use std::fmt;
use std::process::ExitCode;

/// Something the user can mend; said in one line that names what to change.
#[derive(Debug)]
pub(crate) enum Complaint {
    /// What was said is wrong, whatever the system is like: exit code 2, as for a wrong flag.
    Usage(String),
    /// What was said cannot be done: exit code 1.
    Failure(String),
}

impl Complaint {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failure(_) => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(what) | Self::Failure(what)) = self;
        f.write_str(what)
    }
}
