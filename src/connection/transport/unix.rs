//! Unix sockets are sockets too.

use std::io;
use std::net::Shutdown;

use super::Socket;

impl Socket for mio::net::UnixStream {
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        Self::shutdown(self, how)
    }

    /// There is no such thing here: the peer sees the end.
    fn reset_on_close(&self) {}
}
