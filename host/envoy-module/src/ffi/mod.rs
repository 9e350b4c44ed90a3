//! The border to Envoy: the C ABI of its dynamic modules, version 0.2.0, as far as an HTTP filter needs it.

mod abi;
mod calls;
mod envoy;
mod no_ops;

#[cfg(panic = "abort")]
compile_error!("a panic of the module must not take Envoy down: build it with `panic = \"unwind\"`");
