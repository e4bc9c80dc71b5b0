//! Flags, variables and qibu.toml: one value each, and where it came from.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::*;

/// What `--print-config` says in this folder.
fn printed(command: &mut Command, folder: &Path) -> String {
    let ended = run(command.arg("--print-config").current_dir(folder));
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{}", ended.stdout);
    ended.stdout
}

/// The one line that refuses a setting: wrong usage, wherever it was said.
fn refused(command: &mut Command, folder: &Path) -> String {
    let ended = run(command.current_dir(folder));
    assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{}", ended.stderr);
    let line = ended.stderr.strip_suffix('\n').expect("a whole line");
    assert!(line.starts_with("qibu: ") && !line.contains('\n'), "not one line: {line:?}");
    line.to_owned()
}

fn folder_with(qibu_toml: &str) -> TempDir {
    let folder = site();
    fs::write(folder.path().join("qibu.toml"), qibu_toml).unwrap();
    folder
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let folder = folder_with("port = 1001\nloops = 1\nbind = ['127.0.0.1', '::1']\n");
    let named = ["-c", "qibu.toml"];
    let file = printed(&mut qibu(&named), folder.path());
    for line in ["port = 1001", "loops = 1", "bind = [\"127.0.0.1\", \"::1\"]", "# qibu.toml:2"] {
        assert!(file.lines().any(|printed| printed == line), "{line}: {file}");
    }
    let variable = printed(qibu(&named).env("QIBU_PORT", "1002").env("QIBU_LOOPS", ""), folder.path());
    assert!(variable.contains("# QIBU_PORT\nport = 1002\n") && variable.contains("loops = 1\n"), "{variable}");
    let flag = printed(qibu(&named).args(["-p", "1003", "-b", "::1"]).env("QIBU_PORT", "1002"), folder.path());
    assert!(flag.contains("# the command line\nport = 1003\n"), "{flag}");
    assert!(flag.contains("bind = [\"::1\"]\n"), "a list replaces a list: {flag}");
}

#[test]
fn what_is_printed_can_be_read_back() {
    let folder = folder_with("");
    let flags = ["site dir", "-p", "0", "--loops", "2", "-b", "unix:/run/q \"1\".sock", "-b", "[::1]:99"];
    let first = printed(&mut qibu(&flags), folder.path());
    fs::write(folder.path().join("again.toml"), &first).unwrap();
    let second = printed(&mut qibu(&["-c", "again.toml"]), folder.path());
    let values = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(ToOwned::to_owned).collect()
    };
    assert_eq!(values(&first), values(&second));
    assert_eq!(values(&first).len(), 4, "{first}");
}

#[test]
fn a_variable_may_hold_several_lines_and_a_switch_is_true_or_false() {
    let folder = site();
    let lines = printed(qibu(&[]).env("QIBU_BIND", "127.0.0.1\nunix:/run/q"), folder.path());
    assert!(lines.contains("bind = [\"127.0.0.1\", \"unix:/run/q\"]"), "{lines}");
    let lan = printed(qibu(&[]).env("QIBU_LAN", "true"), folder.path());
    assert!(lan.contains("# QIBU_LAN\nlan = true\n"), "{lan}");
    let undone = printed(qibu(&["--no-lan"]).env("QIBU_LAN", "true"), folder.path());
    assert!(undone.contains("# the command line\nlan = false\n"), "{undone}");
    let again = printed(&mut qibu(&["--no-lan", "--lan"]), folder.path());
    assert!(again.contains("lan = true\n"), "{again}");
}

#[test]
fn a_wrong_file_is_refused_with_its_line_and_its_key() {
    let cases = [
        ("\nprot = 80", "wrong.toml:2: ", "prot; perhaps you mean port"),
        ("something-else = 80", "wrong.toml:1: ", "no setting something-else"),
        ("port = 70000", "wrong.toml:1: ", "port"),
        ("port = 'eighty'", "wrong.toml:1: ", "'eighty'"),
        ("port = -1", "wrong.toml:1: ", "'-1'"),
        ("port = [1, 2]", "wrong.toml:1: ", "port"),
        ("port = { a = 1 }", "wrong.toml:1: ", "port"),
        ("port = []", "wrong.toml:1: ", "port"),
        ("# a\n\nlan = 3", "wrong.toml:3: ", "lan"),
        ("loops = 0", "wrong.toml:1: ", "loops"),
        ("bind = [\n'::1',\n'nowhere']", "wrong.toml:1: ", "nowhere"),
        ("port = 1\nport = 2", "wrong.toml:2: ", "duplicate key"),
        ("port", "wrong.toml:1: ", "expected `=`"),
        ("\n\u{1b}[31m", "wrong.toml:2: ", ""),
        ("config = 'other.toml'", "wrong.toml:1: ", "no setting config"),
    ];
    let folder = site();
    for (text, place, culprit) in cases {
        fs::write(folder.path().join("wrong.toml"), text).unwrap();
        let line = refused(&mut qibu(&["--config", "wrong.toml"]), folder.path());
        assert!(line.contains(place) && line.contains(culprit), "{text:?}: {line}");
    }
    fs::write(folder.path().join("wrong.toml"), b"port = \xff").unwrap();
    let complaint = complaint(qibu(&["--config", "wrong.toml"]).current_dir(folder.path()));
    assert!(complaint.contains("wrong.toml") && complaint.contains("UTF-8"), "{complaint}");
}

