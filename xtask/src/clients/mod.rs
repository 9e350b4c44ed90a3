//! Programs of others that get tokens from the product's program, unchanged.

pub(crate) mod broker;
mod sandbox;
mod world;
