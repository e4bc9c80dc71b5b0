//! Links that lead out of the folder, wherever a feature may come upon one, and links that come while we look.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use qibu::StaticFiles;
use qibu::testing::TestClient;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::{OUTSIDE, World, try_all};

#[test]
fn no_link_leads_out_through_any_feature() {
    let world = World::new();
    let root = world.root();
    for folder in ["index", "sidecar", "notfound", "readme", "clean"] {
        fs::create_dir(root.join(folder)).unwrap();
    }
    world.write("site/sidecar/a.txt", "inside");
    for (target, link) in [
        ("../secret.txt", "file.txt"),
        ("..", "up"),
        ("../site-evil", "folder/other"),
        ("up/secret.txt", "through.txt"),
        ("file.txt", "chain.txt"),
        ("../nothing", "dangling.txt"),
        ("loop", "loop"),
        ("../site/a.txt", "out-and-in.txt"),
        ("/proc/self/environ", "environ.txt"),
        ("../../index.html", "index/index.html"),
        ("../../a.txt.gz", "sidecar/a.txt.gz"),
        ("../../404.html", "notfound/404.html"),
        ("../../README.md", "readme/README.md"),
        ("../../about.html", "clean/about.html"),
        ("../index.html", "index.html"),
        ("../404.html", "404.html"),
        ("../README.md", "README.md"),
    ] {
        symlink(target, root.join(link)).unwrap();
    }
    symlink(world.path().join("secret.txt"), root.join("absolute.txt")).unwrap();
    let targets = [
        "/",
        "/index.html",
        "/nothing",
        "/orders/7",
        "/file.txt",
        "/file",
        "/up/",
        "/up",
        "/up/secret.txt",
        "/up/site/a.txt",
        "/folder/other/",
        "/folder/other/secret.txt",
        "/folder/",
        "/through.txt",
        "/chain.txt",
        "/dangling.txt",
        "/loop",
        "/loop/loop",
        "/out-and-in.txt",
        "/environ.txt",
        "/absolute.txt",
        "/index/",
        "/sidecar/a.txt",
        "/notfound/nothing",
        "/readme/",
        "/clean/about",
        "/clean/about/",
    ];
    for (prefix, client) in world.sites() {
        for target in targets {
            for answer in try_all(&client, &format!("{prefix}{target}")) {
                let body = String::from_utf8_lossy(answer.bytes());
                assert!(!body.contains("PATH="), "{target}: the environment");
            }
        }
    }
    let client = TestClient::new(StaticFiles::new(&root).clean_urls());
    assert_eq!(client.get("/sidecar/a.txt").header("accept-encoding", "gzip").send().text(), "inside");
    symlink("../folder/b.txt", root.join("sidecar/in.txt")).unwrap();
    assert_eq!(client.get("/sidecar/in.txt").send().text(), "inside", "links within the folder are followed");
}

/// How often the folder and the link change places.
const SWAPS: usize = 100_000;

/// A folder of the root and a link to a folder outside change places, again and again, by one atomic rename each; meanwhile
/// files in it are asked for, through every feature. There is no check that could be outrun: what is opened is opened beneath
/// the root.
#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_changes_places_with_a_link_100000_times_shows_nothing_outside() {
    let world = World::new();
    for (folder, text) in [("site/x", "inside"), ("y", OUTSIDE)] {
        for name in ["f.txt", "f.txt.gz", "page.html", "404.html", "README.md", "sub/index.html"] {
            world.write(&format!("{folder}/{name}"), text);
        }
    }
    world.write(&format!("y/{OUTSIDE}.txt"), OUTSIDE);
    symlink("../y", world.path().join("link")).unwrap();
    let (is_over, inside) = (AtomicBool::new(false), AtomicU64::new(0));
    let sites = world.sites();
    thread::scope(|scope| {
        let (is_over, inside, sites) = (&is_over, &inside, &sites);
        scope.spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                for (prefix, client) in sites {
                    for name in ["x/f.txt", "x/", "x", "x/page", "x/nothing", "x/sub/", "x/sub"] {
                        for answer in try_all(client, &format!("{prefix}/{name}")) {
                            inside.fetch_add(u64::from(answer.bytes() == b"inside"), Ordering::Relaxed);
                        }
                    }
                }
            }
        });
        let (folder, link) = (world.root().join("x"), world.path().join("link"));
        for _ in 0..SWAPS {
            renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE).unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(inside.load(Ordering::Relaxed) > 0, "nobody saw the folder itself: this has tested nothing");
    assert_eq!(TestClient::new(StaticFiles::new(world.root())).get("/x/f.txt").send().text(), "inside");
}
