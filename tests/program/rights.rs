//! What it does with what it may not read.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::*;

#[test]
fn a_folder_that_may_not_be_read_is_403_and_listed_all_the_same() {
    let folder = site();
    let Some(mut command) = qibu_without_privileges(&folder) else { return };
    let shut = folder.path().join("shut");
    fs::create_dir(&shut).unwrap();
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
    let program = start(command.args(["-p", "0"]).arg(folder.path()));
    assert!(program.get("/shut/").starts_with("HTTP/1.1 403 "));
    assert!(program.get("/").contains("href=\"./shut/\""), "it is there");
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o755)).unwrap(); // or it could not be cleared away
}

/// Not even which files there are.
#[test]
fn one_file_alone_tells_nothing_of_its_neighbours() {
    let folder = site();
    let Some(mut command) = qibu_without_privileges(&folder) else { return };
    fs::set_permissions(folder.path().join("b.txt"), fs::Permissions::from_mode(0o000)).unwrap();
    let program = start(command.args(["-p", "0"]).arg(folder.path().join("a.txt")));
    for path in ["/b.txt", "/nothing.txt"] {
        assert!(program.get(path).starts_with("HTTP/1.1 404 "), "{path}");
    }
    assert!(program.get("/a.txt").ends_with("hello\n"));
}
