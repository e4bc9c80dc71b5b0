//! Generated paths: a route, a mount and a parameter match what decodes to them, however it is encoded, and nothing else.

use std::fmt::Write;

use proptest::prelude::*;
use qibu::testing::TestClient;
use qibu::{Request, Router, StatusCode};

use crate::text;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_path_is_what_its_segments_decode_to(one in path(), other in path(), how in any::<u64>()) {
        let app = || Router::new().route(&pattern(&one), |_: &mut Request| "one");
        let found = |path: &[String], how| TestClient::new(app()).get(&spelled(path, how)).send().status();
        prop_assert_eq!(found(&one, how), 200, "{}", spelled(&one, how));
        prop_assert_eq!(found(&other, how) == 200, one == other, "{} for {}", spelled(&other, how), pattern(&one));
    }

    #[test]
    fn what_is_mounted_has_the_rest_and_the_parameter(one in path(), name in segment(), how in any::<u64>()) {
        let inside = Router::new().get("/{x}.html", text).not_found(|_: &mut Request| StatusCode::IM_A_TEAPOT);
        let client = TestClient::new(Router::new().mount(&pattern(&one), inside).mount("/", |_: &mut Request| "outside"));
        let page = [&one[..], &[format!("{name}.html")]].concat();
        let answer = client.get(&spelled(&page, how)).send();
        prop_assert_eq!(answer.text(), name);
        let deeper = [&page[..], &one[..]].concat();
        prop_assert_eq!(client.get(&spelled(&deeper, how)).send().status(), 418);
    }
}

/// Signs that mean something to somebody, or stand for something in the router's tree.
fn segment() -> impl Strategy<Value = String> {
    "[aF2%/{}:*.?#\\\\ 你佡é\u{10FF2F}\u{10FFE4}\u{10FFFF}\u{0}]{1,4}"
        .prop_filter("dots", |name| name != "." && name != "..")
}

fn path() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(segment(), 1..4)
}

/// As a pattern that means each sign as it is.
fn pattern(segments: &[String]) -> String {
    segments.iter().fold(String::new(), |mut pattern, segment| {
        pattern.push('/');
        for sign in segment.chars() {
            match sign {
                '{' => pattern += "{{",
                '}' => pattern += "}}",
                'a' | 'F' | '2' | '.' => pattern.push(sign),
                _ if sign.is_ascii() => write!(pattern, "%{:02x}", u32::from(sign)).unwrap(),
                _ => pattern.push(sign),
            }
        }
        pattern
    })
}

/// As a target; bit by bit, `how` says what is encoded that need not be.
fn spelled(segments: &[String], how: u64) -> String {
    let mut bits = (0..64).cycle().map(|bit| how >> bit & 1 == 1);
    segments.iter().fold(String::new(), |mut target, segment| {
        target.push('/');
        for byte in segment.bytes() {
            match bits.next() {
                Some(false) if b"aF2{}:*.\\".contains(&byte) => target.push(char::from(byte)),
                Some(true) => write!(target, "%{byte:02X}").unwrap(),
                _ => write!(target, "%{byte:02x}").unwrap(),
            }
        }
        target
    })
}
