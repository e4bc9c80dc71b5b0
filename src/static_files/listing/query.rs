//! What the URL's query asks of a listing: `?sort=size&order=desc&q=holiday&view=grid`. What it does not say, or says in
//! words that we do not know, is as always.

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::order::{Column, Direction, Order};

/// How a folder shall be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) order: Order,
    /// A part of the names to be listed, as it was typed; empty for all.
    pub(super) filter: String,
    pub(super) view: View,
    /// The same in lower case.
    needle: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    List,
    /// Pictures beside each other.
    Grid,
}

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let value = |name: &str| {
            let mut pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            pairs.find(|(key, _)| *key == name).map_or(Cow::Borrowed(""), |(_, value)| decode(value))
        };
        let column = match &*value("sort") {
            "size" => Column::Size,
            "modified" => Column::Modified,
            _ => Column::Name,
        };
        let direction = match &*value("order") {
            "asc" => Direction::Ascending,
            "desc" => Direction::Descending,
            _ => column.natural_direction(),
        };
        let view = if value("view") == "grid" { View::Grid } else { View::List };
        let filter = value("q").into_owned();
        let needle = filter.to_lowercase();
        Self { order: Order { column, direction }, filter, view, needle }
    }

    /// Whether a name is to be listed.
    pub(super) fn lets_through(&self, name: &[u8]) -> bool {
        self.needle.is_empty() || String::from_utf8_lossy(name).to_lowercase().contains(&self.needle)
    }

    /// The link to the same folder, sorted by this column; the other way round if it is already.
    pub(super) fn sorted_by(&self, column: Column) -> String {
        let direction =
            if self.order.column == column { self.order.direction.turned() } else { column.natural_direction() };
        Self { order: Order { column, direction }, ..self.clone() }.to_link()
    }

    /// The link to the same folder, seen in this way.
    pub(super) fn seen_as(&self, view: View) -> String {
        Self { view, ..self.clone() }.to_link()
    }

    /// The link to the same folder, with all its names.
    pub(super) fn unfiltered(&self) -> String {
        Self { filter: String::new(), ..self.clone() }.to_link()
    }

    /// Relative to the folder itself.
    fn to_link(&self) -> String {
        let mut pairs: Vec<String> = self.settings().map(|(name, value)| format!("{name}={value}")).collect();
        if !self.filter.is_empty() {
            pairs.push(format!("q={}", utf8_percent_encode(&self.filter, NON_ALPHANUMERIC)));
        }
        if pairs.is_empty() { "./".to_owned() } else { format!("?{}", pairs.join("&")) }
    }

    /// All but the filter, where it is not as always; a form that filters sends these along.
    pub(super) fn settings(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let Order { column, direction } = self.order;
        let sort = match column {
            Column::Name => None,
            Column::Size => Some(("sort", "size")),
            Column::Modified => Some(("sort", "modified")),
        };
        let order = (direction != column.natural_direction()).then_some(match direction {
            Direction::Ascending => ("order", "asc"),
            Direction::Descending => ("order", "desc"),
        });
        let view = (self.view == View::Grid).then_some(("view", "grid"));
        [sort, order, view].into_iter().flatten()
    }
}

/// As an HTML form writes it: a space is a `+`.
fn decode(value: &str) -> Cow<'_, str> {
    let spaced = value.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_as_always() {
        let plain = Query::parse("");
        for text in ["sort=", "sort=frob&order=up", "&&=&", "view=list", "sort=%zz", "q=", "order", "x=1&y"] {
            assert_eq!(Query::parse(text), plain, "{text}");
        }
        assert_eq!(plain.to_link(), "./");
    }

    #[test]
    fn a_link_says_what_was_asked_and_no_more() {
        for link in
            ["?sort=size", "?sort=modified&order=asc", "?order=desc", "?view=grid", "?order=desc&view=grid&q=a%20b"]
        {
            assert_eq!(Query::parse(&link[1..]).to_link(), link);
        }
        assert_eq!(Query::parse("q=%26+%22%3C").to_link(), "?q=%26%20%22%3C", "nothing of it can end the attribute");
    }

    #[test]
    fn a_column_is_turned_by_its_own_link() {
        let by_size = Query::parse("sort=size&q=a");
        assert_eq!(by_size.sorted_by(Column::Size), "?sort=size&order=asc&q=a");
        assert_eq!(by_size.sorted_by(Column::Name), "?q=a");
        assert_eq!(Query::parse("").sorted_by(Column::Name), "?order=desc");
    }

    #[test]
    fn the_filter_takes_any_case_and_any_bytes() {
        let lets_through = |filter: &str, name: &[u8]| Query::parse(&format!("q={filter}")).lets_through(name);
        assert!(lets_through("AB", b"xab") && lets_through("%C3%89", "été".as_bytes()) && lets_through("b", b"\xffb"));
        assert!(!lets_through("AB", b"a b") && lets_through("a+b", b"A b") && lets_through("", b""));
    }
}
