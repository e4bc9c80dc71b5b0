//! One name in the page: a row of the list, or a tile of the grid.

use maud::{Markup, html};

use super::super::beneath::Kind;
use super::entries::Entry;
use super::figures::{Moment, Size};
use super::icons::{Icon, is_picture};
use super::names::{Link, Shown};

/// What stands behind the name of a folder.
pub(super) fn end_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Folder => "/",
        Kind::File => "",
    }
}

/// The roles say what the elements are anyway: some browsers forget it where the style lays a table out as a grid.
pub(super) fn row(entry: &Entry<'_>) -> Markup {
    html! {
        tr role="row" {
            td role="cell" { a class=(icon(entry)) href=(link(entry)) { (Shown(entry.name)) (end_of(entry.kind)) } }
            td role="cell" { @if entry.kind == Kind::File { (Size(entry.size)) } }
            td role="cell" { (Moment::new(entry.modified)) }
        }
    }
}

/// A picture is fetched when it comes into sight. Its name is written below, so it needs no other words; where that does not
/// fit, it is there to be pointed at.
pub(super) fn tile(entry: &Entry<'_>) -> Markup {
    html! {
        li title=(Shown(entry.name)) {
            a class=(icon(entry)) href=(link(entry)) {
                @if entry.kind == Kind::File && is_picture(entry.name) {
                    img src=(link(entry)) alt="" loading="lazy" decoding="async";
                }
                span { (Shown(entry.name)) (end_of(entry.kind)) }
            }
        }
    }
}

fn icon(entry: &Entry<'_>) -> &'static str {
    match entry.kind {
        Kind::Folder => "folder",
        Kind::File => Icon::of(entry.name).class(),
    }
}

fn link<'a>(entry: &Entry<'a>) -> Link<'a> {
    Link { name: entry.name, end: end_of(entry.kind) }
}
