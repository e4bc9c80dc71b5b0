"""The parts of benches/compare; start reading there."""