#[test]
fn a_wrong_variable_is_refused_by_its_name() {
    let folder = site();
    for (name, value) in [("QIBU_PORT", "eighty"), ("QIBU_PROT", "80"), ("QIBU_LAN", "maybe"), ("QIBU_LOOPS", "1\n2")] {
        let line = refused(qibu(&[]).env(name, value), folder.path());
        assert!(line.contains(name), "{name}={value}: {line}");
    }
}

#[test]
fn a_contradiction_names_both_sides_and_where_they_stand() {
    let folder = folder_with("\nlan = true\n");
    let line = refused(&mut qibu(&["-c", "qibu.toml", "-b", "::1"]), folder.path());
    assert!(line.contains("lan (qibu.toml:2)") && line.contains("bind (the command line)"), "{line}");
    let line = refused(qibu(&["-c", "qibu.toml"]).env("QIBU_BIND", "::1"), folder.path());
    assert!(line.contains("lan (qibu.toml:2)") && line.contains("bind (QIBU_BIND)"), "{line}");
    printed(&mut qibu(&["-c", "qibu.toml", "--no-lan", "-b", "::1"]), folder.path());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = site();
    for name in ["nothing.toml", "."] {
        let complaint = complaint(qibu(&["-c", name]).current_dir(folder.path()));
        assert!(complaint.contains(name), "{complaint}");
    }
}

/// An archive that was unpacked may bring its own qibu.toml.
#[test]
fn a_file_that_was_merely_found_opens_no_doors() {
    let doors = ["lan = true", "bind = ['0.0.0.0']", "path = '/'", "path = '..'", "loops = 1024", "cors = true"];
    let fields =
        ["header = ['**=access-control-allow-Origin: *']", "header = ['*=X-A: 1', '*=Access-Control-Max-Age:1']"];
    for door in doors.into_iter().chain(fields) {
        let folder = folder_with(door);
        let line = refused(&mut qibu(&[]), folder.path());
        assert!(line.contains("qibu.toml:1: ") && line.contains("--config qibu.toml"), "{door}: {line}");
        printed(&mut qibu(&["--no-config"]), folder.path());
        printed(&mut qibu(&["--config", "qibu.toml"]), folder.path());
        printed(qibu(&[]).env("QIBU_CONFIG", "qibu.toml"), folder.path());
    }
    let folder = folder_with("port = 0\nheader = ['*=X-Access-Control: 1']");
    assert!(printed(&mut qibu(&[]), folder.path()).contains("# qibu.toml:1\nport = 0\n"));
}

#[test]
fn settings_are_never_served() {
    let folder = folder_with("port = 0");
    fs::create_dir(folder.path().join("sub")).unwrap();
    for name in ["own.toml", "sub/qibu.toml"] {
        fs::write(folder.path().join(name), "port = 0").unwrap();
    }
    let program = start(qibu(&["-p", "0", "--config", "own.toml"]).current_dir(folder.path()));
    for path in ["/qibu.toml", "/own.toml", "/QIBU.toml", "/%71ibu.toml", "/sub/qibu.toml", "/./qibu.toml"] {
        assert!(program.get(path).starts_with("HTTP/1.1 404 "), "{path}");
    }
    assert!(program.get("/a.txt").ends_with("\r\n\r\nhello\n"));
    let listing = program.get("/");
    assert!(listing.contains("a.txt") && !listing.contains(".toml"), "{listing}");
    assert!(program.get("/sub/").contains("HTTP/1.1 200 ") && !program.get("/sub/").contains("qibu.toml"));
}

#[test]
fn the_example_of_the_readme_is_right() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, rest) = readme.split_once("```toml\npath").expect("the example begins with the path");
    let example = format!("path{}", rest.split_once("```").unwrap().0);
    let folder = folder_with(&example);
    let printed = printed(&mut qibu(&["--config", "qibu.toml"]), folder.path());
    for line in example.lines() {
        let (key, _) = line.split_once(" =").unwrap();
        assert!(printed.lines().any(|printed| printed.starts_with(&format!("{key} ="))), "{key}: {printed}");
    }
}

#[test]
fn a_variable_undoes_the_file_that_is_found() {
    let folder = site();
    fs::write(folder.path().join("qibu.toml"), "no-such-setting = 1\n").unwrap();
    for (value, is_read) in [("1", false), ("true", false), ("0", true), ("", true)] {
        let ended = run(qibu(&["--print-config"]).env("QIBU_NO_CONFIG", value).current_dir(folder.path()));
        assert_eq!(ended.code == Some(0), !is_read, "{value}: {}", ended.stderr);
    }
}

#[test]
fn what_kubernetes_sets_for_a_service_of_our_name_is_explained() {
    for (name, value) in [("QIBU_PORT", "tcp://10.0.0.1:80"), ("QIBU_SERVICE_HOST", "10.0.0.1")] {
        let ended = run(qibu(&["--print-config"]).env(name, value));
        assert!(ended.code == Some(2) && ended.stderr.contains(name), "{}", ended.stderr);
        assert!(ended.stderr.contains("Kubernetes") && ended.stderr.contains("enableServiceLinks"), "{}", ended.stderr);
    }
}
