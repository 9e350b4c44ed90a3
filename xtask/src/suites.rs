//! The tests, and runs against real programs that go on longer than a plain run of the tests should.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::options::Situations;
use crate::run::{cargo, root, run, say};
use crate::{component, dist, python};

/// Runs all tests. Those against programs of others are listed as ignored when these can't be had.
pub(crate) fn all() -> Result<()> {
    say("building and running the tests (the first time takes some minutes)");
    // Some tests run the programs, which `cargo test` alone would not build.
    run(cargo().args(["build", "--release"]))?;
    run(cargo().envs(python::peers()).args(["test", "--release"]))
}

/// Compares this product with azure-identity in situations made at random.
pub(crate) fn reference(situations: &Situations) -> Result<()> {
    let python = python::with_azure_identity()?;
    component::build_artefacts()?;
    let mut cargo = cargo();
    cargo.env("AZURE_IDENTITY_PYTHON", python);
    cargo.env("REFERENCE_SEED", situations.seed.to_string()).env("REFERENCE_COUNT", situations.count.to_string());
    if let Some(index) = situations.index {
        cargo.env("REFERENCE_INDEX", index.to_string());
    }
    run(cargo.args(["test", "--release", "--test", "reference"]))
}

/// Lets 20 processes write one cache file for some seconds: ours, real MSAL, and both together.
pub(crate) fn contention(seconds: u64) -> Result<()> {
    let mut cargo = cargo();
    cargo.env("CONTENTION_SECONDS", seconds.to_string()).envs(python::peers());
    run(cargo.args(["test", "--release", "--test", "contention", "--", "figures", "--nocapture"]))
}

/// Runs what is published on the hosts of others, or on those whose name begins with one of `names`.
pub(crate) fn hosts(names: &[String]) -> Result<()> {
    dist::dist()?;
    component::build_artefacts()?;
    component::build_examples()?;
    // This project's own host is among them, and its example.
    run(cargo().args(["build", "--release", "--bins", "--examples"]))?;
    run(Command::new(runner("hosts")).args(names))
}

/// Runs the agent and the filter with a real Envoy: all, or what begins with one of `names`.
pub(crate) fn envoy(names: &[String]) -> Result<()> {
    component::build_artefacts()?;
    run(cargo().args(["build", "--release"]))?;
    run(Command::new(runner("envoy-suite")).args(names))
}

/// Shows one of the examples for Envoy at work.
pub(crate) fn try_envoy(example: &str) -> Result<()> {
    component::build_artefacts()?;
    run(cargo().args(["build", "--release"]))?;
    run(Command::new(runner("envoy-suite")).args(["try", example]))
}

fn runner(name: &str) -> PathBuf {
    root().join("target/release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
