//! What it says before it listens.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::*;

#[test]
fn the_short_help_fits_on_one_screen_and_the_long_one_names_every_option() {
    let (short, long) = (run(&mut qibu(&["-h"])), run(&mut qibu(&["--help"])));
    for help in [&short, &long] {
        assert_eq!((help.code, &*help.stderr), (Some(0), ""));
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "too wide:\n{}", help.stdout);
        for part in ["DIR|FILE", "--lan", "--port", "--bind", "--allow-host", "--config", "--version", "8080", "--help"]
        {
            assert!(help.stdout.contains(part), "it does not name {part}:\n{}", help.stdout);
        }
    }
    assert!(short.stdout.lines().count() <= 40, "too long:\n{}", short.stdout);
    let settings = run(&mut qibu(&["--print-config"])).stdout;
    for key in settings.lines().filter_map(|line| line.strip_prefix("# ")?.split_once(": ")).map(|(key, _)| key) {
        let name = if key == "path" { "[DIR|FILE]".into() } else { format!(" --{key}") };
        assert!(long.stdout.contains(&name), "--help does not name {name}:\n{}", long.stdout);
    }
    assert!(long.stdout.contains("Examples:"), "{}", long.stdout);
}

#[test]
fn version_is_one_line() {
    let version = run(&mut qibu(&["--version"]));
    assert_eq!((version.code, &*version.stderr), (Some(0), ""));
    assert_eq!(version.stdout, concat!("qibu ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_which_argument() {
    let cases: &[(&[&str], &str)] = &[
        (&["--bogus"], "--bogus"),
        (&["-p"], "--port"),
        (&["-p", "65536"], "65536"),
        (&["-p", "eighty"], "eighty"),
        (&["-p", "-1"], "-1"),
        (&["--loops", "0"], "--loops"),
        (&["--loops", "many"], "--loops"),
        (&["-b", "nowhere"], "nowhere"),
        (&["-b", "300.0.0.1"], "300.0.0.1"),
        (&["-b", "127.0.0.1:99999"], "127.0.0.1:99999"),
        (&["--lan", "-b", "::1"], "--bind"),
        (&["--allow-host"], "--allow-host"),
        (&["--log-format", "xml"], "--log-format"),
        (&["--log-file", ""], "--log-file"),
        (&["--log-file"], "--log-file"),
        (&["--completions", "tcsh"], "--completions"),
        (&["--max-connections", "0"], "--max-connections"),
        (&["--qr=yes"], "--qr"),
        (&["one", "two"], "two"),
        (&[""], "DIR|FILE"),
    ];
    for (arguments, culprit) in cases {
        let ended = run(&mut qibu(arguments));
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: "), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(culprit), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_unix_socket_without_a_path_is_wrong_usage() {
    let ended = run(&mut qibu(&["-b", "unix:"]));
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
}

#[test]
fn what_is_no_name_of_a_host_is_wrong_usage() {
    let ended = run(&mut qibu(&["--allow-host", "http://a.example/"]));
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("--allow-host") && ended.stderr.contains("a.example"), "{}", ended.stderr);
}

#[test]
fn a_missing_folder_is_named() {
    let complaint = complaint(&mut qibu(&["/no/such/folder"]));
    assert!(complaint.contains("/no/such/folder"), "{complaint}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = site();
    for (name, mode) in [("closed folder", 0o000), ("closed file", 0o000), ("unlisted folder", 0o311)] {
        let path = folder.path().join(name);
        if name.ends_with("folder") {
            fs::create_dir(&path).unwrap()
        } else {
            fs::write(&path, "secret").unwrap()
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let Some(mut command) = qibu_without_privileges(&folder) else { return };
        let ended = run(command.arg(&path));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap(); // or it could not be cleared away
        let complaint = ended.complaint();
        assert!(complaint.contains(name), "{complaint}");
    }
}

#[test]
fn what_is_neither_folder_nor_file_is_refused_at_once() {
    let folder = site();
    let fifo = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for path in [&*fifo, Path::new("/dev/null")] {
        let complaint = complaint(qibu(&["-p", "0"]).arg(path));
        assert!(complaint.contains(path.to_str().unwrap()), "{complaint}");
    }
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let complaint = complaint(&mut qibu(&["no\u{1b}[31m\nsuch"]));
    assert!(!complaint.contains(char::is_control), "{complaint:?}");
}

#[test]
fn a_port_that_was_asked_for_and_is_taken_is_an_error_that_shows_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let complaint = complaint(&mut qibu(&["-p", &port]));
    assert!(complaint.contains(&port) && complaint.contains("-p"), "{complaint}");
}

#[test]
fn a_taken_port_that_was_given_with_the_address_is_not_blamed_on_another_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let complaint = complaint(&mut qibu(&["-b", &address]));
    assert!(complaint.contains(&address), "{complaint}");
    assert!(!complaint.contains("-p"), "-p does not change it: {complaint}");
}

#[test]
fn a_browser_is_not_promised_a_unix_socket() {
    let folder = site();
    let complaint = complaint(&mut qibu(&["--open", "-b", &unix(&folder.path().join("socket"))]));
    assert!(complaint.contains("--open") && complaint.contains("-b 127.0.0.1"), "{complaint}");
}

#[test]
fn a_mount_with_dots_is_wrong_usage() {
    for at in ["/./x", "/../x", "/x/..", "/."] {
        let ended = run(&mut qibu(&["-m", &format!("{at}=.")]));
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{at}");
        assert!(ended.stderr.contains(at), "{}", ended.stderr);
    }
}

#[test]
fn a_port_for_no_address_is_an_error_that_names_both() {
    let folder = site();
    let socket = unix(&folder.path().join("socket"));
    for bind in [&["-b", "127.0.0.1:0"][..], &["-b", &socket, "-b", "[::1]:0"]] {
        let ended = run(qibu(&["-p", "21012"]).args(bind).arg(folder.path()));
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
        assert!(ended.stderr.contains("21012") && ended.stderr.contains(bind[1]), "{}", ended.stderr);
    }
}

#[test]
fn a_taken_port_is_not_blamed_on_a_unix_socket() {
    let folder = site();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let complaint = complaint(qibu(&["-b", "unix:a", "-b", &address]).current_dir(folder.path()));
    assert!(complaint.contains(&address) && complaint.contains("port") && !complaint.contains("path"), "{complaint}");
}

#[test]
fn an_address_of_another_host_is_named() {
    let complaint = complaint(&mut qibu(&["-b", "203.0.113.77", "-p", "0"]));
    assert!(complaint.contains("203.0.113.77"), "{complaint}");
}

#[test]
fn a_privileged_port_says_so_wherever_it_was_given() {
    const PORT: &str = "1";
    let first_free = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or("1024".into());
    if first_free.trim().parse::<u16>().is_ok_and(|first| first <= 1) {
        return println!("skipped: this system has no privileged ports");
    }
    let folder = site();
    for arguments in [["-p", PORT], ["-b", "127.0.0.1:1"]] {
        let Some(mut command) = qibu_without_privileges(&folder) else { return };
        let complaint = complaint(command.args(arguments).arg(folder.path()));
        assert!(complaint.contains("127.0.0.1:1:"), "{complaint}");
        assert!(complaint.contains("1024"), "{arguments:?} does not say what to do: {complaint}");
    }
}

#[test]
fn a_file_in_the_place_of_a_unix_socket_is_kept_and_named() {
    let folder = site();
    let path = folder.path().join("a.txt");
    let complaint = complaint(&mut qibu(&["-b", &unix(&path)]));
    assert!(complaint.contains("a.txt"), "{complaint}");
    let advice = complaint.replace(folder.path().to_str().unwrap(), ""); // whose name is made up
    assert!(!advice.contains("-p"), "a port does not help: {complaint}");
    assert_eq!(fs::read_to_string(path).unwrap(), "hello\n");
}

#[test]
fn a_unix_socket_in_a_missing_folder_is_named() {
    let complaint = complaint(&mut qibu(&["-b", "unix:/no/such/folder/socket"]));
    assert!(complaint.contains("/no/such/folder/socket"), "{complaint}");
}
