//! The course as qibu serves it: from the landing page on, every link and every picture is asked for over HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use percent_encoding::percent_decode_str;
use qibu::StaticFiles;
use qibu::testing::TestClient;

#[test]
fn every_link_of_the_course_works_when_qibu_serves_it() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide");
    let walk = Walk::of(&TestClient::new(StaticFiles::new(guide)));
    super::none(walk.faults());
    let (_, pages) = super::guide();
    let shown = pages.iter().map(|page| format!("/{}", page.path.trim_end_matches("README.md")));
    super::none(shown.filter(|page| !walk.found.contains_key(page)).map(|page| format!("nothing leads to {page}")));
}

#[test]
fn no_mark_is_left_that_should_have_become_bold() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide");
    let walk = Walk::of(&TestClient::new(StaticFiles::new(guide)));
    let left = walk.found.iter().filter_map(|(path, (_, page))| Some((path, mark_that_is_left(page)?)));
    super::none(left.map(|(path, around)| format!("{path}: Markdown has left a mark: {around}")));
    assert_eq!(mark_that_is_left("<p><b>a</b> <code>a ** b</code> <pre>**</pre> c"), None);
    assert_eq!(mark_that_is_left("<p><code>a</code> **说。**说").as_deref(), Some("**说。**说"));
}

/// The first `**` of a page outside of its code, and what follows it.
fn mark_that_is_left(page: &str) -> Option<String> {
    let mut prose = page.to_owned();
    for (open, close) in [("<pre", "</pre>"), ("<code", "</code>"), ("<script", "</script>"), ("<style", "</style>")] {
        let mut parts = prose.split(open);
        let first = parts.next().unwrap_or_default().to_owned();
        prose = parts.fold(first, |kept, part| kept + part.split_once(close).map_or("", |(_, rest)| rest));
    }
    prose.find("**").map(|at| prose[at..].chars().take(20).collect())
}

#[test]
fn a_link_that_does_not_work_is_found() {
    let site = |inner: &str| {
        let page =
            format!("<h1 id=\"a\"><a href=\"https://a/\"></a><a href='?sort=name'></a><a href=\"x/\">x</a>{inner}");
        let answer = move |request: &mut qibu::Request| match request.path() {
            "/" => Some(qibu::Html(page.clone())),
            "/x/" | "/x/b.svg" => Some(qibu::Html("<a href=\"../#a\"><img src=\"b.svg\">".to_owned())),
            _ => None,
        };
        Walk::of(&TestClient::new(answer)).faults()
    };
    assert_eq!(site(""), [""; 0]);
    assert_eq!(site("<a href=\"y/?a=1&amp;b=2\">"), ["/ leads to /y/?a=1&b=2: 404"]);
    assert_eq!(site("<img src=\"y.svg\">"), ["/ leads to /y.svg: 404"]);
    assert_eq!(site("<h2 id=\"七步\"><a href=\"#%E4%B8%83%E6%AD%A5\">"), [""; 0]);
    assert_eq!(site("<a href=\"#b\">"), ["/ leads to /#b: there is no such heading"]);
}

/// What a browser would come to that follows all links.
struct Walk {
    /// The answers, by their paths; `None` is text with no links.
    found: BTreeMap<String, (u16, String)>,
    /// From where, to which path and which heading.
    links: BTreeSet<(String, String, String)>,
}

impl Walk {
    fn of(client: &TestClient) -> Self {
        let mut walk = Self { found: BTreeMap::new(), links: BTreeSet::new() };
        let mut ahead = vec!["/".to_owned()];
        while let Some(path) = ahead.pop() {
            if walk.found.contains_key(&path) {
                continue;
            }
            let answer = client.get(&path).send();
            let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
            let text = if is_page { answer.text().to_owned() } else { String::new() };
            for target in targets(&text) {
                let (to, heading) = target.split_once('#').unwrap_or((&target, ""));
                let (to, heading) = (resolve(&path, to), percent_decode_str(heading).decode_utf8_lossy());
                walk.links.insert((path.clone(), to.clone(), heading.into_owned()));
                ahead.push(to);
            }
            walk.found.insert(path, (answer.status(), text));
        }
        walk
    }

    fn faults(&self) -> Vec<String> {
        let fault = |(from, to, heading): &(String, String, String)| match &self.found[to] {
            (200, text) if heading.is_empty() || text.contains(&format!("id=\"{heading}\"")) => None,
            (200, _) => Some(format!("{from} leads to {to}#{heading}: there is no such heading")),
            (status, _) => Some(format!("{from} leads to {to}: {status}")),
        };
        self.links.iter().filter_map(fault).collect()
    }
}

/// Where a page's links and pictures lead, on this server.
fn targets(page: &str) -> Vec<String> {
    let attributes = ["href=", "src="].into_iter().flat_map(|name| page.split(name).skip(1));
    let value = |rest: &str| {
        let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
        Some(rest[1..].split(quote).next()?.replace("&amp;", "&"))
    };
    // Other orders of a listing are qibu's to try, not ours.
    let is_ours = |target: &String| !target.contains(':') && !target.starts_with('?');
    attributes.filter_map(value).filter(is_ours).collect()
}

/// RFC 3986 §5.2, as far as pages of ours need it.
fn resolve(from: &str, target: &str) -> String {
    if target.is_empty() {
        return from.to_owned();
    }
    if target.starts_with('/') {
        return target.to_owned();
    }
    let folder = &from[..=from.rfind('/').unwrap_or(0)];
    let mut parts: Vec<&str> = folder.trim_matches('/').split('/').filter(|part| !part.is_empty()).collect();
    let (way, name) = target.rsplit_once('/').map_or(("", target), |(way, name)| (way, name));
    for part in way.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let (name, parts) = if name == ".." { ("", &parts[..parts.len().saturating_sub(1)]) } else { (name, &parts[..]) };
    format!("/{}", parts.iter().map(|part| format!("{part}/")).collect::<String>() + name)
}
