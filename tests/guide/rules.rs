//! What must hold of the pages. Each rule answers with its complaints, `file:line: what is wrong`; none is good.

use std::collections::BTreeMap;

use crate::page::{Fence, LinkKind, Page};

/// The chapters, in the order of reading.
pub(crate) const CHAPTERS: [&str; 12] = [
    "01-address-port-packet",
    "02-five-and-seven-steps",
    "03-bytes-and-text",
    "04-a-stream-has-no-messages",
    "05-udp-and-loss",
    "06-many-clients",
    "07-from-functions-to-a-class",
    "08-swap-the-protocol",
    "09-http-by-hand",
    "10-patterns",
    "11-slow-limits-shutdown",
    "12-the-tour",
];

/// What else stands in a language's folder.
pub(crate) const EXTRAS: [&str; 2] = ["glossary", "faq"];

/// The files of docs/guide by their path in it, or what a test puts in their place.
pub(crate) type Files = BTreeMap<String, String>;

/// The pages among the files, or complaints about those that cannot be taken apart.
pub(crate) fn pages(files: &Files) -> Result<Vec<Page>, Vec<String>> {
    let parsed = files.iter().filter(|(path, _)| path.ends_with(".md")).map(|(path, text)| Page::parse(path, text));
    let (pages, complaints): (Vec<_>, Vec<_>) = parsed.partition(Result::is_ok);
    let complaints: Vec<_> = complaints.into_iter().filter_map(Result::err).collect();
    if complaints.is_empty() { Ok(pages.into_iter().filter_map(Result::ok).collect()) } else { Err(complaints) }
}

/// Fences have the forms that the header of tests/guide/run lists, so that a typing error is no silent pass.
pub(crate) fn fences_have_known_forms(page: &Page) -> Vec<String> {
    let is_known = |fence: &&Fence| match fence.info.split(' ').collect::<Vec<_>>()[..] {
        ["console" | "python" | "rust" | "text" | "http" | "toml" | "html" | "sh"] | ["python", "run"] => true,
        ["console", option] => option.strip_prefix("of=").is_some_and(|of| of.parse::<usize>().is_ok_and(|of| of > 0)),
        ["rust", option] => option.starts_with("file=") || option.starts_with("save="),
        ["python", option] => option.starts_with("file=") || option.starts_with("save="),
        _ => false,
    };
    let unknown = page.fences.iter().filter(|fence| !is_known(fence));
    unknown.map(|fence| format!("{}: no fence is called ```{}", page.at(fence.line), fence.info)).collect()
}

/// A ```` ```rust file=… ```` stands in that file, line by line, indentation cut equally; `// …` leaves lines out, and
/// `# …` in Python.
pub(crate) fn excerpts_stand_in_the_source(page: &Page, source: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let check = |fence: &Fence| {
        let file = fence.value("file")?;
        let Some(text) = source(file) else {
            return Some(format!("{}: there is no {file}", page.at(fence.line)));
        };
        let lines: Vec<_> = text.lines().collect();
        let furthest = (0..=40).map(|cut| matching_lines(&fence.content, &lines, cut)).max()?;
        let line = fence.content.get(furthest)?;
        Some(format!("{}: {file} does not go on with: {line}", page.at(fence.line + 1 + furthest)))
    };
    page.fences.iter().filter_map(check).collect()
}

/// How many lines of an excerpt are found when `cut` spaces were taken from each: all of them, if it is a true one.
fn matching_lines(excerpt: &[String], source: &[&str], cut: usize) -> usize {
    let indent = " ".repeat(cut);
    let stands = |excerpt: &str, line: &str| match excerpt {
        "" => line.is_empty(),
        _ => line.strip_prefix(&*indent) == Some(excerpt),
    };
    let (mut done, mut from) = (0, 0);
    for block in excerpt.split(|line| ["// …", "# …"].contains(&line.trim())) {
        let run =
            |at: usize| block.iter().zip(&source[at..]).take_while(|(excerpt, line)| stands(excerpt, line)).count();
        let Some(at) = (from..=source.len()).find(|at| run(*at) == block.len()) else {
            return done + (from..source.len()).map(run).max().unwrap_or(0);
        };
        from = at + block.len();
        done += block.len() + 1;
    }
    excerpt.len()
}

