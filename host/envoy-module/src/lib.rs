//! An Envoy dynamic module: a filter that sets `Authorization: Bearer …` on HTTP requests, with the
//! access token of a profile.
//!
//! The module `ffi` has the functions of both directions of the C ABI. All other modules use Envoy
//! through small traits, and are tested without it.

// Envoy exists on Unix only.
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
