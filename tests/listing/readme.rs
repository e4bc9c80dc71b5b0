//! A README is shown and can do nothing (features.md §4, row 9).

use super::*;

/// The elements within the README's section, and its name.
fn readme(site: &Site) -> (String, Vec<Element>) {
    let page = site.page("/");
    let start = page.iter().position(|element| element.attribute("class") == "readme").expect("a README");
    let name = page[start].attribute("aria-label").to_owned();
    (name, page.into_iter().skip(start + 2).take_while(|element| element.name != "script").collect())
}

#[test]
fn it_is_found_in_any_case_and_the_best_of_several_is_shown() {
    for name in ["README", "readme", "README.txt", "ReadMe.TXT", "README.md", "Readme.Markdown"] {
        assert_eq!(readme(&Site::new(&[name])).0, name);
    }
    assert_eq!(readme(&Site::new(&["README", "README.txt", "readme.md"])).0, "readme.md");
    let site = Site::new(&["README.md/", "README.html", "README.md.bak", "sub/", "sub/README"]);
    assert!(site.page("/").iter().all(|element| element.attribute("class") != "readme"));
}

#[test]
fn plain_text_is_shown_as_it_is() {
    for name in ["README", "README.txt"] {
        let site = Site::new::<&str>(&[]);
        let text = "# no heading\n<script>alert(1)</script>\n</pre><img src=x onerror=1>\n&amp; &lt;";
        site.add(name, text.as_bytes());
        let (_, elements) = readme(&site);
        let all: Vec<_> = elements.iter().map(|element| (&*element.name, &*element.text)).collect();
        assert_eq!(all, [("pre", text)]);
    }
}

#[cfg(feature = "markdown")]
#[test]
fn markdown_is_rendered_and_its_html_is_text() {
    let site = Site::new::<&str>(&[]);
    let text = "# Head\n\n<script>alert(1)</script>\n\na <img src=x onerror=1> [b](javascript:alert(1)) [c](d.txt)\n\n\
        ![e](f.png) ![g](https://tracker.example/h.png)\n\n- </section></main>\n\n<style>*{display:none}</style>\n";
    site.add("README.md", text.as_bytes());
    let (_, elements) = readme(&site);
    let names: Vec<_> = elements.iter().map(|element| &*element.name).collect();
    assert!(names.iter().all(|name| ["h2", "p", "a", "img", "ul", "li"].contains(name)), "{names:?}");
    let of = |name: &str, attribute: &str| -> Vec<String> {
        let elements = elements.iter().filter(|element| element.name == name);
        elements.map(|element| element.attribute(attribute).to_owned()).collect()
    };
    assert_eq!(of("a", "href"), ["", "d.txt", "https://tracker.example/h.png"]);
    assert_eq!(of("img", "src"), ["f.png"], "nothing is fetched from elsewhere");
    let all: String = elements.iter().map(|element| &*element.text).collect();
    assert!(all.contains("<script>alert(1)</script>") && all.contains("<style>"), "{all}");
}

#[cfg(feature = "markdown")]
#[test]
fn no_link_stands_in_another_and_no_two_elements_have_one_id() {
    let site = Site::new::<&str>(&[]);
    let text = "# Summary\n# A\n# A 1\n# A\n[![CI](https://a.example/b.svg)](https://a.example/) [ ![c](//d.example/e) f](g)\n";
    site.add("README.md", text.as_bytes());
    let page = site.page("/");
    let ids: Vec<_> = page.iter().map(|element| element.attribute("id")).filter(|id| !id.is_empty()).collect();
    assert_eq!(ids, ["summary", "a", "a-1", "a-2"]);
    let links: Vec<_> = page.iter().filter(|element| element.name == "a" && element.parent == "p").collect();
    let links: Vec<_> = links.iter().map(|link| (link.attribute("href"), &*link.text)).collect();
    assert_eq!(links, [("https://a.example/", "CI"), ("g", " c f")]);
    assert!(page.iter().all(|element| element.parent != "a"), "nothing but words is in a link here");
}

#[test]
fn its_language_is_not_said_to_be_the_page_s() {
    let site = Site::new(&["README"]);
    let page = site.page("/");
    assert!(
        page.iter()
            .any(|element| element.name == "section" && element.has("lang") && element.attribute("lang").is_empty())
    );
    assert!(page.iter().any(|element| element.name == "pre" && element.attribute("dir") == "auto"));
}

#[test]
fn any_bytes_are_shown_as_text() {
    // 你好，世界。 in GBK, then as UTF-16, then bytes that are nothing at all
    let gbk = b"\xc4\xe3\xba\xc3\xa3\xac\xca\xc0\xbd\xe7\xa1\xa3";
    let utf16: Vec<u8> = "\u{feff}你好，世界。".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, bytes) in ["README.txt", "README.md"].into_iter().flat_map(|name| [(name, &gbk[..]), (name, &utf16)]) {
        let site = Site::new::<&str>(&["a"]);
        site.add(name, bytes);
        let all: String = readme(&site).1.iter().map(|element| &*element.text).collect();
        if cfg!(feature = "charset") {
            assert!(all.contains("你好，世界。"), "{all:?}");
        }
        assert_eq!(site.names("/"), ["a", name]);
    }
    let noise: Vec<u8> = (0..=255).cycle().take(5000).collect();
    for name in ["README", "README.md"] {
        let site = Site::new::<&str>(&[]);
        site.add(name, &noise);
        readme(&site);
    }
}

#[test]
fn a_long_one_is_cut_and_one_from_outside_is_not_there() {
    let site = Site::new::<&str>(&[]);
    site.add("README", &vec![b'x'; 1 << 20]);
    assert!(site.get("/").bytes().len() < 300_000);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let site = Site::new(&["a"]);
    std::os::unix::fs::symlink(outside.path().join("secret"), site.path("README.md")).unwrap();
    assert_eq!(site.names("/"), ["a"]);
    assert!(!site.get("/").text().contains("secret"));
}
