//! The imports of the component. Each asks the policy, then acts.

mod border_log;
mod cache_file;
mod clock;
mod https;
mod log;
pub(crate) mod stores;
