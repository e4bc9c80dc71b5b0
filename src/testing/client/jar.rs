//! The cookies that a [`TestClient`](super::TestClient) was given.

use std::fmt::Write;

/// A browser's memory, of one host.
#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    name: String,
    value: String,
    path: String,
}

impl Jar {
    /// Takes the value of a `Set-Cookie` that came for this target (RFC 6265 section 5.2).
    pub(super) fn keep(&mut self, set_cookie: &str, target: &str) {
        let mut parts = set_cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let mut cookie = Kept { name: name.into(), value: value.into(), path: default_path(target).into() };
        let mut is_over = false;
        for (key, value) in parts.map(|part| part.split_once('=').unwrap_or((part, ""))) {
            match key.to_ascii_lowercase().as_str() {
                "path" if value.starts_with('/') => cookie.path = value.into(),
                "max-age" => is_over = value.parse().is_ok_and(|seconds: i64| seconds <= 0),
                "expires" => is_over |= value.contains("1970"), // what everybody takes to remove one
                _ => {}
            }
        }
        self.cookies.retain(|known| (&known.name, &known.path) != (&cookie.name, &cookie.path));
        if !is_over {
            self.cookies.push(cookie);
        }
    }

    /// The value of `Cookie` for a target, those of the longest paths first (RFC 6265 section 5.4).
    pub(super) fn cookies_for(&self, target: &str) -> Option<String> {
        let path = target.split('?').next().unwrap_or_default();
        let mut matching: Vec<_> = self.cookies.iter().filter(|cookie| is_beneath(path, &cookie.path)).collect();
        matching.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let mut field = String::new();
        for cookie in matching {
            let separator = if field.is_empty() { "" } else { "; " };
            write!(field, "{separator}{}={}", cookie.name, cookie.value).expect("a String takes everything");
        }
        (!field.is_empty()).then_some(field)
    }
}

/// RFC 6265 §5.1.4: up to the last slash.
fn default_path(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or_default();
    match path.rfind('/') {
        Some(at) if at > 0 => &path[..at],
        _ => "/",
    }
}

fn is_beneath(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie_path.ends_with('/'))
}
