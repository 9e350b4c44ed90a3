//! The tests, and suites with real programs that take too long for a plain run of the tests.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::options::Situations;
use crate::run::{cargo, root, run, say};
use crate::{component, dist, python};

/// Runs all tests. Those with other projects' programs are listed as ignored if these are missing.
pub(crate) fn all() -> Result<()> {
    say("building and running the tests (the first time takes some minutes)");
    // Some tests run the programs, which `cargo test` alone does not build.
    run(cargo().args(["build", "--release"]))?;
    run(cargo().args(["test", "--quiet", "--package", "xtask"]))?;
    run(cargo().envs(python::peers()).args(["test", "--release"]))
}

/// Compares this product with azure-identity in random situations.
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

/// Has 20 processes write one cache file for some seconds: ours, real MSAL, and both together.
pub(crate) fn contention(seconds: u64) -> Result<()> {
    let mut cargo = cargo();
    cargo.env("CONTENTION_SECONDS", seconds.to_string()).envs(python::peers());
    run(cargo.args(["test", "--release", "--test", "contention", "--", "figures", "--nocapture"]))
}

/// Runs the published components on other hosts: all, or those whose name begins with one of
/// `names`.
pub(crate) fn hosts(names: &[String]) -> Result<()> {
    dist::dist()?;
    component::build_artefacts()?;
    component::build_examples()?;
    // This project's own host is among them, and its example.
    run(cargo().args(["build", "--release", "--bins", "--examples"]))?;
    run(Command::new(runner("hosts")).args(names))
}

/// Runs the agent and the filter with a real Envoy: all scenarios, or those whose name begins with
/// one of `names`.
pub(crate) fn envoy(names: &[String]) -> Result<()> {
    component::build_artefacts()?;
    run(cargo().args(["build", "--release"]))?;
    run(Command::new(runner("envoy-suite")).args(names))
}

/// Runs one of the examples for Envoy.
pub(crate) fn try_envoy(example: &str) -> Result<()> {
    component::build_artefacts()?;
    run(cargo().args(["build", "--release"]))?;
    run(Command::new(runner("envoy-suite")).args(["try", example]))
}

fn runner(name: &str) -> PathBuf {
    root().join("target/release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
