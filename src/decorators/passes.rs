//! Who has let a request through while it was planned, so that its handling need not ask again.
//!
//! A gate decides in `plan`, before the body is read. `handle` comes with the same request later, as a rule; but a
//! decorator of somebody else's between us and the server may not forward plans, and then `handle` must decide. A pass
//! tells the one from the other.

use crate::message::Request;

/// The gates that have let this request through.
#[derive(Debug, Clone, Default)]
struct Passes(Vec<Gate>);

/// Where a gate lies in memory: it does not move while it serves, and two gates are not in the same place.
type Gate = usize;

/// Notes that this gate has let the request through.
pub(super) fn give<G>(request: &mut Request, gate: &G) {
    let passes = request.extensions_mut().get_or_insert_default::<Passes>();
    passes.0.push(std::ptr::from_ref(gate).addr());
}

/// Whether this gate has.
pub(super) fn has<G>(request: &Request, gate: &G) -> bool {
    let passes = request.extensions().get::<Passes>();
    passes.is_some_and(|passes| passes.0.contains(&std::ptr::from_ref(gate).addr()))
}
