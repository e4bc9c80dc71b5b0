//! What is known of the names in a folder, in as few bytes as it takes.
//!
//! All names lie in one buffer, and an entry says where its own lies: a hundred thousand files cost a few megabytes, and
//! two allocations that grow.

use super::super::beneath::{Kind, Look};

/// More are not listed. It bounds the memory that one answer takes: some 60 MB, where names are of common length.
pub(super) const MOST_ENTRIES: usize = 1_000_000;

/// The names in a folder, and what is said of them.
#[derive(Debug, Default)]
pub(super) struct Entries {
    names: Vec<u8>,
    places: Vec<Place>,
    totals: Totals,
}

/// How much there is of each kind.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Totals {
    pub(super) folders: usize,
    pub(super) files: usize,
    /// Of all files together.
    pub(super) bytes: u64,
    pub(super) images: usize,
    pub(super) fullness: Fullness,
}

/// Whether these are all.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fullness {
    #[default]
    Whole,
    Cut,
}

/// One entry, its name in the buffer.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: u32,
    length: u16,
    look: Look,
}

/// One name, and what is said of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    /// The very bytes that the system has.
    pub(super) name: &'a [u8],
    pub(super) kind: Kind,
    pub(super) size: u64,
    /// In seconds since 1970.
    pub(super) modified: i64,
}

impl Entries {
    /// Adds one, unless there are too many already.
    #[must_use]
    pub(super) fn push(&mut self, name: &[u8], look: Look) -> bool {
        let (Ok(start), Ok(length)) = (u32::try_from(self.names.len()), u16::try_from(name.len())) else {
            self.totals.fullness = Fullness::Cut;
            return false;
        };
        if self.places.len() >= MOST_ENTRIES {
            self.totals.fullness = Fullness::Cut;
            return false;
        }
        self.names.extend_from_slice(name);
        self.places.push(Place { start, length, look });
        self.totals.count(name, look);
        true
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.range(0..self.len())
    }

    pub(super) fn range(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = Entry<'_>> {
        self.places[range].iter().map(|place| place.entry(&self.names))
    }

    /// Sorts them. `compare` must hold no two names for equal, since equal ones come in any order.
    pub(super) fn sort(&mut self, compare: impl Fn(&Entry<'_>, &Entry<'_>) -> std::cmp::Ordering) {
        let names = &self.names;
        self.places.sort_unstable_by(|a, b| compare(&a.entry(names), &b.entry(names)));
    }
}

impl Place {
    fn entry<'a>(&self, names: &'a [u8]) -> Entry<'a> {
        let start = self.start as usize;
        let Look { kind, size, modified } = self.look;
        Entry { name: &names[start..start + usize::from(self.length)], kind, size, modified }
    }
}

impl Totals {
    fn count(&mut self, name: &[u8], look: Look) {
        match look.kind {
            Kind::Folder => self.folders += 1,
            Kind::File => {
                self.files += 1;
                self.bytes = self.bytes.saturating_add(look.size);
                self.images += usize::from(super::icons::is_picture(name));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_costs_32_bytes_and_its_name() {
        assert_eq!(size_of::<Place>(), 32);
    }

    #[test]
    fn names_come_back_as_they_were_given_with_what_was_said_of_them() {
        let mut entries = Entries::default();
        let looks = [(Kind::File, 7), (Kind::Folder, 4096), (Kind::File, 5)];
        for (name, (kind, size)) in [&b"a.png"[..], b"\xff", b"c"].into_iter().zip(looks) {
            assert!(entries.push(name, Look { kind, size, modified: -1 }));
        }
        let names: Vec<_> = entries.iter().map(|entry| (entry.name, entry.size)).collect();
        assert_eq!(names, [(&b"a.png"[..], 7), (b"\xff", 4096), (b"c", 5)]);
        let totals = entries.totals();
        assert_eq!((totals.folders, totals.files, totals.bytes, totals.images), (1, 2, 12, 1));
    }
}
