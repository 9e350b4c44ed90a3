//! The imports of the component. Each asks the policy, then acts.
//!
//! Every crossing of the border is a `tracing` event of the target [`BORDER`], without any secret.

mod cache_file;
mod clock;
mod https;
mod log;
mod seen;
pub(crate) mod stores;
mod told;
mod turn;

pub(crate) use seen::Seen;
pub(crate) use turn::Turn;

/// The target of events that tell what crossed the border of the sandbox.
pub const BORDER: &str = "shared_token_cache::border";
