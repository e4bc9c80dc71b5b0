//! What sets of ranges cost in memory. A process of its own: nothing else happens in it while it is measured.
#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use common::{local, serve};
use qibu::StaticFiles;

const GIB: u64 = 1 << 30;

/// Far less than one copy of the file.
const MOST_GROWTH: u64 = 64 * 1024 * 1024;

/// One test measures at a time.
static MEASURING: Mutex<()> = Mutex::new(());

/// A file that takes no room.
fn sparse(folder: &Path) {
    File::create(folder.join("sparse.bin")).unwrap().set_len(GIB).unwrap();
}

/// What this process has in memory, in bytes.
fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn a_set_of_1000_ranges_costs_no_memory_and_no_byte_twice() {
    let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    sparse(folder.path());
    let server = serve(local(), StaticFiles::new(folder.path()));
    let before = resident_bytes();
    let overlapping = format!("bytes={}", vec!["0-"; 1000].join(","));
    let tiny: Vec<_> = (0..1000).map(|at| format!("{}-{}", at * 2, at * 2)).collect();
    for range in [overlapping, format!("bytes={}", tiny.join(","))] {
        let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.send(format!("GET /sparse.bin HTTP/1.1\r\nHost: a\r\nRange: {range}\r\n\r\n"));
            let head = client.head();
            assert_eq!((head.status, head.field("content-length")), (200, Some(&*GIB.to_string())));
        }
    }
    let growth = resident_bytes().saturating_sub(before);
    assert!(growth < MOST_GROWTH, "{growth} bytes more, with 40 answers of 1 GiB begun");
}

#[test]
fn sixteen_large_parts_are_sent_from_the_file() {
    let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    sparse(folder.path());
    let server = serve(local(), StaticFiles::new(folder.path()));
    let before = resident_bytes();
    let step = GIB / 16;
    let ranges: Vec<_> = (0..16).map(|at| format!("{}-{}", at * step, (at + 1) * step - 1)).collect();
    let mut client = server.connect();
    client.send(format!("GET /sparse.bin HTTP/1.1\r\nHost: a\r\nRange: bytes={}\r\n\r\n", ranges.join(",")));
    let head = client.head();
    assert_eq!(head.status, 206);
    let length: u64 = head.field("content-length").unwrap().parse().unwrap();
    assert!((GIB..GIB + 16 * 200).contains(&length), "{length}");
    let mut count = 0;
    client.body(&head, |piece| count += piece.len() as u64).unwrap();
    assert_eq!(count, length);
    let growth = resident_bytes().saturating_sub(before);
    assert!(growth < MOST_GROWTH, "{growth} bytes more for 1 GiB in 16 parts");
}
