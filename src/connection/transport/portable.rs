//! The same with what every system has: `read`, `writev`, and files read piece by piece into memory.

use std::io::{self, IoSlice, Read, Write};

use super::super::output::More;
use super::read_piece;
use crate::message::FileSlice;

/// A socket that can be read and written through a shared reference, as those of std and mio can.
pub(crate) trait Descriptor {
    fn read_some(&self, buffer: &mut [u8]) -> io::Result<usize>;
    fn write_slices(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
}

impl<T> Descriptor for T
where
    for<'a> &'a T: Read + Write,
{
    fn read_some(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut socket = self;
        socket.read(buffer)
    }

    fn write_slices(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut socket = self;
        socket.write_vectored(slices)
    }
}

/// Reads what has arrived; 0 at the end.
pub(super) fn recv(socket: &impl Descriptor, buffer: &mut [u8]) -> io::Result<usize> {
    socket.read_some(buffer)
}

/// Writes the slices in one call. [`More`] is a hint that only Linux takes.
pub(super) fn send(socket: &impl Descriptor, slices: &[IoSlice<'_>], _: More) -> io::Result<usize> {
    socket.write_slices(slices)
}

/// Sends up to `most` bytes of the file; 0 at its end. What the socket does not take is read again next time.
pub(super) fn send_file(socket: &impl Descriptor, slice: &FileSlice, most: u64) -> io::Result<usize> {
    let piece = read_piece(slice, most)?;
    if piece.is_empty() { Ok(0) } else { socket.write_slices(&[IoSlice::new(&piece)]) }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_stretch_of_a_file_is_sent() {
        let (here, there) = UnixStream::pair().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let slice = |offset, length| FileSlice { file: Arc::new(file.try_clone().unwrap()), offset, length };
        assert_eq!(send(&here, &[IoSlice::new(b"he"), IoSlice::new(b"ad ")], More::Follows).unwrap(), 5);
        assert_eq!(send_file(&here, &slice(3, 4), 100).unwrap(), 4);
        assert_eq!(send_file(&here, &slice(8, 100), 100).unwrap(), 2);
        assert_eq!(send_file(&here, &slice(10, 100), 100).unwrap(), 0, "the file has ended");
        drop(here);
        let mut received = [0; 100];
        assert_eq!(recv(&there, &mut received).unwrap(), 11);
        assert_eq!(&received[..11], b"head 345689");
        assert_eq!(recv(&there, &mut received).unwrap(), 0, "the peer has finished");
    }
}
