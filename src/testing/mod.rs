//! Tests without sockets: clients of any handler or protocol, over memory, with a clock that is turned by hand.
//!
//! What runs is what serves: the same turns, connections and sessions as on an event loop, only that the transport is
//! memory. So HEAD, framing, keep-alive, deadlines and back-pressure are tested along.
//!
//! * [`TestClient`] sends requests to a handler and reads its answers.
//! * [`TestConn`] is one connection to a protocol: any bytes, cut anywhere, and time passes when you say so.
//! * [`TestLoop`] is a loop with many clients, on which nothing happens but what you let happen, in the order that you
//!   choose, and on which reads and writes can fail: for simulations.

mod client;
mod conn;
mod crowd;

use std::time::Duration;

pub use client::{TestClient, TestRequest, TestResponse};
pub use conn::TestConn;
pub use crowd::{PeerId, TestEvent, TestLoop};

pub use crate::connection::transport::{Fault, Operation};

/// What the wall clock shows when a test begins: Sun, 06 Nov 1994 08:49:37 GMT.
const WALL: Duration = Duration::from_secs(784_111_777);
