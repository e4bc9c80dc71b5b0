//! The lock and the flag of [`letters`](super::letters), by names of our own: tests/loom.rs puts loom's in their place and
//! tries every order in which threads can meet there.

pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
pub(crate) use std::sync::{Mutex, PoisonError};
