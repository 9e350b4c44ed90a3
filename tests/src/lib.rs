//! The cases in `tests/cases`, and their runners.
//!
//! A case is a folder: `case.json` has the calls and their expected outcomes, `before/` and
//! `after/` the cache documents, and `traffic.json` the exchanges with the token endpoint.

#![forbid(unsafe_code)]

pub mod case;
pub mod cli;
pub mod component;
pub mod differential;
pub mod endpoint;
pub mod extended;
pub mod guest_memory;
pub mod gzip;
pub mod home;
pub mod listen;
pub mod login;
pub mod memory;
pub mod native;
pub mod peers;
pub mod proxy;

pub use token_endpoint::sign_in;
