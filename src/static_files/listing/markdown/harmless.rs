//! What could act in a README, changed so that it cannot: HTML is shown as the text that it is, a link leads to the web, to a
//! mail program or to another file, and a picture comes from this server or becomes a link. Comments are left out.

use std::mem;

use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, Tag, TagEnd};

/// Where a link may lead that says so. Others, such as `javascript:`, lead nowhere.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// The same text, harmless.
pub(super) fn events<'a>(all: impl Iterator<Item = Event<'a>>) -> Vec<Event<'a>> {
    let mut harmless = Harmless::default();
    all.for_each(|event| harmless.take(event));
    harmless.events
}

/// The part of a text that has been read.
#[derive(Default)]
struct Harmless<'a> {
    events: Vec<Event<'a>>,
    /// The links and pictures that we are in.
    open: Vec<Open>,
    /// The block of HTML that we are in, which comes line by line.
    block: String,
}

/// What has become of a link or a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Picture,
    Link,
    /// Its words alone, since it stands in a link already.
    Words,
}

impl<'a> Harmless<'a> {
    fn take(&mut self, event: Event<'a>) {
        match event {
            Event::Html(raw) => self.block += &raw,
            Event::Start(Tag::HtmlBlock) => {}
            Event::End(TagEnd::HtmlBlock) => self.end_block(),
            Event::InlineHtml(raw) => self.say(without_comments(&raw)),
            Event::Start(tag @ Tag::Link { .. }) => self.link(tag),
            Event::Start(tag @ Tag::Image { .. }) => self.picture(tag),
            Event::End(TagEnd::Link | TagEnd::Image) => self.close(),
            // The page has its own first heading.
            Event::Start(Tag::Heading { level, classes, .. }) => {
                let tag = Tag::Heading { level: below(level), id: None, classes, attrs: Vec::new() };
                self.events.push(Event::Start(tag));
            }
            Event::End(TagEnd::Heading(level)) => self.events.push(Event::End(TagEnd::Heading(below(level)))),
            // The alignment would be a style, which the page's policy refuses.
            Event::Start(Tag::Table(columns)) => {
                self.events.push(Event::Start(Tag::Table(vec![Alignment::None; columns.len()])));
            }
            other => self.events.push(other),
        }
    }

    fn say(&mut self, text: String) {
        if !text.is_empty() {
            self.events.push(Event::Text(text.into()));
        }
    }

    fn end_block(&mut self) {
        let text = without_comments(&mem::take(&mut self.block));
        if !text.trim().is_empty() {
            self.events.push(Event::Start(Tag::Paragraph));
            self.say(text.trim_end().to_owned());
            self.events.push(Event::End(TagEnd::Paragraph));
        }
    }

    /// A link in a link would end the one around it. There is none in Markdown, but what was a picture may be one now.
    fn link(&mut self, tag: Tag<'a>) {
        if self.open.contains(&Open::Link) {
            return self.open.push(Open::Words);
        }
        let (Tag::Link { link_type, dest_url, title, id } | Tag::Image { link_type, dest_url, title, id }) = tag else {
            return;
        };
        self.open.push(Open::Link);
        self.events.push(Event::Start(Tag::Link { link_type, dest_url: harmless_url(dest_url), title, id }));
    }

    fn picture(&mut self, tag: Tag<'a>) {
        let Tag::Image { dest_url, .. } = &tag else { return };
        if scheme(dest_url).is_some() || dest_url.starts_with("//") {
            return self.link(tag);
        }
        self.open.push(Open::Picture);
        self.events.push(Event::Start(tag));
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::Picture) => self.events.push(Event::End(TagEnd::Image)),
            Some(Open::Link) => {
                // Nobody could see one without words, such as a picture that has none.
                if let Some(Event::Start(Tag::Link { dest_url, .. })) = self.events.last() {
                    self.say(dest_url.to_string());
                }
                self.events.push(Event::End(TagEnd::Link));
            }
            Some(Open::Words) | None => {}
        }
    }
}

/// HTML without its comments (WHATWG HTML, section 13.2.5.43): `<!-->` and `<!--->` are some, what has no end is none.
fn without_comments(html: &str) -> String {
    let (mut shown, mut rest) = (String::new(), html);
    while let Some((before, comment)) = rest.split_once("<!--") {
        let abrupt = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->"));
        let Some(after) = abrupt.or_else(|| Some(comment.split_once("-->")?.1)) else { break };
        shown += before;
        rest = after;
    }
    shown + rest
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
    use super::super::render;

    fn rendered(text: &str) -> String {
        render(text).into_string().replace(" dir=\"auto\"", "")
    }

    #[test]
    fn html_in_it_is_text() {
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<!-- no end",
            "a <!-- no end",
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

    #[test]
    fn in_a_link_a_picture_from_elsewhere_is_its_words() {
        let link = |words: &str| format!("<p><a href=\"https://a.example/\">{words}</a></p>\n");
        for (inside, words) in [
            ("![CI](https://b.example/x.svg)", "CI"),
            (" ![c](https://b.example/x.svg) text ", " c text "),
            ("![c](//b.example/x.svg)![d](https://b.example/)", "cd"),
            ("![](https://b.example/x.svg)", "https://a.example/"),
            ("![c](d.png)", "<img src=\"d.png\" alt=\"c\" />"),
        ] {
            assert_eq!(rendered(&format!("[{inside}](https://a.example/)")), link(words), "{inside}");
        }
        assert_eq!(rendered("![a [b](c) ![d](https://e.example/)](https://a.example/)"), link("a b d"));
        assert_eq!(
            rendered("![](https://a.example/)"),
            link("https://a.example/"),
            "one without words could not be seen"
        );
    }

    #[test]
    fn comments_are_left_out() {
        for text in ["<!-- a -->", "<!-- a\n\nb -->\n", "<!-->", "<!--->", "<!---->\n<!-- a --> <!-- b -->"] {
            assert_eq!(rendered(text), "", "{text}");
        }
        assert_eq!(rendered("a <!-- b --> c"), "<p>a  c</p>\n");
        assert_eq!(rendered("<div><!-- a\nb -->\nc"), "<p>&lt;div&gt;\nc</p>\n");
        assert_eq!(rendered("`<!-- a -->`"), "<p><code>&lt;!-- a --&gt;</code></p>\n");
    }
}
