//! Markdown to HTML that can do no harm.
//!
//! `pulldown-cmark` reads it; what could act is changed on the way: HTML in it is shown as the text that it is, a link
//! leads to the web, to a mail program or to another file, and a picture comes from this server or becomes a link. Nor is a
//! line end between two Chinese characters the space that HTML would make of it.

use std::collections::HashMap;

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// Where a link may lead that says so. Others, such as `javascript:`, lead nowhere.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

pub(super) fn render(text: &str) -> Markup {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut page = String::with_capacity(text.len() * 3 / 2);
    let mut pictures = Vec::new();
    let events = Parser::new_ext(text, options).map(|event| make_harmless(event, &mut pictures)).collect();
    let mut events = join_lines(events);
    name_headings(&mut events);
    html::push_html(&mut page, events.into_iter());
    PreEscaped(page)
}

/// Leaves out the line ends between two characters of a script that has no spaces (CSS Text 4, section 4.1.3).
fn join_lines(mut events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let text = |event: &Event<'_>| if let Event::Text(text) = event { text.to_string() } else { String::new() };
    let is_none = |at: usize| {
        let before = at.checked_sub(1).map(|at| text(&events[at])).unwrap_or_default();
        let after = events.get(at + 1).map(text).unwrap_or_default();
        before.ends_with(has_no_spaces) && after.starts_with(has_no_spaces)
    };
    let joined: Vec<_> = (0..events.len()).map(|at| events[at] == Event::SoftBreak && is_none(at)).collect();
    let mut joined = joined.into_iter();
    events.retain(|_| joined.next() != Some(true));
    events
}

/// Gives each heading the name by which code hosts know it, so that links to `#…` work here as well as there: small letters,
/// `-` for a space, no punctuation, and a number where the same heading has been before.
fn name_headings(events: &mut [Event<'_>]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for at in 0..events.len() {
        let (Event::Start(Tag::Heading { .. }), behind) = (&events[at], &events[at + 1..]) else { continue };
        let inside = behind.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
        let name: String = inside.map(words).flat_map(str::chars).filter_map(as_in_a_name).collect();
        let name = name.to_lowercase();
        let times = seen.entry(name.clone()).or_default();
        let unique = if *times == 0 { name } else { format!("{name}-{times}") };
        *times += 1;
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[at] {
            *id = Some(unique.into()).filter(|name: &CowStr<'_>| !name.is_empty());
        }
    }
}

/// What an event says.
fn words<'a>(event: &'a Event<'_>) -> &'a str {
    match event {
        Event::Text(text) | Event::Code(text) => text,
        _ => "",
    }
}

fn as_in_a_name(character: char) -> Option<char> {
    match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        _ => Some(character).filter(|character| character.is_alphanumeric()),
    }
}

/// Chinese characters and kana, and the marks that are written among them. Korean has spaces.
fn has_no_spaces(character: char) -> bool {
    matches!(character, '\u{2E80}'..='\u{312F}' | '\u{31A0}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

/// What became of the pictures that are open: as they are, or a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Picture {
    Shown,
    Linked,
}

fn make_harmless<'a>(event: Event<'a>, pictures: &mut Vec<Picture>) -> Event<'a> {
    match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        // The page has its own first heading.
        Event::Start(Tag::Heading { level, classes, .. }) => {
            Event::Start(Tag::Heading { level: below(level), id: None, classes, attrs: Vec::new() })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below(level))),
        // The alignment would be a style, which the page's policy refuses.
        Event::Start(Tag::Table(columns)) => {
            Event::Start(Tag::Table(vec![pulldown_cmark::Alignment::None; columns.len()]))
        }
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: harmless_url(dest_url), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            let is_here = scheme(&dest_url).is_none() && !dest_url.starts_with("//");
            pictures.push(if is_here { Picture::Shown } else { Picture::Linked });
            let dest_url = harmless_url(dest_url);
            Event::Start(if is_here {
                Tag::Image { link_type, dest_url, title, id }
            } else {
                Tag::Link { link_type, dest_url, title, id }
            })
        }
        Event::End(TagEnd::Image) if pictures.pop() == Some(Picture::Linked) => Event::End(TagEnd::Link),
        other => other,
    }
}

fn below(level: HeadingLevel) -> HeadingLevel {
    HeadingLevel::try_from(level as usize + 1).unwrap_or(HeadingLevel::H6)
}

