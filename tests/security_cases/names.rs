//! Names and texts of files that would be something else on a page: they are text there.

use std::fs;

use qibu::StaticFiles;
use qibu::testing::TestClient;

use crate::World;

#[test]
fn names_are_text_in_a_listing() {
    let world = World::new();
    let odd = [
        "\"><img src=x onerror=1>",
        "'onmouseover='1",
        "<script>alert(1)",
        "javascript:alert(1)",
        "&lt;b&gt;",
        "a\nb",
        "%3Cscript%3E",
        "#?%",
    ];
    fs::create_dir_all(world.root().join("odd/<i>folder")).unwrap();
    for name in odd {
        world.write(&format!("site/odd/{name}"), "inside");
        world.write(&format!("site/odd/<i>folder/{name}"), "inside");
    }
    let client = TestClient::new(StaticFiles::new(world.root()));
    for target in ["/odd/", "/odd/%3Ci%3Efolder/"] {
        let answer = client.get(target).header("accept", "text/html").send();
        let page = answer.text();
        for tag in ["<img src", "<i>", "<script>alert", "<b>", "href='", "\"javascript:", "'javascript:"] {
            assert!(!page.contains(tag), "{target}: {tag} in {page}");
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("script-src 'unsafe-inline'"), "{policy}");
    }
    let missing = client.get("/%3Cscript%3Ealert(1)").header("accept", "text/html").send();
    assert!(!missing.text().contains("<script>"), "a page of an error repeats nothing");
}

#[test]
fn a_readme_is_no_part_of_our_page() {
    let world = World::new();
    for (folder, name, text) in [
        ("md", "README.md", &b"# hello\n<script>alert(1)</script><img src=x onerror=alert(1)>"[..]),
        ("txt", "README.txt", b"</pre><script>alert(1)</script>"),
        ("gbk", "README", b"\xc4\xe3\xba\xc3<script>alert(1)</script>\xff"),
    ] {
        fs::create_dir_all(world.root().join(folder)).unwrap();
        fs::write(world.root().join(folder).join(name), text).unwrap();
        let client = TestClient::new(StaticFiles::new(world.root()));
        let answer = client.get(&format!("/{folder}/")).header("accept", "text/html").send();
        let page = answer.text();
        assert_eq!(answer.status(), 200, "{name}");
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{name}: {page}");
    }
}
