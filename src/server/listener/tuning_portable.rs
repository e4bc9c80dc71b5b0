//! No options beyond the portable ones.

use std::io;

use socket2::Socket;

pub(super) fn tune(_: &Socket) -> io::Result<()> {
    Ok(())
}
