//! The component's imports on WASI 0.2, for hosts that offer only WASI: composed with this adapter,
//! the component runs on all of them.
//!
//! Cache files are found in the folders that the host grants, and token requests go out through
//! `wasi:http`. There is no vault, so the component sees the secrets that it works with. It can
//! reach only what the host grants, and of that only what `settings::Settings` name.
//!
//! Logic that does not need WASI is in modules of its own, which are tested natively: `settings`,
//! `places`, `endpoint`, `retry`, `version`.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "elsewhere there is nothing to export, and only tests run")
)]

mod cache_file;
mod clock;
mod endpoint;
mod environment;
mod files;
mod https;
mod lock;
mod log;
mod outgoing;
mod pause;
mod places;
mod replace;
mod retry;
mod settings;
mod stderr;
mod version;
mod wit;

struct Adapter;

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the macro defines the functions that the component exports")]
mod export {
    use super::Adapter;
    use super::wit;

    wit::export!(Adapter with_types_in wit);
}
