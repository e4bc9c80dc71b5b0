//! The course keeps its word: from chapter 1 to a handler of one's own within an hour, reading all that is on the way and
//! typing every command.
//!
//! On the way is what stands before the first heading of [`LATER`], on the landing page and in the chapters 1 to 10. The
//! rates are a plain estimate of somebody who reads carefully and types no faster than most; the landing page names them.

use crate::page::Page;
use crate::rules::{CHAPTERS, Files};

/// How many chapters lead to a handler of one's own.
const CHAPTERS_ON_THE_WAY: usize = 10;
/// With what the headings begin from which on a page is not on the way.
const LATER: [&str; 7] = ["Later", "Further", "以后", "延伸", "The chapters", LAST_EXERCISE[0], LAST_EXERCISE[1]];
/// The one exercise that is on the way: what stands beneath is in its minutes.
const LAST_EXERCISE: [&str; 2] = ["The exercise: a handler of your own", "练习：自己的处理器"];

const LIMIT_MINUTES: f64 = 60.0;
const WORDS_PER_MINUTE: f64 = 200.0;
const CHINESE_CHARACTERS_PER_MINUTE: f64 = 300.0;
const LINES_OF_CODE_PER_MINUTE: f64 = 20.0;
const LINES_OF_OUTPUT_PER_MINUTE: f64 = 60.0;
const TYPED_CHARACTERS_PER_MINUTE: f64 = 150.0;
/// To wait for a command, and to look at what it says.
const MINUTES_PER_COMMAND: f64 = 15.0 / 60.0;
/// Ctrl-C, or a line for a program that runs: to go to its terminal.
const MINUTES_PER_KEY: f64 = 5.0 / 60.0;
const MINUTES_PER_DRAWING: f64 = 15.0 / 60.0;
/// The exercise at the end of chapter 10, all of it: to read it, to write some lines, to have them judged.
const LAST_EXERCISE_MINUTES: f64 = 10.0;
/// Until `cargo run` shows the first page. All else is built while chapter 1 is read, where only Python runs.
const FIRST_BUILD_MINUTES: f64 = 3.0;

/// What a page takes, in minutes.
#[derive(Default)]
pub(crate) struct Cost {
    prose: f64,
    shown: f64,
    typed: f64,
    allowed: f64,
}

impl Cost {
    fn sum(&self) -> f64 {
        self.prose + self.shown + self.typed + self.allowed
    }

    /// Of the text of a page that is on the way.
    fn of(page: &Page) -> Self {
        let mut cost = Self { prose: minutes_of_prose(&page.prose), ..Self::default() };
        for fence in &page.fences {
            match fence.language() {
                "console" => cost.add_terminal(&fence.content),
                "sh" => fence.content.iter().for_each(|line| cost.add_command(line)),
                _ if fence.value("save").is_some() => fence.content.iter().for_each(|line| cost.add_typed(line)),
                _ => cost.shown += lines(&fence.content) / LINES_OF_CODE_PER_MINUTE,
            }
        }
        cost.allowed += page.prose.matches("![").count() as f64 * MINUTES_PER_DRAWING;
        cost
    }

    /// A command whose quote is open goes on in the next lines.
    fn add_terminal(&mut self, content: &[String]) {
        let mut is_open = false;
        for line in content {
            let was_open = is_open;
            if was_open || line.starts_with("$ ") {
                is_open ^= line.matches('\'').count() % 2 == 1;
            }
            match line.split_once(' ') {
                _ if was_open => self.add_typed(line),
                Some(("$", key)) if key.starts_with("^C") => self.allowed += MINUTES_PER_KEY,
                Some(("$", command)) => self.add_command(command.trim_end_matches(" &")),
                Some((">", text)) => {
                    self.add_typed(text);
                    self.allowed += MINUTES_PER_KEY;
                }
                _ if line == "..." => {}
                _ => self.shown += 1.0 / LINES_OF_OUTPUT_PER_MINUTE,
            }
        }
    }

    fn add_command(&mut self, command: &str) {
        self.add_typed(command);
        self.allowed += MINUTES_PER_COMMAND;
    }

    fn add_typed(&mut self, text: &str) {
        self.typed += text.chars().count() as f64 / TYPED_CHARACTERS_PER_MINUTE;
    }
}

fn lines(content: &[String]) -> f64 {
    content.iter().filter(|line| !["", "// …", "# …"].contains(&line.trim())).count() as f64
}

/// Words and Chinese characters of what is read: no targets of links, no rules of tables, no way to other chapters.
fn minutes_of_prose(prose: &str) -> f64 {
    let read = prose.split("\n\n").filter(|paragraph| !paragraph.contains("](../../)"));
    let mut minutes = 0.0;
    for paragraph in read {
        let mut text = String::new();
        let mut rest = paragraph;
        while let Some((before, after)) = rest.split_once("](") {
            text += before;
            rest = after.split_once(')').map_or("", |(_, rest)| rest);
        }
        text += rest;
        let characters = text.chars().filter(|letter| is_chinese(*letter)).count();
        let latin: String = text.chars().map(|letter| if is_chinese(letter) { ' ' } else { letter }).collect();
        let words = latin.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count();
        minutes += words as f64 / WORDS_PER_MINUTE + characters as f64 / CHINESE_CHARACTERS_PER_MINUTE;
    }
    minutes
}

