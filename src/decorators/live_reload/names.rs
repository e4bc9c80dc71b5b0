//! Which names count when something happens to them.

use std::path::{Component, Path};

/// The URL path of a file, by its path in the folder that is watched; `prefix` is the folder's own. `None` for what is never
/// served, for what editors and downloads leave behind for a moment, and for logs: one of our own answers would grow with
/// each reload, and bring about the next.
pub(super) fn url_path(prefix: &str, relative: &Path) -> Option<String> {
    let mut path = prefix.trim_end_matches('/').to_owned();
    for component in relative.components() {
        let Component::Normal(name) = component else { return None };
        let name = name.to_string_lossy();
        if is_passing(&name) {
            return None;
        }
        path.push('/');
        path += &name;
    }
    Some(if path.is_empty() { "/".into() } else { path })
}

fn is_passing(name: &str) -> bool {
    const ENDINGS: [&str; 10] =
        ["~", ".swp", ".swx", ".tmp", ".part", ".crdownload", ".bak", ".log", "___jb_tmp___", "___jb_old___"];
    // Vim writes a file of that name to see whether it may.
    const TRIAL: &str = "4913";
    name.starts_with(['.', '#']) || name == TRIAL || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_if_it_is_served() {
        let url = |prefix, path: &str| url_path(prefix, Path::new(path)).unwrap_or_default();
        assert_eq!(url("/", "a/b c.css"), "/a/b c.css");
        assert_eq!(url("/docs", "index.html"), "/docs/index.html");
        assert_eq!(url("/docs/", ""), "/docs");
        assert_eq!(url("/", ""), "/");
        for passing in [
            ".git/index",
            "a/.b/c",
            "a.html~",
            "a.html.swp",
            "#a.html#",
            ".#a.html",
            "4913",
            "x.crdownload",
            "access.log",
        ] {
            assert_eq!(url("/", passing), "", "{passing}");
        }
    }
}
