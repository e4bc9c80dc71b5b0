//! The site's own page for what is not there: `404.html`, the nearest one on the way up, as hosts of sites do it.
//!
//! It is sent with status 404, without a validator and never in parts: conditions and ranges are about what was asked for
//! (RFC 9110 sections 13.2.1 and 14.2), and that is not there.

use super::resolve::Target;

/// How the page is called.
const NAME: &str = "404.html";

/// Deeper folders are not looked into, so that a long path costs little.
const DEEPEST: usize = 8;

/// Where the page may be, the nearest place first.
pub(super) fn places(target: &Target) -> impl Iterator<Item = Target> {
    let near = target.parents().filter(|folder| folder.path.components().count() <= DEEPEST);
    near.map(|folder| folder.child(NAME))
}
