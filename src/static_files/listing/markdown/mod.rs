//! Markdown to HTML that can do no harm.
//!
//! `pulldown-cmark` reads it; what could act is changed on the way ([`harmless`]). What is left may be in any language: a
//! line end between two Chinese characters is not the space that HTML would make of it, and Arabic begins on the right.

mod harmless;

use std::collections::{HashMap, HashSet};

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

pub(super) fn render(text: &str) -> Markup {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut page = String::with_capacity(text.len() * 3 / 2);
    let parser = Parser::new_ext(without_front_matter(text), options);
    let mut events = join_lines(harmless::events(parser));
    name_headings(&mut events);
    direct_blocks(&mut events);
    html::push_html(&mut page, events.into_iter());
    PreEscaped(page)
}

/// What stands behind the lines for a site generator: those between two of `---` at the very start, if they begin with a
/// key. If they do not, the first line is a rule across the page.
fn without_front_matter(text: &str) -> &str {
    let matter = text.strip_prefix("---").map(|rest| rest.trim_start_matches([' ', '\t', '\r']));
    let Some(matter) = matter.and_then(|rest| rest.strip_prefix('\n')) else { return text };
    let key = matter.split([':', '\n']).next().unwrap_or_default();
    let is_key = matter[key.len()..].starts_with(':') && key.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    let mut length = 0;
    let end = matter.split_inclusive('\n').find_map(|line| {
        length += line.len();
        ["---", "..."].contains(&line.trim_end()).then_some(length)
    });
    end.filter(|_| is_key && !key.is_empty()).map_or(text, |end| &matter[end..])
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
/// `-` for a space, no punctuation, and a number where another heading has that name. No other element has an `id`.
fn name_headings(events: &mut [Event<'_>]) {
    let mut names = Names::default();
    for at in 0..events.len() {
        let (Event::Start(Tag::Heading { .. }), behind) = (&events[at], &events[at + 1..]) else { continue };
        let inside = behind.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
        let name: String = inside.map(words).flat_map(str::chars).filter_map(as_in_a_name).collect();
        let unique = names.unique(name.to_lowercase());
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[at] {
            *id = Some(unique.into()).filter(|name: &CowStr<'_>| !name.is_empty());
        }
    }
}

/// The names of the headings so far.
#[derive(Default)]
struct Names {
    given: HashSet<String>,
    /// How often each was asked for.
    times: HashMap<String, usize>,
}

impl Names {
    /// The name, or the first of `name-1`, `name-2` … that no heading has: `A 1` may have taken what a second `A` would get.
    fn unique(&mut self, name: String) -> String {
        let times = self.times.entry(name.clone()).or_default();
        loop {
            let unique = if *times == 0 { name.clone() } else { format!("{name}-{times}") };
            *times += 1;
            if self.given.insert(unique.clone()) {
                return unique;
            }
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

/// Lets each block be written from the side on which its first letter belongs; what is in it follows.
fn direct_blocks(events: &mut [Event<'_>]) {
    let mut depth = 0;
    for event in events {
        match event {
            Event::Start(tag) => {
                if depth == 0
                    && let Some(start) = directed(tag)
                {
                    *event = Event::Html(start.into());
                }
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            _ => {}
        }
    }
}

/// The start of a block that has a direction; code has none, and headings take attributes.
fn directed(tag: &mut Tag<'_>) -> Option<String> {
    Some(match tag {
        Tag::Heading { attrs, .. } => {
            attrs.push(("dir".into(), Some("auto".into())));
            return None;
        }
        Tag::Paragraph => "<p dir=\"auto\">".into(),
        Tag::BlockQuote(_) => "<blockquote dir=\"auto\">\n".into(),
        Tag::List(None) => "<ul dir=\"auto\">\n".into(),
        Tag::List(Some(first)) => format!("<ol dir=\"auto\" start=\"{first}\">\n"),
        Tag::Table(_) => "<table dir=\"auto\">".into(),
        _ => return None,
    })
}

/// Chinese characters and kana, and the marks that are written among them. Korean has spaces.
fn has_no_spaces(character: char) -> bool {
    matches!(character, '\u{2E80}'..='\u{312F}' | '\u{31A0}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page without the directions, which are the same everywhere.
    fn rendered(text: &str) -> String {
        render(text).into_string().replace(" dir=\"auto\"", "")
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
        assert_eq!(names("# A\n# A 1\n# A"), ["a", "a-1", "a-2"], "no name is given twice");
        assert_eq!(names("# A 1\n# A\n# A\n# A 1"), ["a-1", "a", "a-2", "a-1-1"]);
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
    fn blocks_begin_on_the_side_of_their_first_letter() {
        for (text, page) in [
            ("سلام", "<p dir=\"auto\">سلام</p>\n"),
            ("# سلام", "<h2 id=\"سلام\" dir=\"auto\">سلام</h2>\n"),
            ("- a\n- b", "<ul dir=\"auto\">\n<li>a</li>\n<li>b</li>\n</ul>\n"),
            ("3. a", "<ol dir=\"auto\" start=\"3\">\n<li>a</li>\n</ol>\n"),
            ("> a", "<blockquote dir=\"auto\">\n<p>a</p>\n</blockquote>\n"),
            ("```\na\n```", "<pre><code>a\n</code></pre>\n"),
        ] {
            assert_eq!(render(text).into_string(), page);
        }
        let page = render("|a|b|\n|:-|-:|\n|1|2|\n\n> |a|b|\n> |:-|-:|\n> |1|2|").into_string();
        assert!(page.starts_with("<table dir=\"auto\"><thead><tr><th>a</th>"), "{page}");
        assert!(!page.contains("style"), "{page}");
    }

    #[test]
    fn front_matter_is_not_shown() {
        for text in ["---\ntitle: x\n---\n# A", "---\r\na-b:\r\n- c\r\n---\r\n# A", "--- \nt: 1\n...\n\n# A"] {
            assert_eq!(rendered(text), "<h2 id=\"a\">A</h2>\n", "{text}");
        }
        for text in ["---\n\na: b\n---\n", "---\na: b\n", "---\na b: c\n\n---\n", "a\n\n---\na: b\n---\n", "---\n---\n"]
        {
            assert!(rendered(text).contains("<hr />"), "{text}");
        }
        assert_eq!(rendered("---"), "<hr />\n");
    }
}
