//! The rules about the course as a whole: each lets a good one pass and refuses a bad one.

use crate::course;
use crate::page::Page;
use crate::rules::{CHAPTERS, EXTRAS};
use crate::rules_refuse::{page, passed, refused};

/// A course of which every page is empty but the landing page.
fn whole() -> Vec<Page> {
    let folders: Vec<_> = ["en", "zh"]
        .iter()
        .flat_map(|language| CHAPTERS.iter().chain(&EXTRAS).map(move |folder| format!("{language}/{folder}/")))
        .collect();
    let links: String = folders.iter().map(|folder| format!("[a]({folder})\n")).collect();
    let pages = folders.iter().map(|folder| page(&format!("{folder}README.md"), ""));
    pages.chain([page("README.md", &links)]).collect()
}

#[test]
fn a_course_that_lacks_a_part() {
    passed(&course::every_part_is_there(&whole()));
    for at in 0..whole().len() {
        let mut pages = whole();
        let gone = pages.remove(at).path;
        refused(&course::every_part_is_there(&pages), &format!("docs/guide/{gone} is missing"));
    }
}

#[test]
fn a_landing_page_that_leaves_a_part_out() {
    passed(&course::the_landing_page_leads_to_all(&whole()));
    let mut pages = whole();
    pages.last_mut().unwrap().links.retain(|link| link.target != "zh/faq/");
    refused(&course::the_landing_page_leads_to_all(&pages), "no link to zh/faq/");
}

#[test]
fn a_glossary_of_other_words_than_the_chapters() {
    let english = "# Glossary\n\n- **port** (端口): a number.\n  [1](../01-address-port-packet/)\n\
        - **bind** (绑定): a call. [2](../02-five-and-seven-steps/)\n";
    let chinese = "- **端口**（port）：一个数。[1](../01-address-port-packet/)\n\
        - **bind**（绑定）：一个调用。[2](../02-five-and-seven-steps/)\n";
    let check = |from: &str, to: &str| {
        assert!(english.contains(from));
        course::glossaries_are_of_the_chapters(&[
            page("en/01-address-port-packet/README.md", "A Port.\n"),
            page("en/02-five-and-seven-steps/README.md", "```python\nbind()\n```\n"),
            page("zh/01-address-port-packet/README.md", "端\n口\n"),
            page("zh/02-five-and-seven-steps/README.md", "bind\n"),
            page("en/glossary/README.md", &english.replace(from, to)),
            page("zh/glossary/README.md", chinese),
        ])
    };
    passed(&check("a number", "some number"));
    refused(&check("[2]", "[3]"), "no chapter with its number");
    refused(&check("../02-five", "../02-six"), "no chapter with its number");
    refused(&check("[1](../01-address-port-packet/)", ""), "leads to no chapter");
    refused(&check("[2](../02-five-and-seven-steps/)", "[1](../01-address-port-packet/)"), "does not use the word");
    assert_eq!(check(" (绑定)", "").len(), 2, "no entry, and missing in one");
    assert_eq!(check("(绑定)", "(捆绑)").len(), 2, "two entries that only one has");
    refused(&check("- **bind** (绑定): a call. [2](../02-five-and-seven-steps/)\n", ""), "only one has bind / 绑定");
    let twice = "- **port** (端口): it.\n  [1](../01-address-port-packet/)\n- **bind**";
    refused(&check("- **bind**", twice), "twice");
    refused(&course::glossaries_are_of_the_chapters(&[page("en/glossary/README.md", "")]), "no entries");
}
