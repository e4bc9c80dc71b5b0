//! The decorators that come with qibu: a file each, and each an example of the pattern.
//!
//! A decorator stands around any handler and is a handler again, so that they stack: `site.with(AccessLog::new())`. All of
//! them do the same three things. They forward [`plan`](crate::Middleware::plan), or say what they know better; they call
//! the next handler, or answer in its place; and they change its answer through [`Response::map`](crate::Response::map), so
//! that an answer that comes later is changed when it comes.
//!
//! Pattern: Decorator.

mod access_log;
mod allowed_hosts;
#[cfg(feature = "auth")]
pub(crate) mod basic_auth;
mod buckets;
mod compress;
mod cors;
mod forwarded;
mod health;
mod isolation;
mod limit;
mod live_reload;
mod metrics;
mod passes;
mod rate_limit;
mod request_id;
mod security_headers;
#[cfg(feature = "sessions")]
pub(crate) mod sessions;
mod timeout;
mod trusted_proxies;
mod vary;

pub use access_log::{AccessLog, LogFormat};
pub use allowed_hosts::AllowedHosts;
pub use compress::Compress;
pub use cors::Cors;
pub use health::Health;
pub use isolation::Isolation;
pub use limit::{Limit, limit};
pub use live_reload::LiveReload;
pub use metrics::Metrics;
pub use rate_limit::RateLimit;
pub use request_id::RequestId;
pub use security_headers::SecurityHeaders;
pub use timeout::Timeout;
pub use trusted_proxies::TrustedProxies;
