//! The component: loaded once, instantiated as often as needed, and held to its limits.

mod answer;
mod config;
mod convert;
mod engine;
mod instance;
mod limiter;
mod state;
mod ticker;
pub(crate) mod wit;

pub(crate) use engine::Plugin;
pub(crate) use instance::{Instance, Issued};
pub(crate) use state::{Context, State};
