//! Where it listens.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use crate::support::*;

#[test]
fn every_url_of_the_banner_leads_to_the_folder() {
    let folder = site();
    for arguments in [&["-p", "0"][..], &["--lan", "-p", "0"], &["-b", "0.0.0.0", "-p", "0"], &["-b", "127.0.0.1:0"]] {
        let program = start(qibu(arguments).arg(folder.path()));
        assert!(program.banner[0].contains(folder.path().to_str().unwrap()), "{:?}", program.banner);
        let urls = program.urls();
        assert!(!urls.is_empty(), "{:?}", program.banner);
        for host_and_port in urls {
            let answer = ask(TcpStream::connect(&*host_and_port), "/a.txt");
            assert!(answer.ends_with("\r\n\r\nhello\n"), "{arguments:?} {host_and_port}: {answer}");
        }
    }
}

/// On Linux all of 127.0.0.0/8 is this host's, but `localhost` is only one address of it; and not every host knows ::1
/// by that name.
#[test]
fn a_banner_does_not_promise_localhost_where_nobody_listens() {
    let folder = site();
    for ip in ["127.0.0.2", "::1"] {
        if TcpListener::bind((ip, 0)).is_err() {
            println!("skipped {ip}: this computer has no such address");
            continue;
        }
        let program = start(qibu(&["-b", ip, "-p", "0"]).arg(folder.path()));
        for host_and_port in program.urls() {
            let answer = ask(TcpStream::connect(&*host_and_port), "/a.txt");
            assert!(answer.ends_with("\r\n\r\nhello\n"), "-b {ip}: http://{host_and_port}/: {answer}");
        }
    }
}

#[test]
fn only_this_computer_is_let_in_unless_lan_is_said() {
    let Some(ip) = own_address() else { return println!("skipped: this computer has no network address") };
    let folder = site();
    let alone = start(qibu(&["-p", "0"]).arg(folder.path()));
    let outside = TcpStream::connect((ip, alone.port()));
    assert_eq!(outside.map_err(|error| error.kind()).unwrap_err(), io::ErrorKind::ConnectionRefused);

    let shared = start(qibu(&["--lan", "-p", "0"]).arg(folder.path()));
    assert!(shared.urls().contains(&SocketAddr::new(ip, shared.port()).to_string()), "{:?}", shared.banner);
    assert!(ask(TcpStream::connect((ip, shared.port())), "/a.txt").ends_with("hello\n"));
}

#[test]
fn a_taken_default_port_moves_on_to_the_next_and_says_so() {
    take_the_default_port();
    let folder = site();
    let program = start(qibu(&[]).arg(folder.path()));
    assert!(program.port() > 8080, "{:?}", program.banner);
    assert!(program.banner[0].contains("8080") && program.banner[0].contains("-p"), "{:?}", program.banner);
    assert!(program.banner[0].contains(&program.port().to_string()), "{:?}", program.banner);
    assert!(program.get("/a.txt").ends_with("\r\n\r\nhello\n"));
}

#[test]
fn the_current_folder_is_served_if_none_is_named() {
    let folder = site();
    let program = start(qibu(&["-p", "0"]).current_dir(folder.path()));
    assert!(program.get("/a.txt").ends_with("\r\n\r\nhello\n"));
}

#[test]
fn of_a_file_nothing_else_of_its_folder_is_served() {
    let folder = site();
    for (name, url) in [("a.txt", "/a.txt"), ("100% mine.txt", "/100%25%20mine.txt"), (".hidden", "/.hidden")] {
        let path = folder.path().join(name);
        fs::write(&path, "mine\n").unwrap();
        let program = start(qibu(&["-p", "0"]).arg(&path));
        let root = program.get("/");
        assert!(root.starts_with("HTTP/1.1 301 ") && root.contains(&format!("\r\nlocation: {url}\r\n")), "{root}");
        assert!(program.get(url).ends_with("\r\n\r\nmine\n"));
        for other in ["/b.txt", "/./b.txt", "/nothing", &format!("{url}/"), &format!("/{name}/../b.txt")] {
            assert!(!program.get(other).contains("for others"), "{other}");
            assert!(!program.get(other).starts_with("HTTP/1.1 200 "), "{other}");
        }
    }
}

#[test]
fn a_unix_socket_answers_and_is_removed_at_the_end() {
    let folder = site();
    let path = folder.path().join("socket");
    let mut program = start(qibu(&["-b", &unix(&path)]).arg(folder.path()));
    assert!(program.banner.iter().any(|line| line.trim() == unix(&path)), "{:?}", program.banner);
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666, "a proxy is another user");
    assert!(ask(UnixStream::connect(&path), "/a.txt").ends_with("\r\n\r\nhello\n"));
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    assert!(!path.exists());
}

#[test]
fn a_unix_socket_is_taken_over_from_the_dead_but_not_from_the_living() {
    let folder = site();
    let path = folder.path().join("socket");
    let mut first = start(qibu(&["-b", &unix(&path)]).arg(folder.path()));
    let complaint = complaint(qibu(&["-b", &unix(&path)]).arg(folder.path()));
    assert!(complaint.contains(path.to_str().unwrap()), "{complaint}");
    first.signal("KILL");
    first.wait();
    assert!(path.exists(), "nobody was left to remove it");
    let _second = start(qibu(&["-b", &unix(&path)]).arg(folder.path()));
    assert!(ask(UnixStream::connect(&path), "/a.txt").ends_with("\r\n\r\nhello\n"));
}

