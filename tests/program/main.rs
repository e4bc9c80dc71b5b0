//! The program as a user meets it: what it says, where it listens, how it ends.
//!
//! Each test runs `qibu` itself. What the program does before it listens ends by itself, and is judged by exit code and
//! words; what it does afterwards is judged through its sockets. Nothing here sleeps and hopes: what is waited for has a
//! deadline, and every child is killed when its test ends.
#![cfg(all(feature = "program", unix))] // signals, permissions and unix sockets are half of it

mod defaults;
mod developing;
mod ending;
mod listening;
mod log;
mod rights;
mod settings;
mod sites;
mod speech;
mod support;
mod usage;
