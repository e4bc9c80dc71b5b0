//! The decorators, a file each, over the public API. Those that need a feature are left out without it.

mod refusals;
mod trusted_proxies;