/// Links and images lead to what there is in docs/guide: a folder by `…/`, an image as a file, a heading by `#…`.
pub(crate) fn links_lead_somewhere(pages: &[Page], files: &Files) -> Vec<String> {
    let mut complaints = Vec::new();
    for page in pages {
        for link in page.links.iter().filter(|link| !link.target.starts_with("https://")) {
            if let Err(why) = follow(page, &link.target, link.kind, pages, files) {
                complaints.push(format!("{}: the link {}: {why}", page.at(link.line), link.target));
            }
        }
    }
    complaints
}

fn follow(page: &Page, target: &str, kind: LinkKind, pages: &[Page], files: &Files) -> Result<(), String> {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let there = resolve(&page.path, path)?;
    let path_of_page = if path.is_empty() { page.path.clone() } else { format!("{there}README.md") };
    match kind {
        LinkKind::Image if files.contains_key(&there) => return Ok(()),
        LinkKind::Image => return Err("there is no such image".to_owned()),
        LinkKind::Text if path.ends_with(".md") => {
            return Err("lead to the folder, `…/`: qibu shows its page".to_owned());
        }
        LinkKind::Text if !path.is_empty() && !path.ends_with('/') => {
            let is_there = files.contains_key(&there);
            return is_there.then_some(()).ok_or_else(|| "there is no such file (a folder ends in /)".to_owned());
        }
        LinkKind::Text => {}
    }
    let Some(other) = pages.iter().find(|page| page.path == path_of_page) else {
        return Err("there is no page".to_owned());
    };
    match anchor {
        Some(anchor) if !other.anchors().iter().any(|known| known == anchor) => {
            Err("there is no such heading".to_owned())
        }
        _ => Ok(()),
    }
}

/// Where a relative path leads, seen from a page; a folder ends in `/`, the top itself is empty.
fn resolve(from: &str, path: &str) -> Result<String, String> {
    if path.starts_with('/') || path.contains(':') {
        return Err("links are relative, or begin with https://".to_owned());
    }
    let mut folders: Vec<_> = from.split('/').collect();
    folders.pop();
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        match part {
            ".." => drop(folders.pop().ok_or("it leads out of docs/guide")?),
            "." | "" if parts.peek().is_some() => {}
            part => folders.push(part),
        }
        if parts.peek().is_none() && part == ".." {
            folders.push("");
        }
    }
    Ok(folders.join("/"))
}

/// English and Chinese have the same pages.
pub(crate) fn both_languages_have_the_same_pages(pages: &[Page]) -> Vec<String> {
    let of = |language| pages.iter().filter_map(move |page| page.path.strip_prefix(language));
    let missing = |from, to| {
        let others: Vec<_> = of(to).collect();
        let missing = of(from).filter(move |page| !others.contains(page));
        missing.map(move |page| format!("{from}{page}: there is no {to}{page}")).collect::<Vec<_>>()
    };
    [missing("en/", "zh/"), missing("zh/", "en/")].concat()
}

/// A page and its translation have the same fences in the same order; what is typed or quoted is the same, too.
pub(crate) fn translations_have_the_same_fences(pages: &[Page]) -> Vec<String> {
    let mut complaints = Vec::new();
    for english in pages {
        let Some(name) = english.path.strip_prefix("en/") else { continue };
        let Some(chinese) = pages.iter().find(|page| page.path.strip_prefix("zh/") == Some(name)) else { continue };
        let differ = |(one, other): &(&Fence, &Fence)| {
            let is_exact = one.language() == "console" || one.value("file").is_some() || one.value("save").is_some();
            one.info != other.info || (is_exact && one.content != other.content)
        };
        if let Some((one, other)) = english.fences.iter().zip(&chinese.fences).find(differ) {
            let (at, there) = (english.at(one.line), chinese.at(other.line));
            complaints.push(format!("{at}: ```{} is not the same as {there}: ```{}", one.info, other.info));
        } else if english.fences.len() != chinese.fences.len() {
            let (one, other) = (english.fences.len(), chinese.fences.len());
            complaints.push(format!("{}: {one} fences, and {other} in {}", english.path, chinese.path));
        }
    }
    complaints
}

/// The folders of a language are the chapters, the glossary and the questions; nothing else.
pub(crate) fn folders_are_those_of_the_course(pages: &[Page]) -> Vec<String> {
    let known = |page: &&Page| match page.path.split('/').collect::<Vec<_>>()[..] {
        ["README.md"] => true,
        ["en" | "zh", folder, "README.md"] => CHAPTERS.contains(&folder) || EXTRAS.contains(&folder),
        _ => false,
    };
    let unknown = pages.iter().filter(|page| !known(page));
    unknown.map(|page| format!("{}: no part of the course", page.path)).collect()
}

