//! Benchmarks.

use std::process::Command;

use anyhow::Result;

use crate::run::{cargo, root, run};

/// Times warm calls on caches with this many accounts.
pub(crate) fn warm(accounts: &[u32]) -> Result<()> {
    run(cargo().args(["build", "--release", "--example", "warm"]))?;
    let mut warm = Command::new(root().join("target/release/examples/warm"));
    run(warm.args(accounts.iter().map(u32::to_string)))
}
