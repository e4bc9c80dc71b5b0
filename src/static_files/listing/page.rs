//! A listing as a page. It is complete without JavaScript: sorting, filtering and the grid are links and a form. The script
//! filters while one types, and lets the arrow keys walk the list. No element here has an `id`, which a heading of a README
//! might have, too.
//!
//! Rows come in groups of a hundred, which the browser need not lay out before they are in sight: so a folder of a hundred
//! thousand files scrolls like a small one.
//!
//! Pattern: Strategy (a [`Form`]).

use std::ops::Range;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::entries::{Fullness, MOST_ENTRIES, Totals};
use super::figures::{Count, Size};
use super::order::{Column, Direction};
use super::query::View;
use super::readme::{End, Readme};
use super::{Form, Frame, Listing, row};
use crate::message::ICON;

pub(super) struct Page;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Nothing is loaded but pictures of this server and the icon; no style counts and no script runs but the two above, by their
/// digests.
const POLICY: &str = "default-src 'none'; img-src 'self' data:; \
    style-src 'sha256-qy9q1NrbQLBiCQdMUgYuIJC+TXGtCTTIYDbV/3eTFGQ='; \
    script-src 'sha256-0qrCat5cyOsNlnT4Wh6mhiNDxDsjRoFNu8Fidf4r2UU='; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

/// Where the rows go in the page around them. No name can look like it, since a `<` in a name is escaped.
const ROWS: &str = "<!-- rows -->";

impl Form for Page {
    fn media_type(&self) -> &'static str {
        "text/html; charset=utf-8"
    }

    fn policy(&self) -> Option<&'static str> {
        Some(POLICY)
    }

    fn frame(&self, listing: &Listing) -> Frame {
        let page = around(listing, &PreEscaped(ROWS)).into_string();
        let (head, foot) = page.split_once(ROWS).expect("it was put in one line above");
        Frame { head: head.into(), foot: foot.into() }
    }

    fn rows(&self, listing: &Listing, range: Range<usize>) -> String {
        let entries = listing.entries.range(range);
        let group = match listing.query.view {
            View::List => html! { tbody role="rowgroup" class="rows" { @for entry in entries { (row::row(&entry)) } } },
            View::Grid => html! { @for entry in entries { (row::tile(&entry)) } },
        };
        group.into_string()
    }
}

fn around(listing: &Listing, rows: &PreEscaped<&str>) -> Markup {
    let here = listing.crumbs.here();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (here) }
                link rel="icon" href=(ICON);
                style { (PreEscaped(STYLE)) }
            }
            body {
                (crumbs(listing))
                main {
                    h1 { (here) }
                    (tools(listing))
                    @match listing.query.view {
                        View::List => (list(listing, rows)),
                        View::Grid => ul.grid.rows role="list" aria-label="Files" { (rows) },
                    }
                    (remarks(listing))
                    @if let Some(readme) = &listing.readme { (shown(readme)) }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// The folders above, each a link; the first letter of the way is the top.
fn crumbs(listing: &Listing) -> Markup {
    html! {
        nav aria-label="Folders above" {
            ol role="list" { @for (name, link) in listing.crumbs.above() { li { a href=(link) { (name) } } } }
        }
    }
}

/// What there is, how to find something in it, and how else to see it.
fn tools(listing: &Listing) -> Markup {
    let query = &listing.query;
    html! {
        div.tools {
            p.summary role="status" { (summary(listing.entries.totals())) }
            @if listing.entries.totals().images > 0 || query.view == View::Grid {
                p.views {
                    @for (view, name) in [(View::List, "List"), (View::Grid, "Grid")] {
                        a href=(query.seen_as(view)) aria-current=[(view == query.view).then_some("true")] { (name) }
                    }
                }
            }
            form role="search" {
                @for (name, value) in query.settings() { input type="hidden" name=(name) value=(value); }
                input type="search" name="q" value=(query.filter) placeholder="Filter" aria-label="Filter by name"
                    autocomplete="off" spellcheck="false" enterkeyhint="search";
                noscript { button { "Filter" } }
            }
        }
    }
}

fn summary(totals: Totals) -> Markup {
    let Totals { folders, files, bytes, .. } = totals;
    html! {
        @if folders > 0 { (Count(folders, "folder")) ", " }
        (Count(files, "file"))
        @if files > 0 { ", " (Size(bytes)) }
    }
}

fn list(listing: &Listing, rows: &PreEscaped<&str>) -> Markup {
    let columns = [(Column::Name, "Name"), (Column::Size, "Size"), (Column::Modified, "Modified (UTC)")];
    html! {
        table.files role="table" aria-label="Files" {
            thead role="rowgroup" {
                tr role="row" { @for (column, name) in columns { (heading(listing, column, name)) } }
            }
            (rows)
        }
    }
}

fn heading(listing: &Listing, column: Column, name: &str) -> Markup {
    let order = listing.query.order;
    let sorted = (order.column == column).then_some(match order.direction {
        Direction::Ascending => "ascending",
        Direction::Descending => "descending",
    });
    html! {
        th role="columnheader" scope="col" aria-sort=[sorted] { a href=(listing.query.sorted_by(column)) { (name) } }
    }
}

/// What the reader would otherwise wonder about.
fn remarks(listing: &Listing) -> Markup {
    let (totals, filter) = (listing.entries.totals(), &listing.query.filter);
    html! {
        @if !filter.is_empty() {
            p.remark { "Only names with “" (filter) "” in them. " a href=(listing.query.unfiltered()) { "Show all" } }
        } @else if listing.entries.len() == 0 {
            p.remark { "This folder is empty." }
        }
        @if totals.fullness == Fullness::Cut {
            p.remark { "There are more; no more than " (Count(MOST_ENTRIES, "name")) " are listed." }
        }
    }
}

/// Nobody knows its language; the page's own is not it.
fn shown(readme: &Readme) -> Markup {
    html! {
        section.readme aria-label=(readme.name) lang="" {
            p.name { (readme.name) }
            (readme.content)
            @if readme.end == End::CutOff { p.remark lang="en" { "This is only its beginning: it is very long." } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever changes the style or the script gets the new digest from here.
    #[test]
    fn the_policy_knows_the_style_and_the_script() {
        use sha2::Digest;
        let digest = |text: &str| data_encoding::BASE64.encode(&sha2::Sha256::digest(text));
        assert!(POLICY.contains(&format!("style-src 'sha256-{}';", digest(STYLE))), "page.css: {}", digest(STYLE));
        assert!(POLICY.contains(&format!("script-src 'sha256-{}';", digest(SCRIPT))), "page.js: {}", digest(SCRIPT));
    }
}
