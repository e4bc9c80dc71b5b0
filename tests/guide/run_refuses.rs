//! tests/guide/run itself, on small guides of our own: it lets pass what is as shown, and refuses what is not.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs it on a guide of one page; `None` where there is no python3 or no bash.
fn run(page: &str) -> Option<(bool, String)> {
    for program in ["python3", "bash"] {
        Command::new(program).arg("--version").stdout(Stdio::null()).status().ok()?;
    }
    let guide = tempfile::tempdir().unwrap();
    fs::write(guide.path().join("README.md"), page).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guide/run");
    let ended = Command::new("python3").arg(script).arg("--guide").arg(guide.path()).output().unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    Some((ended.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[track_caller]
fn passed(page: &str) {
    let Some((is_good, said)) = run(page) else { return println!("SKIPPED: python3 or bash is not installed") };
    assert!(is_good, "{said}");
}

#[track_caller]
fn refused(page: &str, saying: &str) {
    let Some((is_good, said)) = run(page) else { return println!("SKIPPED: python3 or bash is not installed") };
    assert!(!is_good && said.contains(saying), "wanted {saying:?}: {said}");
}

#[test]
fn what_is_printed_is_compared() {
    passed("```console\n$ echo a; echo b >&2\na\nb\n$ true\n$ printf c\nc\n```\n");
    passed("```console\n$ echo a took 12 ms\na took ... ms\n$ seq 9\n1\n...\n9\n```\n");
    passed("```console\n$ cat <<'END'\na\nEND\na\n$ echo 'b\nc'\nb\nc\n$ echo d \\\n  e\nd e\n```\n");
    passed("```console\n$ echo '   Compiling a v1'; echo b\nb\n$ echo \"$ADDRESS\"\n\n```\n");
    refused(
        "\n```console\n$ echo a\nb\n```\n",
        "README.md:3: `echo a`\n    --- the page shows\n    +++ it prints\n    -b\n    +a",
    );
    refused("```console\n$ echo a\n```\n", "+a");
    refused("```console\n$ true\na\n```\n", "-a");
    refused("```console\n$ seq 3\n1\n...\n2\n```\n", "+3");
    refused("```console\na\n```\n", "output before any");
    refused("```console\n$ echo 'a\n```\n", "not complete");
}

#[test]
fn a_server_in_the_background_is_waited_for_and_ended() {
    let server = "```console\n$ python3 -m http.server -b 127.0.0.1 8090 &\n$ python3 -c '\nimport urllib.request as u\n\
        print(u.urlopen(\"http://127.0.0.1:8090/Cargo.toml\").status)'\n200\n```\n";
    passed(&format!(
        "{server}```console of=1\n...\n... \"GET /Cargo.toml ...\" 200 -\n```\n```console\n$ ^C\n\n...\n```\n"
    ));
    refused(&format!("{server}```console\n$ ^C\n```\n```console of=1\nnever\n```\n"), "-never");
    refused(&format!("{server}## Later: exercise\n```console\n$ true\n```\n"), "still runs");
    refused("```console of=1\n```\n", "of=1, and 0 commands");
    refused("```console\n$ ^C\n```\n", "nothing runs");
}

#[test]
fn what_is_typed_at_a_command_reaches_it() {
    let shout = "```console\n$ python3 -c 'for line in iter(input, \"end\"): print(line.upper())' &\n```\n";
    let shout = shout.replace("for line", "print(\"Listening\")\nfor line").replace("&\n", "&\nListening\n");
    passed(&format!("{shout}```console of=1\n> over\nOVER\n> b\n> end\nB\n```\n"));
    passed(&format!("{shout}```console of=1\n> over\nOVER\n> ^D\n...\nEOFError: ...\n```\n"));
    refused(&format!("{shout}```console of=1\n> over\n> end\nover\n```\n"), "-over");
}

#[test]
fn python_runs_and_is_saved() {
    passed("```python save=guide_run_test.py\nprint(1)\n```\n```console\n$ python3 guide_run_test.py\n1\n```\n");
    assert!(!Path::new(env!("CARGO_MANIFEST_DIR")).join("guide_run_test.py").exists());
    passed("```python run\nassert True\n```\n```python\nraise SystemExit(1)\n```\n");
    refused("```python run\nassert False\n```\n", "AssertionError");
    refused("```python save=Cargo.toml\n```\n", "is there already");
    refused("```python save=../mine.py\n```\n", "not for a learner");
}
