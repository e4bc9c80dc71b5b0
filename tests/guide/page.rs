//! A page of the guide, taken apart: its fences, links and headings, each with its line.

/// One README.md.
pub(crate) struct Page {
    /// Where it stands in docs/guide, e.g. `en/01-address-port-packet/README.md`.
    pub(crate) path: String,
    pub(crate) fences: Vec<Fence>,
    pub(crate) links: Vec<Link>,
    pub(crate) headings: Vec<String>,
    /// All that stands outside of fences.
    pub(crate) prose: String,
}

/// What stands between two lines of backticks.
pub(crate) struct Fence {
    /// The line of its opening, from 1.
    pub(crate) line: usize,
    /// What follows the opening backticks: `console`, `rust file=src/lib.rs`.
    pub(crate) info: String,
    pub(crate) content: Vec<String>,
}

/// Where a link or an image leads.
pub(crate) struct Link {
    pub(crate) line: usize,
    pub(crate) target: String,
    pub(crate) kind: LinkKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkKind {
    Text,
    Image,
}

impl Page {
    /// Takes a page apart; an error names a fence that nobody closes.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, String> {
        let mut page = Self {
            path: path.to_owned(),
            fences: Vec::new(),
            links: Vec::new(),
            headings: Vec::new(),
            prose: String::new(),
        };
        let mut lines = text.lines().zip(1..);
        while let Some((text, line)) = lines.next() {
            if let Some(info) = text.strip_prefix("```") {
                let content: Vec<_> =
                    lines.by_ref().map(|(text, _)| text).take_while(|text| *text != "```").map(str::to_owned).collect();
                page.fences.push(Fence { line, info: info.to_owned(), content });
                continue;
            }
            if text.starts_with('#') {
                page.headings.push(text.trim_start_matches('#').trim().to_owned());
            }
            page.links.extend(links(text, line));
            page.prose += text;
            page.prose.push('\n');
        }
        let marks = text.lines().filter(|line| line.starts_with("```")).count();
        if marks != 2 * page.fences.len() {
            return Err(format!("{path}: a line of ``` opens or closes nothing"));
        }
        Ok(page)
    }

    /// How a complaint begins: `en/01-…/README.md:12`.
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }

    /// What a link to a heading calls it, as code hosts do: small letters, `-` for a space, no punctuation.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let is_kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
        let slug =
            |heading: &String| heading.to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-");
        self.headings.iter().map(slug).collect()
    }
}

impl Fence {
    /// The first word: `console`, `rust`, `python`, `text`.
    pub(crate) fn language(&self) -> &str {
        self.info.split(' ').next().unwrap_or_default()
    }

    /// The value of `key=value` behind the language.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.info.split(' ').skip(1).find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }
}

/// `[text](target)` and `![text](target)` of a line, code aside.
fn links(text: &str, line: usize) -> Vec<Link> {
    let prose: String = text.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let mut links = Vec::new();
    for (at, _) in prose.match_indices("](") {
        let target = prose[at + 2..].split(')').next().unwrap_or_default().to_owned();
        let opening = prose[..at].rfind('[').unwrap_or(0);
        let kind = if prose[..opening].ends_with('!') { LinkKind::Image } else { LinkKind::Text };
        links.push(Link { line, target, kind });
    }
    links
}
