//! What the welcome page says of the source stays true.

use std::path::Path;

#[test]
fn every_file_that_the_page_names_exists() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(top.join("static/index.html")).unwrap();
    let is_of_a_path = |character: char| character.is_ascii_alphanumeric() || "/_.".contains(character);
    let named: Vec<&str> =
        page.split(|character| !is_of_a_path(character)).filter(|word| word.starts_with("src/")).collect();
    assert!(named.len() >= 7, "one for each step: {named:?}");
    for path in named {
        assert!(top.join(path).exists(), "static/index.html names {path}");
    }
}
