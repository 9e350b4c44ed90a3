//! The C ABI of Envoy's dynamic modules, version 0.2.0, reduced to what an HTTP filter needs.

mod abi;
mod calls;
mod envoy;
mod no_ops;

#[cfg(panic = "abort")]
compile_error!("a panic of the module must not take Envoy down: build it with `panic = \"unwind\"`");
