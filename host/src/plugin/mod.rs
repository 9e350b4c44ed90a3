//! The component: loaded once, instantiated as often as needed, and held to its limits.

mod config;
mod convert;
mod engine;
mod instance;
mod state;
mod ticker;
pub(crate) mod wit;

pub(crate) use engine::Plugin;
pub(crate) use instance::{Instance, Issued};
pub(crate) use state::{Context, State};
