use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::*;
use crate::static_files::StaticFiles;
use crate::testing::TestClient;

const LENGTH: u64 = 1000;

fn target(name: &str) -> Target {
    Target::root().child(name)
}

fn text(bytes: usize) -> Vec<u8> {
    b"some text that compresses well\n".iter().copied().cycle().take(bytes).collect()
}

/// The coding in which the file comes to who takes brotli.
fn coding(files: &Arc<StaticFiles>, path: &str) -> Option<String> {
    let answer = TestClient::new(files.clone()).get(path).header("Accept-Encoding", "br").send();
    assert_eq!(answer.status(), 200);
    answer.header("content-encoding").map(str::to_owned)
}

/// A file that counts as changed a moment ago for as long as the test runs.
fn write_unsettled(folder: &Path, name: &str, bytes: usize) {
    fs::write(folder.join(name), text(bytes)).unwrap();
    let file = File::options().write(true).open(folder.join(name)).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
}

#[test]
fn a_file_is_compressed_once_at_a_time_for_each_coding() {
    let compressions = Compressions::new(1 << 20);
    let begin = |name, coding| compressions.begin(&target(name), coding, LENGTH);
    let turn = begin("a", Coding::Brotli).unwrap();
    assert!(begin("a", Coding::Brotli).is_none());
    let others = [begin("a", Coding::Gzip), begin("b", Coding::Brotli)];
    assert!(others.iter().all(Option::is_some));
    drop(turn);
    assert!(begin("a", Coding::Brotli).is_some());
}

#[test]
fn what_was_made_counts_until_the_last_has_let_go_of_it() {
    let compressions = Compressions::new(2 * text(1000).len());
    let begin = |name| compressions.begin(&target(name), Coding::Gzip, LENGTH);
    let turn = begin("a").unwrap();
    assert!(begin("b").is_none(), "there is room for one");
    let (_, made) = turn.compress(text(1000)).unwrap();
    assert_eq!(compressions.shared.lock().bytes, made.len());
    let sent = made.slice(..1);
    drop(made);
    assert!(begin("b").is_none(), "somebody sends it");
    drop(sent);
    assert!(begin("b").is_some());
    let state = compressions.shared.lock();
    assert_eq!((state.bytes, state.begun.len()), (0, 0));
}

#[test]
fn who_gets_no_turn_gets_the_file_as_it_is_and_the_next_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.css"), text(100_000)).unwrap();
    let files = Arc::new(StaticFiles::new(folder.path()));
    let turn = files.cache.compressions().begin(&target("a.css"), Coding::Brotli, LENGTH).unwrap();
    assert_eq!(coding(&files, "/a.css"), None);
    drop(turn);
    assert_eq!(coding(&files, "/a.css").as_deref(), Some("br"));
}

/// A file of this repository was changed long ago.
#[test]
fn what_was_sent_as_it_is_for_want_of_a_turn_is_not_kept_so() {
    let files = Arc::new(StaticFiles::new(env!("CARGO_MANIFEST_DIR")));
    let turn = files.cache.compressions().begin(&target("README.md"), Coding::Brotli, LENGTH).unwrap();
    assert_eq!(coding(&files, "/README.md"), None);
    drop(turn);
    assert_eq!(coding(&files, "/README.md").as_deref(), Some("br"));
}

#[test]
fn what_is_too_large_to_be_compressed_again_for_each_who_asks_waits_until_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    write_unsettled(folder.path(), "small.css", 256 * 1024);
    write_unsettled(folder.path(), "large.css", 256 * 1024 + 1);
    let files = Arc::new(StaticFiles::new(folder.path()));
    assert_eq!(coding(&files, "/small.css").as_deref(), Some("br"));
    assert_eq!(coding(&files, "/large.css"), None);
}
