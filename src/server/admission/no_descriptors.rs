//! Other systems than Linux let nobody wait when a table of descriptors grows.

pub(super) fn make_room(_count: usize) {}