fn is_chinese(letter: char) -> bool {
    ('\u{3400}'..='\u{9fff}').contains(&letter)
}

/// A page up to the first heading that is for later.
fn on_the_way(path: &str, text: &str) -> Page {
    let is_later = |line: &&str| {
        let heading = line.trim_start_matches('#').trim_start();
        line.starts_with('#') && LATER.iter().any(|later| heading.starts_with(later))
    };
    let kept: Vec<_> = text.lines().take_while(|line| !is_later(line)).collect();
    Page::parse(path, &(kept.join("\n") + "\n")).expect("a fence has no heading in it")
}

/// The way in a language: the landing page, of whose two languages one is read, and the chapters.
pub(crate) fn way(files: &Files, language: &str) -> Vec<(String, Cost)> {
    let cost = |path: String| {
        let cost = files.get(&path).map(|text| Cost::of(&on_the_way(&path, text))).unwrap_or_default();
        (path, cost)
    };
    let (landing, mut first) = cost("README.md".to_owned());
    first.prose /= 2.0;
    first.allowed += FIRST_BUILD_MINUTES;
    let chapters = CHAPTERS[..CHAPTERS_ON_THE_WAY].iter().map(|chapter| format!("{language}/{chapter}/README.md"));
    let mut way: Vec<_> = [(landing, first)].into_iter().chain(chapters.map(cost)).collect();
    way[CHAPTERS_ON_THE_WAY].1.allowed += LAST_EXERCISE_MINUTES;
    way
}

/// For each language a table, and whether it is within the hour.
pub(crate) fn within_the_hour(files: &Files) -> (String, Vec<String>) {
    let (mut tables, mut complaints) = (String::new(), Vec::new());
    for language in ["en", "zh"] {
        tables += &format!("{:44} prose  shown  typed  allowed  minutes\n", "");
        let way = way(files, language);
        for (path, cost) in &way {
            let Cost { prose, shown, typed, allowed } = cost;
            tables += &format!("{path:44} {prose:5.1} {shown:6.1} {typed:6.1} {allowed:8.1} {:8.1}\n", cost.sum());
        }
        let sum: f64 = way.iter().map(|(_, cost)| cost.sum()).sum();
        tables += &format!("{:44} {sum:37.1}\n", format!("{language}: all"));
        if sum > LIMIT_MINUTES {
            complaints.push(format!("{language}: from chapter 1 to a handler takes {sum:.1} minutes, and may take 60"));
        }
        complaints.extend(what_the_landing_page_says(files, language, sum));
    }
    (tables, complaints)
}

/// The landing page names the sum, to the next five minutes.
fn what_the_landing_page_says(files: &Files, language: &str, sum: f64) -> Option<String> {
    let rounded = (sum / 5.0).ceil() * 5.0;
    let said = if language == "en" { format!("{rounded} minutes") } else { format!("{rounded} 分钟") };
    let landing = files.get("README.md").map(String::as_str).unwrap_or_default();
    (!landing.contains(&said)).then(|| format!("README.md: it does not say {said:?}, for {sum:.1}"))
}

#[test]
fn what_is_counted() {
    let of = |text: &str| Cost::of(&on_the_way("en/a/README.md", text));
    let near = |minutes: f64, expected: f64| assert!((minutes - expected).abs() < 1e-9, "{minutes}, not {expected}");
    near(of(&"word ".repeat(200)).sum(), 1.0);
    near(of(&"字".repeat(300)).sum(), 1.0);
    near(of("[a](../b/) | `c` |\n|---|\n\n[← 1](../a/) · [The course](../../)\n").sum(), 2.0 / 200.0);
    near(of("![a b](c.svg)\n").sum(), MINUTES_PER_DRAWING + 2.0 / 200.0);
    near(of("```rust\na\n\n// …\nb\n```\n").sum(), 2.0 / 20.0);
    near(of("```console\n$ abc &\n1\n...\n2\n$ ^C\n```\n").sum(), 3.0 / 150.0 + 15.0 / 60.0 + 2.0 / 60.0 + 5.0 / 60.0);
    near(of("```console of=1\n> abc\n```\n").sum(), 3.0 / 150.0 + 5.0 / 60.0);
    near(of("```sh\nabc\n```\n").sum(), 3.0 / 150.0 + 15.0 / 60.0);
    near(of("```console\n$ a '\nbc\n'\n1\n```\n").sum(), 6.0 / 150.0 + 15.0 / 60.0 + 1.0 / 60.0);
    near(of("```python save=a.py\nabc\n```\n").sum(), 3.0 / 150.0);
    for later in ["## Later: exercise", "## Further", "## 以后再做：练习", "## 延伸"] {
        near(of(&format!("a\n{later}\nb\n```rust\n```\n")).sum(), 1.0 / 200.0);
    }
}

#[test]
fn a_way_that_is_too_long() {
    let files = |words: usize| {
        let page = (format!("en/{}/README.md", CHAPTERS[0]), "word ".repeat(words));
        Files::from([page, ("README.md".to_owned(), "15 minutes, 15 分钟\n".to_owned())])
    };
    assert_eq!(within_the_hour(&files(0)).1, [""; 0]);
    let complaints = within_the_hour(&files(10_000)).1;
    assert_eq!(complaints.len(), 2, "too long, and the landing page says 15: {complaints:?}");
}
