//! Reads the pages, strictly: what is not written as a template writes it (quoted values, escaped text, elements closed in
//! order) fails the test, so no name can have slipped in as anything but text or a value.

/// An element, and the text in it that stands in no element further in.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// The name of the element around it.
    pub(crate) parent: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
}

/// Those that have no end.
const VOID: [&str; 6] = ["link", "meta", "input", "img", "br", "hr"];

/// Those whose content is no markup.
const RAW: [&str; 2] = ["style", "script"];

impl Element {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|(known, _)| known == name)
    }

    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// All elements, in the order in which they begin.
pub(crate) fn parse(page: &str) -> Vec<Element> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    let (mut elements, mut open) = (Vec::<Element>::new(), Vec::<usize>::new());
    while !rest.is_empty() {
        let (text, tag) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        if let Some(&inner) = open.last() {
            elements[inner].text += &unescape(text);
        } else {
            assert_eq!(text.trim(), "", "text outside of everything");
        }
        let Some(tag) = tag.strip_prefix('<') else { break };
        if let Some(end) = tag.strip_prefix('/') {
            let (name, after) = end.split_once('>').expect("the end of an end tag");
            let inner = open.pop().expect("something to close");
            assert_eq!(elements[inner].name, name, "closed out of order");
            rest = after;
            continue;
        }
        let (element, after) = start_tag(tag, open.last().map_or("", |inner| &elements[*inner].name));
        rest = after;
        if RAW.contains(&&*element.name) {
            rest = rest.split_once(&format!("</{}>", element.name)).expect("its end").1;
        } else if !VOID.contains(&&*element.name) {
            open.push(elements.len());
        }
        elements.push(element);
    }
    assert!(open.is_empty(), "not closed");
    elements
}

/// What stands behind a `<`, and the rest behind its `>`.
fn start_tag<'a>(tag: &'a str, parent: &str) -> (Element, &'a str) {
    let end = tag.find(|byte: char| !byte.is_ascii_alphanumeric()).expect("the end of a name");
    let (name, mut rest) = tag.split_at(end);
    assert!(name.starts_with(|first: char| first.is_ascii_lowercase()), "no name of an element: {tag:.40}");
    let mut element = Element { name: name.into(), parent: parent.into(), ..Element::default() };
    while let Some(attribute) = rest.strip_prefix(' ') {
        if let Some(end) = attribute.strip_prefix('/') {
            rest = end;
            break;
        }
        let end = attribute.find(['=', ' ', '>']).expect("the end of an attribute");
        let (name, value) = attribute.split_at(end);
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "no name of an attribute: {name}");
        let Some(quoted) = value.strip_prefix("=\"") else {
            element.attributes.push((name.into(), String::new()));
            rest = value;
            continue;
        };
        let (value, after) = quoted.split_once('"').expect("the end of a value");
        element.attributes.push((name.into(), unescape(value)));
        rest = after;
    }
    (element, rest.strip_prefix('>').unwrap_or_else(|| panic!("no end of a tag: <{tag:.60}")))
}

/// Text without the escapes that maud and pulldown-cmark write. Others, and what should have been escaped, fail.
fn unescape(text: &str) -> String {
    assert!(!text.contains(['<', '>']), "not escaped: {text}");
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').unwrap_or_else(|| panic!("a bare ampersand: {text}"));
        plain += match name {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "#x27" | "#39" => "'",
            other => panic!("an escape that nobody writes: {other}"),
        };
        plain += rest;
    }
    plain
}

#[test]
#[should_panic = "no end of a tag"]
fn a_value_that_ends_too_early_would_be_seen() {
    parse("<!DOCTYPE html><a href=\"x\"onerror=\"y\"></a>");
}

#[test]
#[should_panic = "not escaped"]
fn text_that_is_not_escaped_would_be_seen() {
    parse("<!DOCTYPE html><p>a > b</p>");
}
