//! What Linux lets us say of a socket beyond the portable options.

use std::io;

use socket2::Socket;

/// How much may lie in the system's buffer without being on its way, in bytes. More would hide from us that a slow client
/// goes on reading: the system asks for more only when a third of its buffer, which may hold megabytes, is free.
const UNSENT_BYTES: u32 = 256 * 1024;

/// For a listening socket; those that it accepts inherit it.
pub(super) fn tune(socket: &Socket) -> io::Result<()> {
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)
}
