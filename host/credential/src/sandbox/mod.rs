//! The sandbox: the component is loaded once, instantiated as often as needed, and limited. It
//! reaches the host through `imports` alone.
//!
//! Each import call is logged as a `tracing` event of the target [`BORDER`], without secrets.

mod answer;
mod cache_watch;
#[cfg(feature = "runtime-compilation")]
mod compile;
mod config;
mod convert;
mod engine;
#[cfg(feature = "runtime-compilation")]
mod from_file;
pub(crate) mod imports;
#[cfg(feature = "runtime-compilation")]
mod inspect;
mod instance;
mod limiter;
mod own_writes;
mod read_turns;
mod sight;
mod state;
mod ticker;
mod wit;
mod write_queue;

pub(crate) use cache_watch::{Seen, Sight};
#[cfg(feature = "runtime-compilation")]
pub use compile::compile_component;
pub(crate) use engine::LoadedComponent;
pub(crate) use instance::{Instance, Issued, NotIssued};
pub(crate) use own_writes::follow;
pub(crate) use state::{Context, State};

/// The target of the events that log import calls of the component.
pub const BORDER: &str = "shared_token_cache::border";
