//! The order of a listing: folders first, then by any column, and names as people count: `a2` before `a10`.

use std::cmp::Ordering;

use super::entries::{Entries, Entry};

/// By what, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Order {
    pub(super) column: Column,
    pub(super) direction: Direction,
}

/// What the listing says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Column {
    Name,
    Size,
    Modified,
}

/// From the least to the greatest, or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

impl Column {
    /// Where one begins to look: names at A, sizes at the largest, times at the latest.
    pub(super) fn natural_direction(self) -> Direction {
        match self {
            Self::Name => Direction::Ascending,
            Self::Size | Self::Modified => Direction::Descending,
        }
    }
}

impl Direction {
    pub(super) fn turned(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }

    fn apply(self, ordering: Ordering) -> Ordering {
        match self {
            Self::Ascending => ordering,
            Self::Descending => ordering.reverse(),
        }
    }
}

/// Folders stay first either way. What is equal comes in the order of names.
pub(super) fn sort(entries: &mut Entries, order: Order) {
    let by_column = |a: &Entry<'_>, b: &Entry<'_>| match order.column {
        Column::Name => Ordering::Equal,
        Column::Size => size(a).cmp(&size(b)),
        Column::Modified => a.modified.cmp(&b.modified),
    };
    let names_direction = if order.column == Column::Name { order.direction } else { Direction::Ascending };
    entries.sort(|a, b| {
        let kinds = a.kind.cmp(&b.kind);
        kinds
            .then_with(|| order.direction.apply(by_column(a, b)))
            .then_with(|| names_direction.apply(compare_names(a.name, b.name)))
    });
}

/// That of a folder is the system's own affair, and not shown.
fn size(entry: &Entry<'_>) -> Option<u64> {
    (entry.kind == super::super::beneath::Kind::File).then_some(entry.size)
}

/// Digits count as numbers, however long; ASCII letters count in any case. Names that are equal so far come in the order
/// of their bytes.
fn compare_names(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (Some(first), Some(second)) = (left.first(), right.first()) else {
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        let ordering = if first.is_ascii_digit() && second.is_ascii_digit() {
            compare_numbers(take_number(&mut left), take_number(&mut right))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            first.to_ascii_lowercase().cmp(&second.to_ascii_lowercase())
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

/// The digits at the beginning, without leading zeros.
fn take_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

/// Without leading zeros, the longer one is the greater.
fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::super::super::beneath::{Kind, Look};
    use super::*;

    #[test]
    fn names_are_ordered_as_people_count() {
        let sorted = [
            "",
            "-rf",
            ".well-known",
            "0",
            "00",
            "001",
            "01",
            "1",
            "2",
            "10",
            "99999999999999999999999",
            "A",
            "a",
            "a 1",
            "a1",
            "a1b",
            "A2",
            "a2",
            "a10",
            "a10b1",
            "a10b02",
            "a10b2c",
            "a010c",
            "ab",
            "B",
            "b",
            "z",
            "é",
            "七步",
        ];
        for (place, left) in sorted.iter().enumerate() {
            for (other, right) in sorted.iter().enumerate() {
                assert_eq!(compare_names(left.as_bytes(), right.as_bytes()), place.cmp(&other), "{left:?}, {right:?}");
            }
        }
    }

    #[test]
    fn different_names_are_never_equal_and_the_order_is_one() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut name =
            || -> Vec<u8> { (0..random.usize(0..6)).map(|_| *random.choice(b"a0019bA\xff .").unwrap()).collect() };
        for _ in 0..50_000 {
            let (a, b, c) = (name(), name(), name());
            let order = compare_names(&a, &b);
            assert_eq!(order, compare_names(&b, &a).reverse());
            assert_eq!(order == Ordering::Equal, a == b, "{a:?} and {b:?}");
            if order.is_le() && compare_names(&b, &c).is_le() {
                assert!(compare_names(&a, &c).is_le(), "{a:?}, {b:?}, {c:?}");
            }
        }
    }

    fn sorted(column: Column, direction: Direction) -> Vec<String> {
        let mut entries = Entries::default();
        for (name, kind, size, modified) in [
            ("b10", Kind::File, 5, 30),
            ("b9", Kind::File, 5, -10),
            ("a", Kind::File, 700, 20),
            ("z", Kind::Folder, 4096, 1),
            ("y", Kind::Folder, 64, 2),
        ] {
            assert!(entries.push(name.as_bytes(), Look { kind, size, modified }));
        }
        sort(&mut entries, Order { column, direction });
        entries.iter().map(|entry| String::from_utf8(entry.name.to_vec()).unwrap()).collect()
    }

    #[test]
    fn folders_stay_first_whatever_the_order() {
        use Direction::{Ascending, Descending};
        assert_eq!(sorted(Column::Name, Ascending), ["y", "z", "a", "b9", "b10"]);
        assert_eq!(sorted(Column::Name, Descending), ["z", "y", "b10", "b9", "a"]);
        assert_eq!(sorted(Column::Size, Ascending), ["y", "z", "b9", "b10", "a"], "folders have no size");
        assert_eq!(sorted(Column::Size, Descending), ["y", "z", "a", "b9", "b10"]);
        assert_eq!(sorted(Column::Modified, Ascending), ["z", "y", "b9", "a", "b10"]);
        assert_eq!(sorted(Column::Modified, Descending), ["y", "z", "b10", "a", "b9"]);
    }
}
