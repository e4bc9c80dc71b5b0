//! Without the feature `markdown`, it is shown as the text that it is.

use maud::{Markup, html};

pub(super) fn render(text: &str) -> Markup {
    html! { pre dir="auto" { (text) } }
}
