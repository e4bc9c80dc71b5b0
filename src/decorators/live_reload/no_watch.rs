//! Without the feature `watch`, only [`LiveReload::changed`](super::LiveReload::changed) tells of changes.

/// There is none.
pub(super) enum Watch {}
