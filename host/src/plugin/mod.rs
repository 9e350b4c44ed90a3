//! The component: loaded once, instantiated as often as needed, and held to its limits.

mod answer;
mod compile;
mod config;
mod convert;
mod engine;
mod inspect;
mod instance;
mod limiter;
pub(crate) mod sight;
mod state;
mod ticker;
pub(crate) mod wit;

pub use compile::compile_component;
pub(crate) use engine::Plugin;
pub(crate) use instance::{Instance, Issued, NotIssued};
pub(crate) use state::{Context, State};
