//! Which paths a rule is for: `*.html`, `/assets/**`, `/blog/20??/*`.
//!
//! | written | means |
//! |---|---|
//! | `?`, `*` | one character, any number of them; but no slash |
//! | `**` | any folders, also none |
//! | `[ab]`, `{png,jpg}` | one of these |
//! | `*.html` | without a slash: a name in any folder |
//! | `/robots.txt`, `assets/*.js` | with one: from the top |
//! | `drafts/` | all that is in that folder |
//!
//! It is held against a path that was decoded and resolved, never against the text of a request: no spelling of a path gets
//! around a rule. Case does not count where it does not count to the system's files.
//!
//! Pattern: Adapter (of the crate globset, which no other file names).

use std::io;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

/// One glob, ready to use.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    matcher: GlobMatcher,
}

/// Systems whose files are found by names in any case.
const CASE_DOES_NOT_COUNT: bool = cfg!(any(windows, target_os = "macos"));

impl Glob {
    pub(super) fn parse(text: &str) -> io::Result<Self> {
        let wrong = |why: &str| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{text:?} is no glob: {why}; as in *.html or /assets/**"),
            )
        };
        let mut pattern = match text.strip_prefix('/') {
            Some(from_the_top) => from_the_top.to_owned(),
            None if text.is_empty() => return Err(wrong("it is empty")),
            None if text.trim_end_matches('/').contains('/') => text.to_owned(),
            None => format!("**/{text}"),
        };
        if pattern.ends_with('/') {
            pattern += "**";
        }
        let glob = GlobBuilder::new(&pattern).literal_separator(true).case_insensitive(CASE_DOES_NOT_COUNT).build();
        Ok(Self { matcher: glob.map_err(|error| wrong(&error.kind().to_string()))?.compile_matcher() })
    }

    /// Whether it is meant, a path relative to the folder that is served.
    pub(super) fn fits(&self, path: &Path) -> bool {
        self.matcher.is_match(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_fits_what_it_says() {
        for (glob, fits, does_not) in [
            ("*.html", &["a.html", "a/b.html", "a/b/c.html"][..], &["a.htm", "html", "a.html/b"][..]),
            ("/*.html", &["a.html"], &["a/b.html"]),
            ("**/*.html", &["a.html", "a/b.html"], &["a.css"]),
            ("/assets/**", &["assets/a", "assets/b/c.js"], &["assets", "a/assets/b", "assets2/a"]),
            ("assets/*.js", &["assets/a.js"], &["assets/b/a.js", "c/assets/a.js"]),
            ("drafts/", &["drafts/a", "drafts/b/c", "a/drafts/b"], &["drafts", "draft/a"]),
            ("/drafts/", &["drafts/a"], &["a/drafts/b"]),
            ("a?.txt", &["ab.txt"], &["a.txt", "a/.txt"]),
            ("*.{png,jpg}", &["a.png", "b/c.jpg"], &["a.gif"]),
            ("**", &["a", "a/b"], &[]),
            ("*", &["a", "a/b"], &[]),
            ("/a b/ü", &["a b/ü"], &["a%20b/ü"]),
        ] {
            let glob = Glob::parse(glob).unwrap();
            assert!(fits.iter().all(|path| glob.fits(Path::new(path))), "{glob:?}");
            assert!(!does_not.iter().any(|path| glob.fits(Path::new(path))), "{glob:?}");
        }
    }

    #[test]
    fn what_is_no_glob_is_refused_with_its_text() {
        for text in ["", "[a", "{a", "a{b,{c"] {
            let error = Glob::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
