//! An Envoy dynamic module: a filter that puts the access token of a profile on HTTP requests, as `Authorization: Bearer …`.
//!
//! What Envoy calls and what is called there is in `ffi`. The rest knows Envoy as three small traits, and is tested without it.

// Envoy is there to be linked against on Unix only.
#![cfg(unix)]

mod config;
mod counters;
#[cfg(not(test))]
#[expect(unsafe_code, reason = "Envoy calls the module, and is called by it, over a C ABI")]
mod ffi;
mod filter;
mod guard;
mod injector;
mod log;
mod registry;
mod runtime;
mod settings;
