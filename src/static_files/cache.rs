//! What was asked for lately, with all that is said of it: small files in memory, larger ones open, and that there is nothing.
//!
//! Freshness is not traded for it: before each use the system is asked (one `stat`) whether the path still leads to this
//! very file, unchanged: same inode, same length, same times of change to the nanosecond; or still nowhere. Only a request
//! that had come by then ([`Arrival`]) may use an answer given for another. A file that was changed a moment ago is not kept at all, since a
//! second change could fall into the same tick of the system's clock; so a change after we have read it always shows. Nor
//! is containment traded: a path that leads elsewhere leads to another inode.
//!
//! The memory and the descriptors are bounded. When there is no room, a hand goes round: what was used since it last came by
//! stays, what was not goes (CLOCK). Files that are asked for once do not drive out those that are asked for often.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use smallvec::SmallVec;

use super::beneath::Fingerprint;
use super::compressions::{self, Compressions};
use super::representation::Representation;
use crate::coding::Wanted;
use crate::message::{Arrival, FoundFor};

/// One per folder that is served, shared by all loops.
#[derive(Debug)]
pub(super) struct Cache {
    id: CacheId,
    limit: Cost,
    table: RwLock<Table>,
    compressions: Compressions,
}

/// Tells one cache from all others of the program.
type CacheId = u64;

/// What it takes to keep something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cost {
    pub(super) bytes: usize,
    /// Open descriptors.
    pub(super) files: usize,
}

/// What a path leads to. Most are files, and such a one stands in its entry, to be read with it.
#[derive(Debug)]
pub(super) enum Kept {
    File(Representation),
    Nothing,
}

/// What must all be true for an entry to be; of most there is one.
pub(super) type Fingerprints = SmallVec<[Fingerprint; 1]>;

/// The path of a URL. Most are so short that they stand in their places themselves: where there are many files, each other
/// place in memory that is read for a request is one that no processor's cache holds.
type UrlPath = SmallVec<[u8; 31]>;

/// Something that was kept.
#[derive(Debug)]
pub(super) struct Entry {
    cache: CacheId,
    path: UrlPath,
    form: Form,
    /// `None` where it cannot be told later whether it is still true.
    fingerprints: Option<Fingerprints>,
    kept: Kept,
    cost: Cost,
    is_used: AtomicBool,
    /// For which request the system was last asked.
    checked: FoundFor,
}

/// For which clients it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    ForAll,
    /// For those who want just these codings.
    Of(Wanted),
}

#[derive(Debug, Default)]
struct Table {
    /// By the path of the URL; for each, its forms.
    entries: HashMap<UrlPath, SmallVec<[Arc<Entry>; 1]>>,
    /// In the order in which the hand comes by. What has left the table may still stand here, as an empty shell.
    round: VecDeque<Weak<Entry>>,
    held: Cost,
    count: usize,
}

/// What an entry takes beside its content, in bytes: itself, and roughly its places in the table and in the round.
const ENTRY_BYTES: usize = size_of::<Entry>() + 200;

impl Cache {
    /// Keeps so much at most.
    pub(super) fn new(limit: Cost) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        // What is kept counts there, too, so that at least its own budget is left for others.
        let compressions = Compressions::new(limit.bytes.saturating_add(compressions::BUDGET_BYTES));
        Self { id: NEXT_ID.fetch_add(1, Ordering::Relaxed), limit, table: RwLock::default(), compressions }
    }

    pub(super) fn limit(&self) -> Cost {
        self.limit
    }

    /// What makes most of what is kept in memory.
    pub(super) fn compressions(&self) -> &Compressions {
        &self.compressions
    }

    /// What the path leads to, if it is here and still true. `wanted` is asked where forms differ.
    pub(super) fn recall(&self, path: &str, arrival: Arrival, wanted: impl FnOnce() -> Wanted) -> Option<Arc<Entry>> {
        let entry = self.table.read().unwrap_or_else(PoisonError::into_inner).find(path, wanted)?;
        if !entry.is_true(arrival) {
            self.table.write().unwrap_or_else(PoisonError::into_inner).remove(&entry);
            return None;
        }
        if !entry.is_used.load(Ordering::Relaxed) {
            entry.is_used.store(true, Ordering::Relaxed);
        }
        Some(entry)
    }

    /// Whether an entry that was recalled, or made, for a request of this very arrival would be looked for here, under this
    /// path.
    pub(super) fn is_of(&self, entry: &Entry, path: &str) -> bool {
        entry.cache == self.id && *entry.path == *path.as_bytes()
    }

    /// Makes an entry of what was found for a request of this arrival, and keeps it as long as the fingerprints are true, if
    /// there are any, and there is room or can be made.
    pub(super) fn keep(
        &self,
        path: &str,
        form: Form,
        kept: Kept,
        fingerprints: Option<Fingerprints>,
        arrival: Arrival,
    ) -> Arc<Entry> {
        let (worth, paths) = (kept.cost(), 1 + fingerprints.as_ref().map_or(0, SmallVec::len));
        let Cost { bytes, files } = worth.unwrap_or_default();
        let cost = Cost { bytes: bytes + 2 * path.len() * paths + ENTRY_BYTES, files };
        let is_to_be_kept = worth.is_some() && fingerprints.is_some();
        let (cache, path) = (self.id, path.as_bytes().into());
        // What was found for it came after it.
        let (is_used, checked) = (AtomicBool::new(false), FoundFor::new(arrival));
        let entry = Arc::new(Entry { cache, path, form, fingerprints, kept, cost, is_used, checked });
        if is_to_be_kept {
            self.table.write().unwrap_or_else(PoisonError::into_inner).insert(&entry, self.limit);
        }
        entry
    }
}