/// A chapter has what a chapter has: commands, Python beside Rust, a drawing, an exercise, and the way on and back as soon
/// as there is one.
pub(crate) fn chapters_are_whole(page: &Page, pages: &[Page]) -> Vec<String> {
    let folder = page.path.split('/').nth(1).unwrap_or_default();
    let Some(number) = CHAPTERS.iter().position(|chapter| *chapter == folder) else { return Vec::new() };
    let has_fence = |test: &dyn Fn(&Fence) -> bool| page.fences.iter().any(test);
    let all: String = page.fences.iter().flat_map(|fence| &fence.content).chain([&page.prose]).cloned().collect();
    let leads_to = |chapter: Option<&&str>| {
        let there = chapter.and_then(|chapter| resolve(&page.path, &format!("../{chapter}/README.md")).ok());
        let is_there = there.is_some_and(|there| pages.iter().any(|page| page.path == there));
        !is_there || page.links.iter().any(|link| chapter.is_some_and(|to| link.target.contains(&format!("../{to}/"))))
    };
    let has_heading = |either: [&str; 2]| page.headings.iter().any(|heading| either.contains(&heading.as_str()));
    let exercise = format!("cargo test --test stages stage_{:02}", number + 1);
    let parts = [
        (has_fence(&|fence| fence.language() == "console"), "a ```console"),
        (has_fence(&|fence| fence.language() == "python"), "a ```python"),
        (has_fence(&|fence| fence.language() == "rust" && fence.value("file").is_some()), "a ```rust file="),
        (page.links.iter().any(|link| link.kind == LinkKind::Image), "a drawing"),
        (all.contains(&exercise), &*exercise),
        (
            number >= 9 || has_heading(["Later: exercise", "以后再做：练习"]),
            "a heading that says its exercise is for later",
        ),
        (leads_to(number.checked_sub(1).map(|before| &CHAPTERS[before])), "a link to the chapter before"),
        (leads_to(CHAPTERS.get(number + 1)), "a link to the next chapter"),
    ];
    parts.iter().filter(|(is_there, _)| !is_there).map(|(_, what)| format!("{}: it lacks {what}", page.path)).collect()
}

/// A drawing is an `svg` with a `viewBox`; its tags close in order; nothing in it runs or is fetched.
pub(crate) fn a_drawing_is_harmless_and_whole(path: &str, svg: &str) -> Vec<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut complaints = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, is_closed) = part.split_once('>').map_or((part, false), |(tag, _)| (tag, true));
        let name = tag.split([' ', '\n', '/']).find(|name| !name.is_empty()).unwrap_or_default();
        let complaint = match tag {
            _ if !is_closed => Some("is never closed"),
            _ if tag.starts_with(['!', '?']) => None,
            _ if tag.matches('"').count() % 2 == 1 => Some("has an open quote"),
            _ if is_active(name, tag) => Some("runs or fetches something"),
            _ if tag.starts_with('/') => (open.pop() != Some(name)).then_some("closes another element"),
            _ if open.is_empty() && name != "svg" => Some("is not svg, the root"),
            _ if tag.ends_with('/') => None,
            _ => {
                open.push(name);
                None
            }
        };
        if let Some(complaint) = complaint {
            return vec![format!("{path}: <{tag}> {complaint}")];
        }
    }
    let root = svg.split_once("<svg").map(|(_, rest)| rest.split('>').next().unwrap_or_default()).unwrap_or_default();
    if !root.contains("viewBox=") || !root.contains("xmlns=\"http://www.w3.org/2000/svg\"") {
        complaints.push(format!("{path}: the root is no <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=…>"));
    }
    if !svg.split('<').any(|tag| tag.starts_with("rect") && tag.contains("width=\"100%\" height=\"100%\"")) {
        complaints.push(format!(
            "{path}: it has no ground of its own, and a dark page would swallow its text: \
            <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#fff\"/>"
        ));
    }
    complaints.extend(open.iter().map(|name| format!("{path}: <{name}> is never closed")));
    complaints
}

fn is_active(name: &str, tag: &str) -> bool {
    let is_handler = |word: &str| word.starts_with("on") && word.contains('=');
    ["script", "foreignObject", "iframe"].contains(&name)
        || tag.split_whitespace().skip(1).any(is_handler)
        || tag.contains("href=\"http")
}
