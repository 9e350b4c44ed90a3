//! The project's commands.
//!
//! ```text
//! cargo xtask demo                build everything and see what it does
//! cargo xtask test                build everything and run all tests
//! cargo xtask build               build the component and the program
//! cargo xtask hostile             build the components that the tests attack the host with
//! cargo xtask interop reference   compare with azure-identity in situations made at random
//! cargo xtask interop contention  time 20 writers of ours, of MSAL, and of both on one file, and count what is lost
//! cargo xtask interop hosts      run what is published on wasmtime, jco, wasmCloud, wasmtime-py and Wassette
//! cargo xtask interop envoy      run the agent and the filter with a real Envoy
//! cargo xtask try envoy NAME     show an example for Envoy at work: sds, file-sds or dynamic-module
//! cargo xtask interop pingora     build the example on pingora and test it
//! cargo xtask bench               time calls on caches of 1, 100 and 10,000 accounts
//! cargo xtask examples            build the components of the examples
//! cargo xtask fuzz                run the fuzz targets, some time each
//! cargo xtask platforms           lint storage and socket for Windows and macOS, and test the storage under Wine
//! cargo xtask dist              write what is published to target/dist
//! cargo xtask package           package the crates, and build a program and the command from the packages alone
//! cargo xtask released          check that the contract keeps what its last release promised
//! cargo xtask wit                 print the built component's imports and exports, and sizes
//! cargo xtask cargo-component     check that `cargo component` gives a component with the same world
//! ```

mod component;
mod dist;
mod fuzz;
mod interop;
mod package;
mod pingora;
mod platforms;
mod python;
mod run;
mod table;

use std::process::ExitCode;

use anyhow::{Result, bail};

use run::{cargo, root, say};

/// Every package but those of components, always together: cargo then builds each dependency once, with one set of features.
const NATIVE: &[&str] =
    &["--release", "--workspace", "--exclude", "shared-token-cache-guest", "--exclude", "shared-token-cache-hostile"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["build"] => build(),
        ["demo"] => demo(),
        ["test"] => component::build_artefacts().and_then(|()| component::build_hostile()).and_then(|()| test()),
        ["hostile"] => component::build_hostile(),
        ["bench", accounts @ ..] => build().and_then(|()| bench(accounts)),
        ["interop", "reference", arguments @ ..] => interop::reference(arguments),
        ["interop", "contention", seconds @ ..] => interop::contention(seconds),
        ["interop", "hosts", names @ ..] => interop::hosts(names),
        ["interop", "envoy", names @ ..] => interop::envoy(names),
        ["try", "envoy", name @ ..] => interop::try_envoy(name),
        ["interop", "pingora"] => pingora::test(),
        ["fuzz", arguments @ ..] => fuzz::run_targets(arguments),
        ["dist"] => dist::print(),
        ["package"] => package::package(false),
        ["package", "--all-targets"] => package::package(true),
        ["examples"] => component::build_examples(),
        ["released"] => dist::check_against_released(),
        ["platforms"] => platforms::check(),
        ["wit"] => component::build().and_then(|path| component::print(&path)),
        ["cargo-component"] => component::build().and_then(|path| component::compare_with_cargo_component(&path)),
        _ => usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<()> {
    component::build_artefacts()?;
    say("building the program");
    run::run(cargo().arg("build").args(NATIVE))
}

/// Builds the program alone, by the selection of the whole workspace: `test` then uses what was built.
fn demo() -> Result<()> {
    component::build_artefacts()?;
    say("building the program");
    run::run(cargo().arg("build").args(NATIVE).args(["--bin", "shared-token-cache"]))?;
    let program = root().join("target/release").join(format!("shared-token-cache{}", std::env::consts::EXE_SUFFIX));
    run::run(std::process::Command::new(program).arg("demo"))
}

/// Runs all tests. Those against programs of others are listed as ignored when these can't be had.
fn test() -> Result<()> {
    let mut cargo = cargo();
    cargo.envs(python::peers());
    say("building and running the tests (the first time takes some minutes)");
    // Some tests run the program, which `cargo test` alone would not build.
    run::run(self::cargo().arg("build").args(NATIVE))?;
    run::run(cargo.arg("test").args(NATIVE))
}

fn bench(accounts: &[&str]) -> Result<()> {
    run::run(cargo().arg("build").args(NATIVE).args(["--example", "warm"]))?;
    run::run(std::process::Command::new(root().join("target/release/examples/warm")).args(accounts))
}

fn usage() -> Result<()> {
    bail!(
        "usage: cargo xtask build|hostile|demo|test|bench|dist|examples|fuzz|interop|package|platforms|released|try|wit|cargo-component"
    )
}