#[test]
fn several_addresses_are_served_at_once() {
    let folder = site();
    let path = folder.path().join("socket");
    let program = start(qibu(&["-b", "127.0.0.1:0", "-b", &unix(&path)]).arg(folder.path()));
    assert!(program.get("/a.txt").ends_with("\r\n\r\nhello\n"));
    assert!(ask(UnixStream::connect(&path), "/a.txt").ends_with("\r\n\r\nhello\n"));

    if TcpListener::bind("[::1]:0").is_err() {
        return println!("skipped the rest: this computer has no IPv6");
    }
    let program = start(qibu(&["-b", "127.0.0.1", "-b", "::1", "-p", "0"]).arg(folder.path()));
    for ip in ["127.0.0.1", "::1"] {
        let address = SocketAddr::new(ip.parse().unwrap(), program.port());
        assert!(ask(TcpStream::connect(address), "/a.txt").ends_with("\r\n\r\nhello\n"), "{address}");
    }
}

#[test]
fn loops_are_as_many_as_asked_for() {
    let folder = site();
    let program = start(qibu(&["--loops", "3", "-p", "0"]).arg(folder.path()));
    let clients: Vec<_> = (0..6).map(|_| program.connect()).collect();
    for client in clients {
        assert!(ask(Ok(client), "/a.txt").ends_with("\r\n\r\nhello\n"));
    }
    #[cfg(target_os = "linux")] // elsewhere the threads of another process have no names
    {
        // A thread names itself when it runs, which may be after all have been answered by others.
        let loops = || {
            let tasks = fs::read_dir(format!("/proc/{}/task", program.child.id())).unwrap();
            let names = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("comm")).unwrap());
            names.filter(|name| name.starts_with("qibu loop")).collect::<Vec<_>>()
        };
        until("the second and the third loop run", || loops().len() >= 2);
        assert_eq!(loops().len(), 2, "besides the first, which is the main thread: {:?}", loops());
    }
}

#[test]
fn a_port_can_be_taken_again_while_old_connections_linger() {
    let folder = site();
    let mut first = start(qibu(&["-p", "0"]).arg(folder.path()));
    let port = first.port().to_string();
    first.get("/a.txt"); // the server closes first, so TIME_WAIT is on its side
    first.signal("TERM");
    assert_eq!(first.wait().code(), Some(0));
    let second = start(qibu(&["-p", &port]).arg(folder.path()));
    assert!(second.get("/a.txt").ends_with("\r\n\r\nhello\n"));
}

/// DNS rebinding: a page of another site has its own name point to this computer, and asks it.
#[test]
fn a_page_of_another_site_reads_nothing_through_a_name_of_its_own() {
    let folder = site();
    let socket = folder.path().join("socket");
    let arguments = ["-b", "127.0.0.1:0", "-b", &unix(&socket), "--allow-host", "box.example"];
    let local = start(qibu(&arguments).arg(folder.path()));
    let as_host = |host: &str| format!("GET /a.txt HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    for (host, expected) in [("evil.example", "421"), ("box.example", "200"), ("localhost:1", "200")] {
        let answer = tell(Ok(local.connect()), &as_host(host));
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{host}: {answer}");
        assert_eq!(answer.contains("hello"), expected == "200", "{host}: {answer}");
    }
    let by_socket = tell(UnixStream::connect(&socket), &as_host("evil.example"));
    assert!(by_socket.ends_with("\r\n\r\nhello\n"), "no page reaches a unix socket: {by_socket}");

    for (more, expected) in [(&[][..], "200"), (&["--allow-host", "box.example"], "421")] {
        let shared = start(qibu(&["--lan", "-p", "0"]).args(more).arg(folder.path()));
        let answer = tell(Ok(shared.connect()), &as_host("any.example"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{more:?}: {answer}");
        assert!(tell(Ok(shared.connect()), &as_host("192.0.2.7")).ends_with("hello\n"));
    }
}

/// What everyone meets first who stands behind a proxy or a tunnel: it says which option lets the name in, once for each.
#[test]
fn a_host_that_is_turned_away_is_told_with_its_option_and_once() {
    let folder = site();
    let mut program = start(qibu(&["-p", "0"]).arg(folder.path()));
    for host in ["www.example.org", "www.example.org", "a\u{202e}b.example", "www.example.org"] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = tell(Ok(program.connect()), &request);
        assert!(answer.is_ascii() && answer.contains("\r\ncontent-type: text/plain"), "{answer}");
        let is_misdirected = answer.starts_with("HTTP/1.1 421 ") && answer.contains("(--allow-host)");
        assert!(is_misdirected || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let told = rest(&program.stderr);
    let of_hosts: Vec<_> = told.lines().filter(|line| line.contains("421")).collect();
    assert!(of_hosts.len() == 1 && of_hosts[0].contains("\"www.example.org\""), "{told}");
    assert!(of_hosts[0].contains("--allow-host") && !told.contains('\u{202e}'), "{told}");
}

#[test]
fn so_many_clients_are_let_in_and_no_more() {
    let folder = site();
    let program = start(qibu(&["-p", "0", "--loops", "1", "--max-connections", "1"]).arg(folder.path()));
    let first = program.begin_large_answer();
    let second = program.get("/a.txt");
    assert!(second.starts_with("HTTP/1.1 503 "), "{second}");
    drop(first);
}
