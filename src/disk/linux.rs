//! Linux knows which pages of a file are in its page cache, and says so to those who read with `RWF_NOWAIT`.

use std::fs::File;
use std::io::{self, IoSliceMut, Read, Seek};
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use rustix::fs::{Advice, fadvise, fstatfs};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

use super::Patience;

/// File systems that ask another machine or another program (statfs(2)): NFS, SMB (three generations), FUSE, 9P, Ceph, AFS.
const REMOTE: [u32; 8] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x00c3_6400, 0x5346_414f];

/// One byte in so many is asked for. The system reads ahead, and forgets, in stretches; a hole that is missed costs one read
/// of the disk.
const STEP_BYTES: u64 = 512 * 1024;

/// What a worker reads at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Fills `bytes` from the start of the file. Fails with `UnexpectedEof` if it is shorter, and with `WouldBlock` if that takes
/// more than `patience`.
pub(crate) fn read(file: &mut File, bytes: &mut [u8], patience: Patience) -> io::Result<()> {
    if patience == Patience::ForMemory {
        match read_from_memory(file, bytes, 0) {
            Err(error) if cannot_tell(error) => {}
            read => return Ok(read?),
        }
    }
    file.rewind()?; // it may have been looked at
    file.read_exact(bytes)
}

/// How many bytes from the start of a stretch can be sent without waiting for the disk; 0: none.
pub(crate) fn warm_length(file: &File, stretch: Range<u64>) -> u64 {
    let ends = (stretch.start..stretch.end).step_by(STEP_BYTES as usize).map(|at| stretch.end.min(at + STEP_BYTES));
    // What was read first is forgotten first, so the first byte tells more than the others. A small file is read in one go.
    let is_long = stretch.end - stretch.start > STEP_BYTES;
    let first = is_long.then_some((stretch.start, stretch.start));
    let mut warm = stretch.start;
    for (asked, end) in first.into_iter().chain(ends.map(|end| (end - 1, end))) {
        match read_from_memory(file, &mut [0], asked) {
            Err(Errno::AGAIN) => break,
            Err(error) if cannot_tell(error) => return if is_remote(file) { 0 } else { u64::MAX },
            Ok(()) | Err(_) => warm = end, // what else is wrong, whoever sends it finds out
        }
    }
    warm - stretch.start
}

/// Reads a stretch, however long that takes, so that the system has it; and lets the system begin with as much behind it.
pub(crate) fn warm(file: &File, stretch: Range<u64>) {
    let twice = 2 * (stretch.end - stretch.start);
    // It is advice: where it is not taken, reading does without.
    let _ = fadvise(file, stretch.start, NonZeroU64::new(twice), Advice::WillNeed);
    let mut piece = vec![0; PIECE_BYTES];
    let mut at = stretch.start;
    while at < stretch.end {
        match file.read_at(&mut piece, at) {
            Ok(0) => break,
            Ok(count) => at += count as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break, // whoever sends it finds out
        }
    }
}

/// Whether the file system can answer nothing by itself.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "32 bits, in a field of any width")]
pub(crate) fn is_remote(file: &File) -> bool {
    fstatfs(file).is_ok_and(|system| REMOTE.contains(&(system.f_type as u32)))
}

/// Fills `bytes`, or fails with `AGAIN`.
fn read_from_memory(file: &File, bytes: &mut [u8], offset: u64) -> Result<(), Errno> {
    let mut filled = 0;
    while filled < bytes.len() {
        let rest = &mut [IoSliceMut::new(&mut bytes[filled..])];
        match preadv2(file, rest, offset + filled as u64, ReadWriteFlags::NOWAIT) {
            // The file has become shorter: a worker looks again.
            Ok(0) => return Err(Errno::AGAIN),
            // It may be short because the rest is on the disk; the next one says so.
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The file system, or the kernel, does not know of `RWF_NOWAIT`.
fn cannot_tell(error: Errno) -> bool {
    matches!(error, Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const MIB: u64 = 1 << 20;

    /// A file of 8 MiB, of which the system has forgotten this stretch, but for a page in the middle of each piece; `None` where it
    /// cannot be brought to forget.
    fn file_without(cold: Range<u64>) -> Option<File> {
        const MOST_TRIES: usize = 100;
        let mut file = tempfile::tempfile().unwrap();
        // In pieces, as the system forgets what was written in one go in one go, too.
        (0..8 * MIB as usize / PIECE_BYTES).for_each(|_| file.write_all(&[b'x'; PIECE_BYTES]).unwrap());
        file.sync_all().unwrap();
        fadvise(&file, 0, None, Advice::Random).unwrap(); // who asks for a page lets the system read that one, and no more
        let length = NonZeroU64::new(cold.end - cold.start);
        // Pages that the system is just moving about are not forgotten: those that it had last.
        let has_forgotten = (0..MOST_TRIES).any(|_| {
            fadvise(&file, cold.start, length, Advice::DontNeed).unwrap();
            let mut middles = (cold.start + PIECE_BYTES as u64 / 2..cold.end).step_by(PIECE_BYTES);
            middles.all(|at| read_from_memory(&file, &mut [0], at) == Err(Errno::AGAIN))
        });
        fadvise(&file, 0, None, Advice::Normal).unwrap();
        has_forgotten.then_some(file)
    }

    #[test]
    fn what_was_written_a_moment_ago_is_warm() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'x'; 3_000_000]).unwrap();
        for stretch in [0..1, 5..70_000, 0..3_000_000, 1_234_567..3_000_000] {
            assert!(warm_length(&file, stretch.clone()) >= stretch.end - stretch.start, "{stretch:?}");
        }
    }

    #[test]
    fn what_was_forgotten_is_cold_until_it_is_read() {
        let Some(file) = file_without(0..8 * MIB) else { return };
        assert_eq!(warm_length(&file, 5 * MIB..6 * MIB), 0);
        warm(&file, 5 * MIB..6 * MIB);
        assert_eq!(warm_length(&file, 5 * MIB..6 * MIB), MIB);
    }

    #[test]
    fn what_comes_before_a_hole_is_warm() {
        let Some(file) = file_without(4 * MIB..8 * MIB) else { return };
        assert_eq!(warm_length(&file, 2 * MIB..6 * MIB), 2 * MIB);
    }

    #[test]
    fn a_stretch_whose_first_byte_was_forgotten_is_cold() {
        let Some(file) = file_without(0..MIB / 4) else { return };
        assert_eq!(warm_length(&file, 0..4 * MIB), 0);
    }

    #[test]
    fn a_file_that_has_become_shorter_stops_nobody() {
        let file = tempfile::tempfile().unwrap();
        warm(&file, 0..MIB);
        assert_eq!(warm_length(&file, 0..MIB), 0, "a worker looks, and whoever sends it finds out");
    }
}
