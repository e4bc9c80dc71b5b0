//! What Linux does better than the portable calls: `MSG_MORE`, and `sendfile`, which copies inside the kernel. And all of it goes
//! to the system without libc, whose calls can be cancelled with their thread and make sure each time that they were not.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;

use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv as receive, send as send_one, sendmsg};

use super::super::output::More;
use crate::message::FileSlice;

pub(crate) trait Descriptor: AsFd {}

impl<T: AsFd> Descriptor for T {}

/// Reads what has arrived; 0 at the end.
pub(super) fn recv(socket: &impl Descriptor, buffer: &mut [u8]) -> io::Result<usize> {
    let (received, _) = receive(socket, buffer, RecvFlags::empty())?;
    Ok(received)
}

/// Writes the slices in one call. With [`More::Follows`] the kernel waits for the file before it fills a packet.
pub(super) fn send(socket: &impl Descriptor, slices: &[IoSlice<'_>], more: More) -> io::Result<usize> {
    let flags = match more {
        More::Follows => SendFlags::MORE | SendFlags::NOSIGNAL,
        More::Nothing => SendFlags::NOSIGNAL,
    };
    let sent = match slices {
        [one] => send_one(socket, one, flags)?,
        several => sendmsg(socket, several, &mut SendAncillaryBuffer::default(), flags)?,
    };
    Ok(sent)
}

/// Sends up to `most` bytes of the file; 0 at its end.
pub(super) fn send_file(socket: &impl Descriptor, slice: &FileSlice, most: u64) -> io::Result<usize> {
    let count = usize::try_from(slice.length.min(most)).unwrap_or(usize::MAX);
    let mut offset = slice.offset;
    Ok(rustix::fs::sendfile(socket, &*slice.file, Some(&mut offset), count)?)
}
