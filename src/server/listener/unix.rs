//! Unix sockets: a path in the file system instead of address and port.
//!
//! Pattern: Factory Method (its `accept` makes the transport of a unix socket).

use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

use super::{Accepted, Listener, NO_ADDRESS, Options, name_unsupported};
use crate::connection::transport::Plain;

/// To connect is to write, and a proxy is another user: like a port of the loopback, the socket is for all users of this
/// computer, unless its folder is not.
const MODE: u32 = 0o666;

/// Steps 1 to 3. A socket that an earlier run has left behind, and nobody listens on, is replaced.
pub(super) fn listen(path: &Path, options: Options) -> io::Result<Box<dyn Listener>> {
    let open = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        std::fs::set_permissions(path, Permissions::from_mode(MODE))?;
        socket.listen(options.backlog)?;
        Ok(mio::net::UnixListener::from_std(std::os::fd::OwnedFd::from(socket).into()))
    };
    let opened = match open() {
        Err(error) if io::Error::kind(&error) == io::ErrorKind::AddrInUse && is_abandoned(path) => {
            std::fs::remove_file(path)?;
            open()
        }
        opened => opened,
    };
    let socket = opened.map_err(|error| name_unsupported(&error, &path.display()))?;
    let inode = std::fs::symlink_metadata(path)?.ino();
    Ok(Box::new(UnixListener { socket, path: path.to_owned(), inode }))
}

fn is_abandoned(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    is_socket && UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

struct UnixListener {
    socket: mio::net::UnixListener,
    path: PathBuf,
    inode: u64,
}

impl Listener for UnixListener {
    fn source(&mut self) -> &mut dyn mio::event::Source {
        &mut self.socket
    }

    fn accept(&mut self) -> io::Result<Accepted> {
        let (new_socket, _) = self.socket.accept()?;
        Ok(Accepted { transport: Box::new(Plain::new(new_socket)), peer: NO_ADDRESS })
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}

impl Drop for UnixListener {
    /// Removes the path, if it still leads to this socket.
    fn drop(&mut self) {
        if std::fs::symlink_metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
