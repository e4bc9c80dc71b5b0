//! Patterns as they are written: what is certainly a slip, and the form in which the tree keeps them.
//!
//! A route that no request can come to looks like any other in the program, and its author searches for the fault
//! everywhere else. So what would be one is refused, with what was probably meant.

use std::borrow::Cow;

use http::Method;

use super::normal::normalized;

/// A stretch of a pattern.
enum Part<'a> {
    /// What is written out.
    Text(&'a str),
    /// `{{` or `}}`; or one that is alone, which the tree refuses.
    Brace(&'a str),
    /// `{name}` or `{*name}`.
    Parameter(&'a str),
}

/// The method in front of a route, and its path.
pub(super) fn method_and_path(route: &str) -> Result<(Option<Method>, &str), &'static str> {
    match route.split_once(' ') {
        Some((method, path)) if !method.starts_with('/') => Ok((Some(self::method(method)?), path)),
        _ => Ok((None, route)),
    }
}

fn method(name: &str) -> Result<Method, &'static str> {
    const STANDARD: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    const ALL: [&str; 3] = ["ANY", "ALL", "*"];
    if ALL.iter().any(|all| all.eq_ignore_ascii_case(name)) {
        return Err("a route for all methods is its path alone");
    }
    if STANDARD.iter().any(|known| known.eq_ignore_ascii_case(name) && *known != name) {
        // RFC 9110 §9.1: a method's name is case-sensitive.
        return Err("methods are written in capitals, as in `GET /path`");
    }
    if name == "CONNECT" {
        return Err("CONNECT asks for a tunnel, which the server refuses before any route");
    }
    Method::from_bytes(name.as_bytes()).map_err(|_| "before the space stands a method, and only one")
}

/// Refuses paths that cannot match, or would match something else than is meant.
pub(super) fn check(path: &str) -> Result<(), &'static str> {
    if !path.starts_with('/') {
        return Err("it must begin with a slash");
    }
    let mut names = Vec::new();
    for part in parts(path) {
        match part {
            Part::Text(text) => check_text(text)?,
            Part::Parameter(parameter) => names.push(name(parameter)?),
            Part::Brace(_) => {}
        }
    }
    if path.ends_with(char::is_whitespace) {
        return Err("it ends in white space, which is `%20` if it is meant");
    }
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("two of its parameters have the same name");
    }
    path.split('/').try_for_each(check_segment)
}

fn check_text(text: &str) -> Result<(), &'static str> {
    if text.contains(['?', '#']) {
        return Err(
            "a route is a path alone: its handler reads the query (`request.query`), and `?` and `#` themselves are \
                    `%3F` and `%23`",
        );
    }
    if text.contains('\\') {
        return Err("segments are parted by `/`, and a backslash itself is `%5C`");
    }
    if text.contains(char::is_control) {
        return Err("there is a control character in it");
    }
    Ok(())
}

fn check_segment(segment: &str) -> Result<(), &'static str> {
    if segment.starts_with([':', '*', '<']) {
        return Err(
            "a parameter is `{name}`, and `{*name}` all that is left; `:`, `*` and `<` themselves are `%3A`, `%2A` \
                    and `%3C` at the front of a segment",
        );
    }
    if matches!(&*normalized(segment), "." | "..") {
        // RFC 3986 §5.2.4
        return Err("clients take the segments `.` and `..` out of a path before they send it");
    }
    Ok(())
}

/// The name of a parameter: what other frameworks let follow it is not part of it.
fn name(parameter: &str) -> Result<&str, &'static str> {
    let name = parameter.trim_start_matches('{').trim_end_matches('}');
    let name = name.strip_prefix('*').unwrap_or(name);
    if name.contains(|sign: char| !sign.is_alphanumeric() && !"_-.".contains(sign)) {
        return Err(
            "the name of a parameter has letters, digits, `_`, `-` and `.`; what its value must be says the type in \
                    `request.param`, as in `request.param::<u32>(\"id\")`",
        );
    }
    Ok(name)
}

/// The form in which the tree keeps a path: what is written out is normalized, as the paths of requests are.
pub(super) fn normal_form(path: &str) -> String {
    let form = parts(path).map(|part| match part {
        Part::Text(text) => Cow::Owned(normalized(text).replace('{', "{{").replace('}', "}}")),
        Part::Brace(same) | Part::Parameter(same) => Cow::Borrowed(same),
    });
    form.collect()
}

/// Takes a pattern apart, into what is in it and nothing else: together they are the pattern again.
fn parts(pattern: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = pattern;
    std::iter::from_fn(move || {
        let part = match rest.find(['{', '}']) {
            _ if rest.is_empty() => return None,
            None => Part::Text(rest),
            Some(0) => match rest.find('}') {
                _ if rest.starts_with("{{") || rest.starts_with("}}") => Part::Brace(&rest[..2]),
                None | Some(0) => Part::Brace(&rest[..1]),
                Some(end) => Part::Parameter(&rest[..=end]),
            },
            Some(end) => Part::Text(&rest[..end]),
        };
        let (Part::Text(text) | Part::Brace(text) | Part::Parameter(text)) = part;
        rest = &rest[text.len()..];
        Some(part)
    })
}
