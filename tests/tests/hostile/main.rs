//! Components that attack their host through every import; the host denies all attempts.
//!
//! `table.rs` has one test for each component of `tests/hostile/examples`; `imports.rs` tries many names, URLs and header fields
//! with one component.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "helpers of tests"
)]

mod canary;
mod document;
mod imports;
mod instances;
mod plays;
mod stage;
mod table;
mod traces;
