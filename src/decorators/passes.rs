//! Who has let a request through while it was planned, so that its handling need not ask again.
//!
//! A gate decides in `plan`, before the body is read. `handle` comes with the same request later, as a rule; but a
//! decorator of somebody else's between us and the server may not forward plans, and then `handle` must decide. A pass
//! tells the one from the other.

use crate::message::Request;

/// Notes that this gate has let the request through.
pub(super) fn give<G>(request: &mut Request, gate: &G) {
    request.passes_mut().push(number(gate));
}

/// Whether this gate has.
pub(super) fn has<G>(request: &Request, gate: &G) -> bool {
    request.passes().contains(&number(gate))
}

/// Where a gate lies in memory: it does not move while it serves, and two gates are not in the same place.
fn number<G>(gate: &G) -> usize {
    std::ptr::from_ref(gate).addr()
}
