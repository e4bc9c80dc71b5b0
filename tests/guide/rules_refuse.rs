//! The rules themselves: each lets a good page pass and refuses a bad one.

use crate::page::Page;
use crate::rules::{self, Files};

pub(crate) fn page(path: &str, text: &str) -> Page {
    Page::parse(path, text).unwrap()
}

fn files(of: &[(&str, &str)]) -> Files {
    of.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// One complaint, which says this.
#[track_caller]
pub(crate) fn refused(complaints: &[String], saying: &str) {
    assert!(complaints.len() == 1 && complaints[0].contains(saying), "wanted {saying:?}: {complaints:?}");
}

#[track_caller]
pub(crate) fn passed(complaints: &[String]) {
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
fn a_fence_that_nobody_closes() {
    assert!(Page::parse("p", "```console\n$ a\n").is_err());
    assert!(rules::pages(&files(&[("README.md", "```\n")])).is_err());
}

#[test]
fn a_fence_of_an_unknown_form() {
    for good in [
        "console",
        "console of=1",
        "python run",
        "python save=mine.py",
        "python file=a.py",
        "rust file=src/lib.rs",
        "text",
    ] {
        passed(&rules::fences_have_known_forms(&page("p", &format!("```{good}\n```\n"))));
    }
    for bad in ["", "consol", "console of=0", "console 1", "python files=a.py", "rust files=a", "console of=1 of=2"] {
        refused(&rules::fences_have_known_forms(&page("p", &format!("x\n```{bad}\n```\n"))), "p:2: no fence");
    }
}

#[test]
fn an_excerpt_that_is_not_in_the_source() {
    let source = |file: &str| {
        (file == "a.rs")
            .then(|| "mod x {\n    fn a() {\n        one();\n\n        two();\n    }\n}\nfn b() {}\n".to_owned())
    };
    let check = |excerpt: &str| rules::excerpts_stand_in_the_source(&page("p", excerpt), &source);
    passed(&check("```rust file=a.rs\nfn a() {\n    one();\n\n    two();\n}\n```\n"));
    passed(&check("```rust file=a.rs\n    fn a() {\n// …\n        two();\n    }\n```\n"));
    passed(&check("```rust file=a.rs\nfn a() {\n    // …\n}\n```\n"));
    passed(&check("```python file=a.rs\nmod x {\n    # …\nfn b() {}\n```\n"));
    passed(&check("```rust\nanything\n```\n"));
    refused(
        &check("```rust file=a.rs\nfn a() {\n    three();\n}\n```\n"),
        "p:3: a.rs does not go on with:     three();",
    );
    refused(&check("```rust file=a.rs\nfn a() {\n    two();\n```\n"), "p:3"); // not contiguous
    refused(&check("```rust file=a.rs\ntwo();\n// …\none();\n```\n"), "p:4"); // not in this order
    refused(&check("```rust file=a.rs\nfn a() {\n        one();\n```\n"), "p:3"); // cut unequally
    refused(&check("```rust file=a.rs\nfn b()\n```\n"), "p:2"); // a whole line
    refused(&check("```rust file=b.rs\nfn b() {}\n```\n"), "there is no b.rs");
}

#[test]
fn a_link_that_leads_nowhere() {
    let check = |text: &str| {
        let two = "en/02-five-and-seven-steps/README.md";
        let files = files(&[
            ("README.md", "# Guide"),
            ("en/01-address-port-packet/README.md", text),
            (two, "# Two: the `5` steps!\n"),
            ("drawings/01-a.svg", "<svg/>"),
        ]);
        rules::links_lead_somewhere(&rules::pages(&files).unwrap(), &files)
    };
    passed(&check("[2](../02-five-and-seven-steps/), [top](../../), ![a](../../drawings/01-a.svg), `[x](y)`"));
    passed(&check("# Here\n[2](../02-five-and-seven-steps/#two-the-5-steps) [here](#here) [rfc](https://a/b)\n"));
    passed(&check("```text\n[x](y)\n```\n[svg](../../drawings/01-a.svg)\n"));
    refused(&check("[2](../02/)"), "en/01-address-port-packet/README.md:1: the link ../02/: there is no page");
    refused(&check("[2](../02-five-and-seven-steps)"), "a folder ends in /");
    refused(&check("[2](../02-five-and-seven-steps/README.md)"), "lead to the folder");
    refused(&check("[2](../02-five-and-seven-steps/#three)"), "no such heading");
    refused(&check("[2](#three)"), "no such heading");
    refused(&check("![b](../../drawings/01-b.svg)"), "no such image");
    refused(&check("[c](../../../../src/lib.rs)"), "out of docs/guide");
    refused(&check("[c](/en/)"), "relative");
    refused(&check("[c](http://a/)"), "relative");
}

#[test]
fn a_page_without_its_translation_or_with_another_fence() {
    let one = |chinese: &str| {
        let english = "```console\n$ a\nb\n```\n```python\nx = 1  # one\n```\n```rust file=a\nb\n```\n";
        vec![page("en/faq/README.md", english), page("zh/faq/README.md", chinese)]
    };
    let same = "```console\n$ a\nb\n```\n```python\nx = 1  # 一\n```\n```rust file=a\nb\n```\n";
    passed(&rules::translations_have_the_same_fences(&one(same)));
    passed(&rules::both_languages_have_the_same_pages(&one(same)));
    let check = |from: &str, to: &str| rules::translations_have_the_same_fences(&one(&same.replace(from, to)));
    refused(&check("$ a", "$ c"), "en/faq/README.md:1: ```console is not the same as zh/faq/README.md:1");
    refused(&check("=a\nb", "=a\nc"), "```rust file=a");
    refused(&check("python", "text"), "en/faq/README.md:5");
    refused(&check("```rust file=a\nb\n```\n", ""), "3 fences, and 2");
    refused(&rules::both_languages_have_the_same_pages(&one(same)[..1]), "there is no zh/faq/README.md");
    refused(&rules::both_languages_have_the_same_pages(&one(same)[1..]), "there is no en/faq/README.md");
}

#[test]
fn a_folder_of_another_name() {
    let check = |path: &str| rules::folders_are_those_of_the_course(&[page(path, "")]);
    passed(&[check("README.md"), check("en/faq/README.md"), check("zh/10-patterns/README.md")].concat());
    refused(&check("en/13-more/README.md"), "no part");
    refused(&check("fr/10-patterns/README.md"), "no part");
    refused(&check("en/10-patterns/more.md"), "no part");
}

#[test]
fn a_chapter_without_one_of_its_parts() {
    let whole = "![d](../../drawings/02-d.svg)\n```console\n$ a\n```\n```python\n```\n```rust file=a\n```\n\
        ## 以后再做：练习\n`cargo test --test stages stage_02` [1](../01-address-port-packet/) [3](../03-bytes-and-text/)\n";
    let others = [page("zh/01-address-port-packet/README.md", ""), page("zh/03-bytes-and-text/README.md", "")];
    let check = |from: &str, to: &str| {
        assert!(whole.contains(from));
        rules::chapters_are_whole(&page("zh/02-five-and-seven-steps/README.md", &whole.replace(from, to)), &others)
    };
    passed(&check("[1]", "[one]"));
    refused(&check("![d]", "[d]"), "a drawing");
    refused(&check("console", "text"), "```console");
    refused(&check("python", "text"), "```python");
    refused(&check(" file=a", ""), "```rust file=");
    refused(&check("stage_02", "stage_03"), "stage_02");
    refused(&check("## 以后再做：练习", "## 练习"), "for later");
    refused(&check("../01-", "01-"), "before");
    refused(&check("../03-", "03-"), "next");
    let last = page("zh/02-five-and-seven-steps/README.md", &whole.replace("../03-", "03-"));
    passed(&rules::chapters_are_whole(&last, &others[..1]));
    passed(&rules::chapters_are_whole(&page("zh/faq/README.md", ""), &others));
}

#[test]
fn a_drawing_that_is_broken_or_runs() {
    let good = "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\">\n<!-- a on=b -->\
        <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><g><path d=\"M0 0\"/><text x=\"1\">a &gt; b</text></g></svg>\n";
    let check = |from: &str, to: &str| {
        assert!(good.contains(from));
        rules::a_drawing_is_harmless_and_whole("d.svg", &good.replace(from, to))
    };
    passed(&check("a &gt; b", "c"));
    refused(&check(" viewBox=\"0 0 9 9\"", ""), "viewBox");
    refused(&check("100%", "50%"), "no ground");
    refused(&check("</g>", ""), "</svg> closes another element");
    refused(&check("<svg", "<g></g><svg"), "is not svg");
    refused(&check("d=\"M0 0\"", "d=\"M0 0"), "open quote");
    refused(&check("<path ", "<script "), "runs or fetches");
    refused(&check("<path ", "<path onclick=\"a()\" "), "runs or fetches");
    refused(&check("<path ", "<image href=\"https://a/b\" "), "runs or fetches");
    assert!(!rules::a_drawing_is_harmless_and_whole("d.svg", "<html></html>").is_empty());
    assert!(!rules::a_drawing_is_harmless_and_whole("d.svg", "").is_empty());
    assert!(!rules::a_drawing_is_harmless_and_whole("d.svg", &good.replace("</svg>", "")).is_empty());
}

#[test]
fn python_that_does_not_compile() {
    let page = page("p", "```python\nif True\n    pass\n```\n```python\nx = 1\n```\n");
    let fences: Vec<_> = page.fences.iter().map(|fence| (&page, fence)).collect();
    if let Some(complaints) = crate::compile(&fences) {
        refused(&complaints, "p:1");
    }
}
