//! The header fields of a response: its own, or those of all answers that say the same.
//!
//! A file that is asked for again and again is answered with the same fields each time. Such fields are shared: no answer
//! copies them, and a protocol writes them down once ([`SharedFields::lines`]). Who wants to change them gets a copy of its
//! own, and need not know. They are kept as a list, since there are as many of them as there are files in memory, and a
//! `HeaderMap` takes three times as much; it is made for who asks for one.
//!
//! Pattern: Flyweight.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// All fields of one response.
#[derive(Clone)]
pub(crate) enum Fields {
    Own(Box<HeaderMap>),
    Shared(Arc<SharedFields>),
    /// Those of the program itself. All loops use them, and none has to tell the others so by a count.
    Fixed(&'static SharedFields),
}

/// Fields of many responses, none of which steers the connection.
#[derive(Clone, Default)]
pub(crate) struct SharedFields {
    list: Box<[(HeaderName, HeaderValue)]>,
    map: OnceLock<Box<HeaderMap>>,
    /// As HTTP/1 writes them.
    lines: OnceLock<Box<[u8]>>,
}

impl Fields {
    pub(crate) fn none() -> Self {
        static NONE: LazyLock<SharedFields> = LazyLock::new(SharedFields::default);
        Self::Fixed(&NONE)
    }

    pub(crate) fn map(&self) -> &HeaderMap {
        match self {
            Self::Own(map) => map,
            Self::Shared(shared) => shared.map(),
            Self::Fixed(shared) => shared.map(),
        }
    }

    /// To be changed, for this one response.
    pub(crate) fn map_mut(&mut self) -> &mut HeaderMap {
        let own = match self {
            Self::Own(map) => return map,
            Self::Shared(shared) => shared.to_map(),
            Self::Fixed(shared) => shared.to_map(),
        };
        *self = Self::Own(own.into());
        self.map_mut()
    }

    /// Takes them out, leaving none.
    pub(super) fn take(&mut self) -> HeaderMap {
        match std::mem::replace(self, Self::none()) {
            Self::Own(map) => *map,
            shared => shared.map().clone(),
        }
    }

    /// One after the other.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let (own, list) = match self {
            Self::Own(map) => (Some(map.iter()), [].iter()),
            Self::Shared(shared) => (None, shared.list.iter()),
            Self::Fixed(shared) => (None, shared.list.iter()),
        };
        own.into_iter().flatten().chain(list.map(|(name, value)| (name, value)))
    }

    /// The fields where one may steer the connection: close it, or have it speak another protocol.
    pub(crate) fn steering(&self) -> Option<&HeaderMap> {
        match self {
            Self::Own(map) => Some(map),
            Self::Shared(_) | Self::Fixed(_) => None,
        }
    }
}

impl SharedFields {
    /// Fields that do not steer the connection.
    pub(crate) fn of<const N: usize>(list: [(HeaderName, HeaderValue); N]) -> Self {
        Self { list: list.into(), ..Self::default() }
    }

    /// The lines of these fields; `write` writes them the first time.
    pub(crate) fn lines(&self, write: impl FnOnce(&HeaderMap) -> Vec<u8>) -> &[u8] {
        self.lines.get_or_init(|| write(&self.to_map()).into())
    }

    fn map(&self) -> &HeaderMap {
        self.map.get_or_init(|| self.to_map().into())
    }

    fn to_map(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(self.list.len());
        for (name, value) in &self.list {
            map.append(name.clone(), value.clone());
        }
        map
    }
}

/// To be shared by whoever clones it. What steers a connection is for one answer alone, and stays its own.
impl FromIterator<(HeaderName, HeaderValue)> for Fields {
    fn from_iter<I: IntoIterator<Item = (HeaderName, HeaderValue)>>(fields: I) -> Self {
        let shared = SharedFields { list: fields.into_iter().collect(), ..SharedFields::default() };
        match shared.list.iter().any(|(name, _)| [CONNECTION, UPGRADE].contains(name)) {
            true => Self::Own(shared.to_map().into()),
            false => Self::Shared(Arc::new(shared)),
        }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use http::header::{ETAG, VARY};

    use super::*;

    fn fields(names: &[HeaderName]) -> Fields {
        let value = || HeaderValue::from_static("a");
        names.iter().map(|name| (name.clone(), value())).collect()
    }

    #[test]
    fn a_change_is_for_one_alone() {
        let one = fields(&[ETAG]);
        let mut other = one.clone();
        other.map_mut().insert(VARY, HeaderValue::from_static("b"));
        assert_eq!((one.map().len(), other.map().len()), (1, 2));
        assert!(other.steering().is_some(), "who changes them may have put anything there");
    }

    #[test]
    fn what_steers_a_connection_is_not_shared() {
        assert!(fields(&[ETAG]).steering().is_none());
        assert!(fields(&[ETAG, CONNECTION]).steering().is_some());
        assert!(fields(&[UPGRADE]).steering().is_some());
    }

    #[test]
    fn the_lines_are_written_once() {
        let Fields::Shared(shared) = fields(&[ETAG]) else { panic!("they do not steer") };
        assert_eq!(shared.lines(|map| vec![b'x'; map.len()]), b"x");
        assert_eq!(shared.lines(|_| unreachable!("they are there")), b"x");
    }
}
