//! A site as it will be hosted: the options under Site and Folders, as flags and in a file.

use std::fs;

use tempfile::TempDir;

use crate::support::*;

fn ask_with(program: &Program, target: &str, fields: &str) -> String {
    let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n");
    tell(Ok(program.connect()), &head)
}

/// A site with pages, and the manual that stands beside it.
fn pages() -> TempDir {
    let folder = TempDir::with_prefix("qibu-").unwrap();
    for (name, text) in [
        ("site/index.html", "<p>top"),
        ("site/about.html", "<p>about"),
        ("site/404.html", "<p>none"),
        ("site/app.js", "run()"),
        ("manual/index.html", "<p>manual"),
        ("manual/first.html", "<p>first"),
        ("manual/sub/a.txt", "a"),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn check(program: &Program) {
    assert!(program.get("/about").ends_with("\r\n\r\n<p>about"));
    assert!(program.get("/manual/first").ends_with("\r\n\r\n<p>first"));
    let moved = program.get("/old/a?x");
    assert!(moved.starts_with("HTTP/1.1 308 ") && moved.contains("\r\nlocation: /manual/a?x\r\n"), "{moved}");
    let slash = program.get("/manual/sub");
    assert!(slash.starts_with("HTTP/1.1 301 ") && slash.contains("\r\nlocation: /manual/sub/\r\n"), "{slash}");
    let navigation = ask_with(program, "/orders/7", "Sec-Fetch-Mode: navigate\r\n");
    assert!(navigation.starts_with("HTTP/1.1 200 ") && navigation.ends_with("<p>top"), "{navigation}");
    let script = ask_with(program, "/orders.js", "Sec-Fetch-Mode: no-cors\r\n");
    assert!(script.starts_with("HTTP/1.1 404 ") && script.ends_with("<p>none"), "{script}");
    for (target, cache_control) in
        [("/", "no-store"), ("/about", "no-store"), ("/manual/", "max-age=60"), ("/app.js", "no-cache")]
    {
        let answer = program.get(target);
        assert!(answer.contains(&format!("\r\ncache-control: {cache_control}\r\n")), "{target}: {answer}");
    }
    let shared = ask_with(program, "/app.js", "Origin: https://other.example\r\n");
    for field in [
        "access-control-allow-origin: *",
        "access-control-expose-headers: etag, content-range, content-length, accept-ranges, last-modified",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-embedder-policy: require-corp",
    ] {
        assert!(shared.contains(&format!("\r\n{field}\r\n")), "{field}: {shared}");
    }
    let preflight = "OPTIONS /app.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nOrigin: http://localhost:5173\r\n\
                     Access-Control-Request-Method: GET\r\n\
                     Access-Control-Request-Headers: authorization,content-type,range,x-a\r\n\r\n";
    let allowed = tell(Ok(program.connect()), preflight);
    assert!(allowed.starts_with("HTTP/1.1 204 "), "{allowed}");
    assert!(
        allowed.contains("\r\naccess-control-allow-headers: authorization, content-type, range, x-a\r\n"),
        "{allowed}"
    );
}

#[test]
fn a_site_is_served_as_it_will_be_hosted() {
    let folder = pages();
    let flags = ["site", "-p", "0", "--clean-urls", "--spa", "--mount", "/manual=manual", "--cors", "--isolate"];
    let more = ["--redirect", "308:/old/**=/manual/**", "--header", "*.html=Cache-Control: no-store"];
    let last = ["--header", "/manual/**=cache-control: max-age=60"];
    let program = start(qibu(&flags).args(more).args(last).current_dir(folder.path()));
    let manual = folder.path().canonicalize().unwrap().join("manual");
    let line = format!("Serving {} at /manual/", manual.display());
    assert!(program.banner.contains(&line), "{:?}", program.banner);
    check(&program);
}

#[test]
fn the_same_is_said_in_a_file() {
    let folder = pages();
    fs::write(
        folder.path().join("mine.toml"),
        "path = 'site'\nport = 0\nclean-urls = true\nspa = true\nmount = ['/manual=manual']\ncors = true\nisolate = true\n\
         redirect = ['308:/old/**=/manual/**']\n\
         header = ['*.html=Cache-Control: no-store', '/manual/**=cache-control: max-age=60']\n",
    )
    .unwrap();
    check(&start(qibu(&["--config", "mine.toml"]).current_dir(folder.path())));
}

#[test]
fn a_mount_covers_its_folder_however_the_path_is_encoded() {
    let folder = pages();
    fs::create_dir(folder.path().join("site/docs")).unwrap();
    fs::write(folder.path().join("site/docs/a.txt"), "covered").unwrap();
    fs::write(folder.path().join("manual/a.txt"), "mounted").unwrap();
    let program =
        start(qibu(&["site", "-p", "0", "-m", "/docs=manual", "-m", "/文档=manual"]).current_dir(folder.path()));
    for path in
        ["/docs/a.txt", "/%64ocs/a.txt", "/%64%6F%63%73/%61.txt", "/%E6%96%87%E6%A1%A3/a.txt", "/%e6%96%87档/a.txt"]
    {
        assert!(program.get(path).ends_with("\r\n\r\nmounted"), "{path}");
    }
    assert!(program.get("/docs%2Fa.txt").starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_file_that_was_merely_found_mounts_nothing() {
    let folder = pages();
    fs::write(folder.path().join("qibu.toml"), "spa = true\nmount = ['/disk=/']\n").unwrap();
    let ended = run(qibu(&["-p", "0"]).current_dir(folder.path()));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.starts_with("qibu: qibu.toml:2: mount is more than"), "{}", ended.stderr);
}

#[test]
fn what_cannot_be_is_refused_in_one_line_that_names_the_setting() {
    let folder = pages();
    for (flag, value, said) in [
        ("--mount", "manual", "as in /docs=../manual"),
        ("--mount", "manual=manual", "as in /docs=../manual"),
        ("--mount", "/=manual", "as in /docs=../manual"),
        ("--mount", "//a=manual", "as in /docs=../manual"),
        ("--mount", "/a=", "as in /docs=../manual"),
        ("--mount", "/{a}=manual", "choose a plain one"),
        ("--redirect", "/old", "as in /old/**=/new/**"),
        ("--redirect", "/old=/old", "this leads to itself"),
        ("--redirect", "200:/old=/new", "its status is"),
        ("--redirect", "/old=//evil.example", "one slash"),
        ("--header", "*.html", "as in *.html=Cache-Control: no-store"),
        ("--header", "*.html=Cache-Control", "as in *.html=Cache-Control: no-store"),
        ("--header", "[=X-A: b", "header: \"[\" is no glob"),
        ("--header", "*=Content-Length: 3", "header: \"Content-Length\""),
    ] {
        let ended = run(qibu(&["-p", "0", flag, value]).current_dir(folder.path()));
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""), "{flag} {value}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{flag} {value}: {}", ended.stderr);
    }
    let missing = complaint(qibu(&["-p", "0", "--mount", "/a=missing"]).current_dir(folder.path()));
    assert_eq!(missing, "qibu: there is no folder or file missing");
    let twice = run(qibu(&["-p", "0", "-m", "/a=site", "-m", "/a/=manual"]).current_dir(folder.path()));
    assert!(twice.code == Some(2) && twice.stderr.starts_with("qibu: mount: "), "{}", twice.stderr);
}
