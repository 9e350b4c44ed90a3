//! The imports of the component. Each checks the policy first.

mod border_log;
mod cache_file;
mod clock;
mod https;
mod log;
pub(crate) mod stores;
