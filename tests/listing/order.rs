//! What is listed in which order, and how it is found.

use super::*;

#[test]
fn names_are_in_natural_order_with_folders_first() {
    let site = Site::new(&["b", "a10", "A2", "a1", "sub10/", "sub9/", "10", "9"]);
    assert_eq!(site.names("/"), ["sub9/", "sub10/", "9", "10", "a1", "A2", "a10", "b"]);
    assert_eq!(site.names("/?order=desc"), ["sub10/", "sub9/", "b", "a10", "A2", "a1", "10", "9"]);
}

/// The links in the heads of the columns, by the text in them, and what is said of the column's order.
fn columns(page: &[Element]) -> Vec<(String, String, String)> {
    let heads: Vec<_> = page.iter().filter(|element| element.name == "th").collect();
    let links = page.iter().filter(|element| element.name == "a" && element.parent == "th");
    let columns = heads.iter().zip(links);
    columns.map(|(th, a)| (a.text.clone(), a.attribute("href").into(), th.attribute("aria-sort").into())).collect()
}

#[test]
fn every_column_sorts_both_ways_by_plain_links() {
    let site = Site::new(&["sub/"]);
    for (name, size, time) in [("a", 30, 100), ("b", 10, 300), ("c", 20, 200)] {
        site.add(name, &vec![b'x'; size]);
        site.set_time(name, time);
    }
    let mut target = "/?q=&x=y".to_owned();
    let mut seen = Vec::new();
    for column in ["Name", "Name", "Size", "Size", "Modified (UTC)", "Modified (UTC)", "Name"] {
        let page = site.page(&target);
        let (_, link, _) = columns(&page).into_iter().find(|(name, ..)| name == column).unwrap();
        target = resolve(&target, &link);
        let page = site.page(&target);
        let sorted: Vec<_> = columns(&page).into_iter().filter(|(_, _, sorted)| !sorted.is_empty()).collect();
        assert_eq!(sorted.len(), 1, "one column is sorted");
        assert_eq!(sorted[0].0, column);
        let names: String = rows(&page).map(|link| &*link.text).collect();
        seen.push(format!("{} {names}", sorted[0].2));
    }
    assert_eq!(
        seen,
        [
            "descending sub/cba",
            "ascending sub/abc",
            "descending sub/acb",
            "ascending sub/bca",
            "descending sub/bca",
            "ascending sub/acb",
            "ascending sub/abc",
        ]
    );
}

#[test]
fn the_filter_finds_names_and_keeps_the_order() {
    let site = Site::new(&["Alpha", "beta", "alphabet", "\u{c9}t\u{e9}", "a+b", "sub alpha/"]);
    assert_eq!(site.names("/?q=ALPHA"), ["sub alpha/", "Alpha", "alphabet"]);
    assert_eq!(site.names("/?q=%C3%A9t"), ["\u{c9}t\u{e9}"]);
    assert_eq!(site.names("/?q=sub+a"), ["sub alpha/"]);
    assert_eq!(site.names("/?q=a%2Bb"), ["a+b"]);
    assert_eq!(site.names("/?q=nothing"), Vec::<String>::new());
    let page = site.page("/?q=alpha&sort=size&view=grid");
    let field = |name: &str| page.iter().find(|element| element.attribute("name") == name).unwrap().attribute("value");
    assert_eq!([field("q"), field("sort"), field("view")], ["alpha", "size", "grid"], "the form sends them along");
    assert_eq!(site.get_as("text/plain", "/?q=alpha&order=desc").text(), "sub alpha/\nalphabet\nAlpha\n");
}

/// The cells of each row: name, size, time.
fn cells(page: &[Element]) -> Vec<String> {
    page.iter().filter(|element| element.name == "td").map(|cell| cell.text.clone()).collect()
}

#[test]
fn sizes_and_times_are_said_whatever_they_are() {
    let site = Site::new(&["a", "b", "c", "d"]);
    File::options().write(true).open(site.path("a")).unwrap().set_len(5 << 30).unwrap();
    for (name, seconds) in [("a", 784_111_777), ("b", -86_400), ("c", 0), ("d", 1 << 40)] {
        site.set_time(name, seconds);
    }
    let cells = cells(&site.page("/"));
    let times: Vec<_> = cells.iter().skip(2).step_by(3).map(String::as_str).collect();
    assert_eq!(
        (&*cells[1], times[..3].to_vec()),
        ("5.0 GiB", vec!["1994-11-06 08:49", "1969-12-31 00:00", "1970-01-01 00:00"])
    );
    // What a file system keeps of a year beyond its own differs.
    assert!(times[3] == "36812-02-20 00:36" || times[3] < "9999", "{}", times[3]);
    assert_eq!(site.get("/a").header("last-modified"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
}

#[test]
fn the_page_says_how_much_there_is() {
    let status = |site: &Site| {
        let page = site.page("/");
        page.iter().find(|element| element.attribute("role") == "status").unwrap().text.clone()
    };
    let site = Site::new::<&str>(&[]);
    assert_eq!(status(&site), "0 files");
    site.add("a", &[0; 1500]);
    site.add("sub/", b"");
    assert_eq!(status(&site), "1 folder, 1 file, 1.4 KiB");
    for number in 0..1200 {
        site.add(format!("sub/{number}"), b"");
        site.add(number.to_string(), b"");
    }
    assert_eq!(status(&site), "1 folder, 1,201 files, 1.4 KiB");
}

#[test]
fn pictures_are_seen_in_a_grid_when_asked_for() {
    let site = Site::new(&["a.png", "b.JPG", "c.txt", "d.png/", "e.svg"]);
    let views = |page: &[Element]| page.iter().any(|element| element.attribute("href") == "?view=grid");
    assert!(views(&site.page("/")) && !views(&site.page("/d.png/")), "where there are pictures");
    let page = site.page("/?view=grid");
    let pictures = page.iter().filter(|element| element.name == "img");
    let pictures: Vec<_> = pictures.map(|image| (image.attribute("src"), image.attribute("loading"))).collect();
    assert_eq!(pictures, [("./a.png", "lazy"), ("./b.JPG", "lazy"), ("./e.svg", "lazy")]);
    assert_eq!(rows(&page).count(), 5, "and all the rest is there, too");
}

#[test]
fn a_large_folder_comes_whole_and_in_order() {
    let names: Vec<_> = (0..1500).map(|number| format!("file-{number}")).collect();
    let site = Site::new(&names);
    assert_eq!(site.names("/"), names);
    assert_eq!(site.get("/").header("transfer-encoding"), Some("chunked"), "it is not held whole");
    let text = site.get_as("text/plain", "/");
    assert_eq!(text.text().lines().collect::<Vec<_>>(), names);
    let list: Vec<serde_json::Value> = serde_json::from_slice(site.get_as("application/json", "/").bytes()).unwrap();
    assert_eq!(list.iter().map(|entry| entry["name"].as_str().unwrap()).collect::<Vec<_>>(), names);
}
