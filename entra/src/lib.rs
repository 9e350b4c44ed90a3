#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod account;
pub mod agent_session;
pub mod cache;
mod class;
pub mod client;
pub mod cloud;
mod codes;
pub mod header;
mod page;
mod refusal;
pub mod schema;
pub mod scope;
mod secret;
pub mod tenant;
pub mod token;
#[cfg(test)]
mod words;

pub use class::Class;
pub use page::{PAGE, is_a_page};
pub use refusal::{Refusal, another_refresh_token_may_do, class_of, is_dead};
pub use secret::Secret;
