//! A connection as the stream that tungstenite wants: reads what has arrived, writes what shall be sent. It never waits.

use std::io::{self, Read, Write};

use crate::connection::Connection;

pub(super) struct Duplex<'a> {
    new_socket: &'a mut Connection,
    /// How many bytes were read.
    taken: usize,
}

impl<'a> Duplex<'a> {
    pub(super) fn new(new_socket: &'a mut Connection) -> Self {
        Self { new_socket, taken: 0 }
    }

    pub(super) fn taken(&self) -> usize {
        self.taken
    }
}

impl Read for Duplex<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let input = self.new_socket.input();
        if input.is_empty() && !self.new_socket.is_eof() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = input.len().min(buffer.len());
        buffer[..count].copy_from_slice(&input[..count]);
        self.new_socket.consume(count);
        self.taken += count;
        Ok(count)
    }
}

impl Write for Duplex<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.new_socket.send(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