impl Kept {
    /// `None` for what is not worth keeping.
    fn cost(&self) -> Option<Cost> {
        match self {
            Self::File(representation) => representation.cost(),
            Self::Nothing => Some(Cost::default()),
        }
    }
}

impl Entry {
    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Whether it is for a client that takes these codings.
    pub(super) fn is_for(&self, wanted: impl FnOnce() -> Wanted) -> bool {
        self.form == Form::ForAll || self.form == Form::Of(wanted())
    }

    /// Asks the system, unless it was asked for another request since this one came.
    fn is_true(&self, arrival: Arrival) -> bool {
        if self.checked.serves(arrival) {
            return true;
        }
        let is_true = self.fingerprints.as_ref().is_some_and(|all| all.iter().all(Fingerprint::is_true));
        if is_true {
            self.checked.set(arrival);
        }
        is_true
    }
}

impl Table {
    fn find(&self, path: &str, wanted: impl FnOnce() -> Wanted) -> Option<Arc<Entry>> {
        let entry = match &**self.entries.get(path.as_bytes())? {
            [only] if only.form == Form::ForAll => only,
            forms => {
                let form = Form::Of(wanted());
                forms.iter().find(|entry| entry.form == form)?
            }
        };
        Some(entry.clone())
    }

    fn insert(&mut self, entry: &Arc<Entry>, limit: Cost) {
        let is_replaced = |old: &&Arc<Entry>| old.form == entry.form || [old.form, entry.form].contains(&Form::ForAll);
        let forms = self.entries.get(&entry.path).map(SmallVec::as_slice).unwrap_or_default();
        let replaced: Vec<_> = forms.iter().filter(is_replaced).cloned().collect();
        replaced.iter().for_each(|old| self.remove(old));
        if !self.make_room(entry.cost, limit) {
            return;
        }
        self.held = self.held.plus(entry.cost);
        self.count += 1;
        self.round.push_back(Arc::downgrade(entry));
        self.entries.entry(entry.path.clone()).or_default().push(entry.clone());
    }

    /// Whether there is room in the end.
    fn make_room(&mut self, cost: Cost, limit: Cost) -> bool {
        if !cost.fits(limit) {
            return false;
        }
        if self.round.len() > 2 * self.count + 16 {
            self.round.retain(|shell| shell.strong_count() > 0);
        }
        let most_steps = 2 * self.round.len(); // others may go on using what we would have leave
        for _ in 0..most_steps {
            if self.held.plus(cost).fits(limit) {
                break;
            }
            let Some(place) = self.round.pop_front() else { break };
            let Some(entry) = place.upgrade() else { continue };
            if entry.is_used.swap(false, Ordering::Relaxed) {
                self.round.push_back(place);
            } else {
                self.remove(&entry);
            }
        }
        self.held.plus(cost).fits(limit)
    }

    /// Removes this very entry, if it is still here.
    fn remove(&mut self, entry: &Arc<Entry>) {
        let Some(forms) = self.entries.get_mut(&entry.path) else { return };
        let Some(at) = forms.iter().position(|kept| Arc::ptr_eq(kept, entry)) else { return };
        forms.swap_remove(at);
        if forms.is_empty() {
            self.entries.remove(&entry.path);
        }
        self.held = self.held.minus(entry.cost);
        self.count -= 1;
    }
}

impl Cost {
    fn plus(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, files: self.files + other.files }
    }

    fn minus(self, other: Self) -> Self {
        Self { bytes: self.bytes - other.bytes, files: self.files - other.files }
    }

    fn fits(self, limit: Self) -> bool {
        self.bytes <= limit.bytes && self.files <= limit.files
    }
}

#[cfg(test)]
mod tests;
