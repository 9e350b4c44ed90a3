//! Runs against real programs that go on longer than a plain run of the tests should.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, root, run};
use crate::{component, dist, python};

/// How many situations are compared unless the command line says otherwise.
const COUNT: &str = "3000";

/// Compares this product with azure-identity in situations made at random: `--seed N`, `--count N`, or `--index N` for one of them.
pub(crate) fn reference(arguments: &[&str]) -> Result<()> {
    let mut settings = vec![("REFERENCE_SEED", "1"), ("REFERENCE_COUNT", COUNT)];
    for pair in arguments.chunks(2) {
        let [option, value] = pair else { bail!("{} needs a number", pair.concat()) };
        let _: u64 = value.parse().with_context(|| format!("{option} needs a number, and {value:?} is none"))?;
        settings.push(match *option {
            "--seed" => ("REFERENCE_SEED", value),
            "--count" => ("REFERENCE_COUNT", value),
            "--index" => ("REFERENCE_INDEX", value),
            _ => bail!("usage: cargo xtask interop reference [--seed N] [--count N | --index N]"),
        });
    }
    let python = python::with_azure_identity()?;
    component::build_artefacts()?;
    let mut cargo = cargo();
    // The last of two settings of one name counts.
    cargo.env("AZURE_IDENTITY_PYTHON", python).envs(settings);
    run(cargo.arg("test").args(crate::NATIVE).args(["--test", "reference"]))
}

/// Lets 20 processes write one cache file for some seconds: ours, real MSAL, and both together.
pub(crate) fn contention(seconds: &[&str]) -> Result<()> {
    let seconds = seconds.first().unwrap_or(&"60");
    let _: u64 = seconds.parse().with_context(|| format!("{seconds:?} is no number of seconds"))?;
    let mut cargo = cargo();
    cargo.env("CONTENTION_SECONDS", seconds).envs(python::peers());
    run(cargo.arg("test").args(crate::NATIVE).args(["--test", "contention", "--", "figures", "--nocapture"]))
}

/// Runs what is published on the hosts of others, or on those whose name begins with one of `names`.
pub(crate) fn hosts(names: &[&str]) -> Result<()> {
    dist::dist()?;
    component::build_artefacts()?;
    component::build_examples()?;
    // This project's own host is among them, and its example. The suite is built with all else, so that nothing is built twice.
    run(cargo().arg("build").args(crate::NATIVE).args(["--bins", "--examples"]))?;
    run(Command::new(suite("hosts")).args(names))
}

/// Runs the agent and the filter with a real Envoy: all, or what begins with one of `names`.
pub(crate) fn envoy(names: &[&str]) -> Result<()> {
    component::build_artefacts()?;
    run(cargo().arg("build").args(crate::NATIVE))?;
    run(Command::new(suite("envoy-suite")).args(names))
}

/// Shows one of the examples for Envoy at work.
pub(crate) fn try_envoy(name: &[&str]) -> Result<()> {
    component::build_artefacts()?;
    run(cargo().arg("build").args(crate::NATIVE))?;
    run(Command::new(suite("envoy-suite")).arg("try").args(name))
}

fn suite(name: &str) -> PathBuf {
    root().join("target/release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
