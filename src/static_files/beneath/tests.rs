//! All three ways of opening are held against the same folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{portable, walk};
use crate::disk::Patience;

/// A root with links of every kind, and a secret beside it.
fn world() -> tempfile::TempDir {
    let world = tempfile::tempdir().unwrap();
    let root = world.path().join("site");
    fs::create_dir_all(root.join("dir/sub")).unwrap();
    fs::write(root.join("a.txt"), "inside").unwrap();
    fs::write(root.join("dir/sub/b.txt"), "inside").unwrap();
    fs::write(world.path().join("secret.txt"), "outside").unwrap();
    for (target, link) in [
        ("a.txt", "link.txt"),
        ("dir", "link-dir"),
        ("../a.txt", "dir/up.txt"),
        ("sub/../../a.txt", "dir/zigzag.txt"),
        ("link.txt", "link-link.txt"),
        ("../secret.txt", "out.txt"),
        ("..", "out-dir"),
        ("../site/a.txt", "out-and-in.txt"),
        ("out.txt", "chain.txt"),
        ("loop.txt", "loop.txt"),
        ("nothing", "dangling.txt"),
    ] {
        symlink(target, root.join(link)).unwrap();
    }
    symlink(world.path().join("secret.txt"), root.join("absolute.txt")).unwrap();
    world
}

fn content(file: io::Result<File>) -> Option<String> {
    let mut text = String::new();
    file.ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

/// What each of the ways finds there.
fn read_in_every_way(world: &Path, path: &str) -> Vec<Option<String>> {
    let root = world.join("site");
    let (folder, path) = (File::open(&root).unwrap(), Path::new(path));
    vec![
        content(super::Beneath::new(&root).open(path, Patience::ForTheDisk)),
        content(walk::open(folder.as_fd(), path, Patience::ForTheDisk).map(File::from)),
        content(portable::Beneath::new(&root).open(path, Patience::ForTheDisk)),
    ]
}

#[test]
fn what_stays_beneath_the_root_is_opened() {
    let world = world();
    for path in
        ["a.txt", "dir/sub/b.txt", "link.txt", "link-dir/sub/b.txt", "dir/up.txt", "dir/zigzag.txt", "link-link.txt"]
    {
        let found = read_in_every_way(world.path(), path);
        assert!(found.iter().all(|text| text.as_deref() == Some("inside")), "{path}: {found:?}");
    }
}

#[test]
fn what_leaves_the_root_is_not() {
    let world = world();
    for path in [
        "out.txt",
        "out-dir/secret.txt",
        "absolute.txt",
        "chain.txt",
        "loop.txt",
        "dangling.txt",
        "../secret.txt",
        "/etc/passwd",
    ] {
        let found = read_in_every_way(world.path(), path);
        assert_eq!(found, [None, None, None], "{path}");
    }
}

#[test]
fn names_that_windows_takes_for_something_else_are_refused_there() {
    for name in ["c:", "a:stream", "a\\b", "nul", "NUL.txt", "com1", "LPT9.log", "a.", "a ", "con", "a*b"] {
        assert_eq!(portable::file_name(name.as_bytes()), None, "{name}");
    }
    for name in ["a.txt", "a b", "console.txt", "company", "日本語.txt"] {
        assert!(portable::file_name(name.as_bytes()).is_some(), "{name}");
    }
}
