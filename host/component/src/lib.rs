#![doc = include_str!("../README.md")]

/// The component as WebAssembly.
pub const COMPONENT: &[u8] = include_bytes!("../artefacts/shared-token-cache.wasm");

/// The WIT package, as one text.
pub const WIT: &str = include_str!("../artefacts/shared-token-cache.wit");

/// The component as machine code for this crate's target, or `None` if it is not compiled for this
/// target.
#[cfg(precompiled)]
pub const PRECOMPILED: Option<&[u8]> = Some(include_bytes!(env!("PRECOMPILED")));

/// The component as machine code for this crate's target, or `None` if it is not compiled for this
/// target.
#[cfg(not(precompiled))]
pub const PRECOMPILED: Option<&[u8]> = None;
