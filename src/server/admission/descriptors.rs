//! Room for the descriptors of all who may come in, made before the first one does.
//!
//! Linux doubles a process's table of descriptors when it is full. Where threads share the table, it then waits until no
//! processor can still be looking at the old one (an RCU grace period), 7 to 12 ms when it was measured, in the middle of an `accept`: all
//! clients of the loop would wait along, at the 64th of them, the 128th, the 256th, and so on.

use std::fs::File;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, getrlimit};

/// For so many the table grows beforehand: half a megabyte of the kernel's memory.
const MOST: usize = 65_536;

/// What is open beside the clients: listeners, what loops wait on, files that are kept.
const OTHERS: usize = 1024;

/// Makes room for so many clients, as far as the process may have them. What fails is left to the system, as ever.
pub(super) fn make_room(clients: usize) {
    let allowed = getrlimit(Resource::Nofile).current.map_or(MOST, |limit| usize::try_from(limit).unwrap_or(MOST));
    let count = clients.saturating_add(OTHERS).min(allowed).min(MOST);
    let last = i32::try_from(count.saturating_sub(1)).unwrap_or_default();
    // The table reaches as far as its highest descriptor, and does not become smaller when that is closed.
    let highest = File::open("/dev/null").and_then(|file| Ok(fcntl_dupfd_cloexec(file, last)?));
    if let Err(error) = highest {
        log::debug!("there is no room for {clients} clients yet: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_size() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("FDSize:")).unwrap();
        line.trim().parse().unwrap()
    }

    #[test]
    fn the_table_has_room_for_all_before_they_come() {
        let allowed = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
        make_room(900);
        assert!(table_size() >= (900 + OTHERS).min(allowed), "{} of {allowed}", table_size());
        make_room(usize::MAX);
        assert!(table_size() >= MOST.min(allowed), "{} of {allowed}", table_size());
    }

    #[test]
    fn no_room_is_no_fault() {
        make_room(0);
    }
}
