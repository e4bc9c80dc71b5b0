use std::fs::{self, File};

use smallvec::smallvec;

use super::super::charset::Charsets;
use super::super::resolve::{Root, Target};
use super::super::rules::Rules;
use super::super::variant::{self, Place};
use super::*;
use crate::message::Arrivals;

/// Files that were changed long ago, and a cache of all of them that fit.
fn fill(bytes: usize, names: &[String]) -> (tempfile::TempDir, Cache) {
    let (folder, cache) = (tempfile::tempdir().unwrap(), Cache::new(Cost { bytes, files: 2 }));
    names.iter().for_each(|name| add(&folder, &cache, name, 1000));
    (folder, cache)
}

fn add(folder: &tempfile::TempDir, cache: &Cache, name: &str, length: usize) {
    let path = folder.path().join(name);
    fs::write(&path, vec![b'x'; length]).unwrap();
    let file = File::open(&path).unwrap();
    let metadata = file.metadata().unwrap();
    let (root, target) = (Root::new(folder.path()), Target::root().child(name));
    let (charsets, rules, compressions) = (&Charsets::default(), &Rules::default(), cache.compressions());
    let place = Place { root: &root, target: &target, charsets, rules, compressions };
    let variant = variant::choose(&place, file, &metadata, Wanted::default()).unwrap();
    let fingerprints = smallvec![Fingerprint::taken_from_an_old_file(&path, &metadata)];
    let kept = Kept::File(variant.representation);
    cache.keep(name, Form::ForAll, kept, Some(fingerprints), Arrivals::new().current());
}

fn has(cache: &Cache, name: &str) -> bool {
    cache.recall(name, Arrivals::new().current(), Wanted::default).is_some()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("file-{number}")).collect()
}

fn held(cache: &Cache) -> Cost {
    cache.table.read().unwrap().held
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
fn requests_that_came_together_ask_once() {
    let (folder, cache) = fill(1 << 20, &names(1));
    let arrivals = Arrivals::new();
    let has = || cache.recall("file-0", arrivals.current(), Wanted::default).is_some();
    assert!(has());
    fs::remove_file(folder.path().join("file-0")).unwrap();
    assert!(has(), "it came with the one before");
    arrivals.begin();
    assert!(!has(), "it came later");
}

#[test]
fn who_was_read_before_the_system_was_asked_is_served_by_that_whenever_its_turn_comes() {
    let (folder, cache) = fill(1 << 20, &names(1));
    let arrivals = Arrivals::new();
    let has = || cache.recall("file-0", arrivals.current(), Wanted::default).is_some();
    arrivals.begin_batch();
    arrivals.join_batch();
    arrivals.read();
    assert!(has());
    fs::remove_file(folder.path().join("file-0")).unwrap();
    arrivals.consume();
    assert!(has(), "it was read with the one before");
    arrivals.join_batch();
    assert!(has(), "it is the first of a client of the same batch");
    arrivals.read();
    arrivals.consume();
    assert!(!has(), "it was read after the system was asked");
}

#[test]
fn what_cannot_be_asked_for_again_is_for_its_own_request_alone() {
    let (cache, arrivals) = (Cache::new(Cost { bytes: 1 << 20, files: 2 }), Arrivals::new());
    let entry = cache.keep("a", Form::ForAll, Kept::Nothing, None, arrivals.current());
    assert!(cache.is_of(&entry, "a"));
    assert!(!has(&cache, "a"));
}

#[test]
fn that_there_is_nothing_is_true_until_there_is_something() {
    let (folder, cache) = fill(1 << 20, &[]);
    let path = folder.path().join("later");
    let fingerprints = smallvec![Fingerprint::of_nothing(&path).unwrap()];
    cache.keep("later", Form::ForAll, Kept::Nothing, Some(fingerprints), Arrivals::new().current());
    assert!(has(&cache, "later"));
    fs::write(&path, "now").unwrap();
    assert!(!has(&cache, "later"));
}

#[test]
fn what_was_recalled_is_known_again_where_nothing_else_would_be() {
    let (folder, cache) = fill(1 << 20, &names(2));
    let (_other_folder, other) = fill(1 << 20, &names(1));
    let entry = cache.recall("file-0", Arrivals::new().current(), Wanted::default).unwrap();
    let is_it = |cache: &Cache, path| cache.is_of(&entry, path) && entry.is_for(Wanted::default);
    assert!(is_it(&cache, "file-0"));
    assert!(!is_it(&cache, "file-1"), "the path was changed");
    assert!(!is_it(&other, "file-0"), "the request went to another folder");
    fs::write(folder.path().join("file-0"), "changed").unwrap();
    assert!(is_it(&cache, "file-0"), "it was asked for this very request");
}

#[test]
fn memory_is_bounded_and_what_is_used_stays() {
    let (folder, cache) = fill(20_000, &names(5));
    for number in 5..100 {
        assert!(has(&cache, "file-3"), "after {number}");
        add(&folder, &cache, &format!("file-{number}"), 1000);
        assert!(held(&cache).bytes <= 20_000);
    }
    assert!(has(&cache, "file-99"), "the latest");
    assert!(!has(&cache, "file-4"), "it was not used");
    let table = cache.table.read().unwrap();
    let all = table.entries.values().flatten().fold(Cost::default(), |sum, entry| sum.plus(entry.cost));
    assert_eq!((table.held, table.count), (all, table.entries.len()));
}

#[test]
fn few_files_are_kept_open_and_none_that_is_large() {
    let (folder, cache) = fill(1 << 20, &[]);
    for name in ["a", "b", "c"] {
        add(&folder, &cache, name, 100_000);
    }
    assert_eq!(held(&cache).files, 2);
    assert!(!has(&cache, "a") && has(&cache, "b") && has(&cache, "c"));
    add(&folder, &cache, "large", 2 << 20);
    assert!(!has(&cache, "large"));
}

#[test]
fn a_file_that_changes_again_and_again_leaves_nothing_behind() {
    let (folder, cache) = fill(1 << 20, &[]);
    for _ in 0..200 {
        add(&folder, &cache, "a", 1000);
    }
    let table = cache.table.read().unwrap();
    assert!(table.count == 1 && table.round.len() < 20, "{} in the round", table.round.len());
}
