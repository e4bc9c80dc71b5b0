//! What the programs have in common.

/// The port that the program was told.
pub fn port() -> u16 {
    std::env::args().nth(1).and_then(|port| port.parse().ok()).expect("usage: PROGRAM PORT")
}

/// The value of `name` in a query: what every program looks for.
pub fn name(query: &str) -> &str {
    query.split('&').find_map(|pair| pair.strip_prefix("name=")).unwrap_or("nobody")
}
