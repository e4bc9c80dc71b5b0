//! Small files that were asked for lately, with all that is said of them.
//!
//! Freshness is not traded for it: before each use the system is asked (one `stat`) whether the path still leads to this
//! very file, unchanged: same inode, same length, same times of change to the nanosecond. A file that was changed a
//! moment ago is not kept at all, since a second change could fall into the same tick of the system's clock; so a change
//! after we have read it always shows. Nor is containment traded: a path that leads elsewhere leads to another inode.
//!
//! The memory is bounded. When it is full, what was not used since the last time goes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::beneath::Fingerprint;
use super::representation::Representation;
use super::variant::Variant;
use crate::coding::Wanted;

/// One per folder that is served, shared by all loops.
#[derive(Debug)]
pub(super) struct Cache {
    limit: usize,
    table: RwLock<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// By what the client takes, and the path of the URL.
    entries: HashMap<Wanted, HashMap<Box<str>, Arc<Entry>>>,
    memory: usize,
}

#[derive(Debug)]
struct Entry {
    fingerprints: Vec<Fingerprint>,
    representation: Representation,
    memory: usize,
    is_used: AtomicBool,
}

impl Cache {
    /// Keeps at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, table: RwLock::default() }
    }

    /// Lets `answer` use what the path leads to, if it is here and still true.
    pub(super) fn with<T>(&self, path: &str, wanted: Wanted, answer: impl FnOnce(&Representation) -> T) -> Option<T> {
        let entry = self.table.read().unwrap_or_else(PoisonError::into_inner).entries.get(&wanted)?.get(path)?.clone();
        if !entry.fingerprints.iter().all(Fingerprint::is_true) {
            self.remove(path, wanted);
            return None;
        }
        if !entry.is_used.load(Ordering::Relaxed) {
            entry.is_used.store(true, Ordering::Relaxed);
        }
        Some(answer(&entry.representation))
    }

    /// Keeps it, if there is room or can be made.
    pub(super) fn keep(&self, path: &str, wanted: Wanted, variant: Variant) {
        let Variant { representation, fingerprints: Some(fingerprints) } = variant else { return };
        let Some(memory) = representation.memory().map(|memory| memory + 2 * path.len()) else { return };
        if memory > self.limit {
            return;
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if table.memory + memory > self.limit {
            table.make_room(self.limit - memory);
        }
        let entry = Entry { fingerprints, representation, memory, is_used: AtomicBool::new(false) };
        table.memory += memory;
        if let Some(old) = table.entries.entry(wanted).or_default().insert(path.into(), Arc::new(entry)) {
            table.memory -= old.memory;
        }
    }

    fn remove(&self, path: &str, wanted: Wanted) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = table.entries.get_mut(&wanted).and_then(|entries| entries.remove(path)) {
            table.memory -= old.memory;
        }
    }
}

impl Table {
    /// A second chance for what was used; if that is too much, for nothing.
    fn make_room(&mut self, most: usize) {
        for entries in self.entries.values_mut() {
            entries.retain(|_, entry| entry.is_used.swap(false, Ordering::Relaxed));
        }
        self.memory = self.entries.values().flat_map(HashMap::values).map(|entry| entry.memory).sum();
        if self.memory > most {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::super::charset::Charsets;
    use super::super::resolve::{Root, Target};
    use super::super::rules::Rules;
    use super::super::variant::{self, Place};
    use super::*;

    /// Files that were changed long ago, and a cache of all of them that fit.
    fn fill(limit: usize, names: &[String]) -> (tempfile::TempDir, Cache) {
        let (folder, cache) = (tempfile::tempdir().unwrap(), Cache::new(limit));
        for name in names {
            let path = folder.path().join(name);
            fs::write(&path, vec![b'x'; 1000]).unwrap();
            let file = File::open(&path).unwrap();
            let metadata = file.metadata().unwrap();
            let (root, target) = (Root::new(folder.path()), Target::root().child(name));
            let place =
                Place { root: &root, target: &target, charsets: &Charsets::default(), rules: &Rules::default() };
            let mut variant = variant::choose(&place, file, &metadata, Wanted::default()).unwrap();
            variant.fingerprints = Some(vec![Fingerprint::taken_from_an_old_file(&path, &metadata)]);
            cache.keep(name, Wanted::default(), variant);
        }
        (folder, cache)
    }

    fn has(cache: &Cache, name: &str) -> bool {
        cache.with(name, Wanted::default(), |_| ()).is_some()
    }

    #[test]
    fn a_changed_file_is_not_known_any_more() {
        let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let (folder, cache) = fill(1 << 20, &names);
        assert!(names.iter().all(|name| has(&cache, name)));
        fs::write(folder.path().join("a"), vec![b'y'; 1000]).unwrap();
        fs::remove_file(folder.path().join("b")).unwrap();
        assert!(!has(&cache, "a"), "same length, new content");
        assert!(!has(&cache, "b"), "removed");
        assert!(has(&cache, "c"));
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let names: Vec<_> = (0..100).map(|number| format!("file-{number}")).collect();
        let (_folder, cache) = fill(100_000, &names[..20]);
        assert!(has(&cache, "file-3"));
        let (_other, small) = fill(10_000, &names);
        let memory = |cache: &Cache| cache.table.read().unwrap().memory;
        assert!(memory(&small) <= 10_000 && memory(&small) > 0);

        let most = memory(&cache) - 1;
        cache.table.write().unwrap().make_room(most);
        assert!(has(&cache, "file-3"), "it was used");
        assert!(!has(&cache, "file-4"), "it was not");
    }
}
