//! Content-Security-Policy: a page that permits no script, such as a listing, must permit ours and its event stream.

/// What the page needs: the directives that decide over it, the first that is there counts, and the one to add where that is
/// `default-src`, which decides over much else.
const NEEDS: [(&str, &[&str]); 2] =
    [("script-src", &["script-src-elem", "script-src"]), ("connect-src", &["connect-src"])];

/// The same policies (a list, CSP3 section 3.1), with scripts and connections of the page's own site permitted.
pub(super) fn permit_own(policies: &str) -> String {
    policies.split(',').map(permit_in_one).collect::<Vec<_>>().join(", ")
}

fn permit_in_one(policy: &str) -> String {
    let mut directives: Vec<String> =
        policy.split(';').map(str::trim).filter(|directive| !directive.is_empty()).map(str::to_owned).collect();
    let place = |directives: &[String], wanted: &str| {
        directives.iter().position(|directive| split(directive).0.eq_ignore_ascii_case(wanted))
    };
    for (added, deciding) in NEEDS {
        if let Some(place) = deciding.iter().find_map(|name| place(&directives, name)) {
            directives[place] = with_self(split(&directives[place]));
        } else if let Some(place) = place(&directives, "default-src") {
            directives.push(with_self((added, split(&directives[place]).1)));
        }
    }
    directives.join("; ")
}

/// Name and sources.
fn split(directive: &str) -> (&str, &str) {
    directive.split_once(|character: char| character.is_ascii_whitespace()).unwrap_or((directive, ""))
}

fn with_self((name, sources): (&str, &str)) -> String {
    let is_none = |source: &str| source.eq_ignore_ascii_case("'none'");
    let sources: Vec<_> = sources.split_ascii_whitespace().filter(|source| !is_none(source)).collect();
    let has_self = sources.iter().any(|source| source.eq_ignore_ascii_case("'self'"));
    let own = if has_self { &[][..] } else { &["'self'"] };
    [&[name], &*sources, own].concat().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_permitted_and_nothing_else() {
        for (policy, permitted) in [
            ("default-src 'none'; style-src 'unsafe-inline'", {
                "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'"
            }),
            (
                "default-src a.example",
                "default-src a.example; script-src a.example 'self'; connect-src a.example 'self'",
            ),
            ("Script-Src 'sha256-x';connect-src 'none';", "Script-Src 'sha256-x' 'self'; connect-src 'self'"),
            ("script-src 'none'; script-src-elem 'SELF'", "script-src 'none'; script-src-elem 'SELF'"),
            ("img-src 'none'", "img-src 'none'"),
            ("script-src", "script-src 'self'"),
            ("", ""),
            ("script-src a, script-src b", "script-src a 'self', script-src b 'self'"),
        ] {
            assert_eq!(permit_own(policy), permitted, "{policy}");
        }
    }
}