fn harmless_url(url: CowStr<'_>) -> CowStr<'_> {
    match scheme(&url) {
        Some(scheme) if !SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => CowStr::Borrowed(""),
        _ => url,
    }
}

/// What stands before the first colon, if that comes before anything that ends a scheme (RFC 3986 section 3). Browsers drop
/// tabs and line ends from URLs, and white space before them: whatever they might take for a scheme counts as one.
fn scheme(url: &str) -> Option<String> {
    let end = url.find([':', '/', '?', '#']).filter(|end| url[*end..].starts_with(':'))?;
    Some(url[..end].chars().filter(|character| !character.is_control() && !character.is_whitespace()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> String {
        render(text).into_string()
    }

    #[test]
    fn markdown_is_rendered() {
        assert_eq!(rendered("# A\n\n*b* [c](d.md)"), "<h2 id=\"a\">A</h2>\n<p><em>b</em> <a href=\"d.md\">c</a></p>\n");
        assert_eq!(rendered("###### F"), "<h6 id=\"f\">F</h6>\n");
        let table = rendered("|a|b|\n|:-|-:|\n|1|2|");
        assert!(table.contains("<td>1</td>") && !table.contains("style"), "{table}");
    }

    #[test]
    fn headings_have_the_names_that_code_hosts_give_them() {
        let names = |text: &str| -> Vec<String> {
            let page = rendered(text);
            page.split("id=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
        };
        assert_eq!(names("# Two: the `5` *steps*!"), ["two-the-5-steps"]);
        assert_eq!(names("# 七步\n## recv 返回 b''"), ["七步", "recv-返回-b"]);
        assert_eq!(names("# A\n# a\n# B\n# a"), ["a", "a-1", "b", "a-2"]);
        assert_eq!(names("# <b>\"&"), ["b"]);
        assert!(names("# !\ntext").is_empty());
    }

    #[test]
    fn lines_of_chinese_are_joined_without_a_space() {
        for (text, shown) in [
            ("七步，\n就是", "七步，就是"),
            ("七\n步\n七", "七步七"),
            ("かな\nカナ", "かなカナ"),
            ("七 步", "七 步"),
            ("seven\nsteps", "seven\nsteps"),
            ("七步\nqibu", "七步\nqibu"),
            ("일곱\n걸음", "일곱\n걸음"),
            ("`七`\n步", "<code>七</code>\n步"),
            ("七  \n步", "七<br />\n步"),
        ] {
            assert_eq!(rendered(text), format!("<p>{shown}</p>\n"));
        }
        assert_eq!(rendered("```\n七\n步\n```"), "<pre><code>七\n步\n</code></pre>\n");
    }

    #[test]
    fn html_in_it_is_text() {
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<!-- -->",
            "<div\nid=a>\n\n*b*",
            "<a href='javascript:x'>c</a>",
        ] {
            let page = rendered(text);
            let tags: Vec<_> =
                page.match_indices('<').map(|(at, _)| page[at + 1..].split(['>', ' ']).next().unwrap()).collect();
            assert!(tags.iter().all(|tag| ["p", "/p", "em", "/em"].contains(tag)), "{page}");
        }
    }

    #[test]
    fn links_lead_to_the_web_to_mail_or_to_files() {
        for url in [
            "https://a.example/",
            "HTTP://a.example/",
            "mailto:a@b.example",
            "b.md",
            "./a:b",
            "#c",
            "?d",
            "//e.example/",
        ] {
            assert!(rendered(&format!("[a](<{url}>)")).contains(&format!("href=\"{url}\"")), "{url}");
        }
        for url in [
            "javascript:x",
            "JavaScript:x",
            " javascript:x",
            "java&#10;script:x",
            "java&Tab;script:x",
            "&#1;javascript:x",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            ":x",
        ] {
            let page = rendered(&format!("[a](<{url}>)"));
            assert!(page.contains("href=\"\""), "{page}");
        }
    }

    #[test]
    fn a_picture_from_elsewhere_is_a_link() {
        assert!(rendered("![a](b.png)").contains("<img src=\"b.png\""));
        assert_eq!(rendered("![a](https://c.example/d)"), "<p><a href=\"https://c.example/d\">a</a></p>\n");
        assert_eq!(rendered("![a](javascript:x)"), "<p><a href=\"\">a</a></p>\n");
    }
}
