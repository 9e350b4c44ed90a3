//! The project's commands; `cargo xtask --help` lists them.

mod bench;
mod clients;
mod component;
mod dist;
mod fuzz;
mod lint;
mod options;
mod package;
mod pingora;
mod platforms;
mod python;
mod run;
mod suites;
mod table;
mod tools;

use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Parser as _;

use options::{Build, Options, Suite, Try, Verb};
use run::{cargo, root, run, say};

fn main() -> ExitCode {
    match perform(Options::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(verb: Verb) -> Result<()> {
    match verb {
        Verb::Demo => demo(),
        Verb::Test { suite: None } => {
            component::build_artefacts()?;
            component::build_hostile()?;
            suites::all()
        }
        Verb::Test { suite: Some(suite) } => test(suite),
        Verb::Build { what: None } => build(),
        Verb::Build { what: Some(Build::Artefacts) } => component::build_artefacts(),
        Verb::Build { what: Some(Build::Component) } => component::build().and_then(|path| component::print(&path)),
        Verb::Build { what: Some(Build::Examples) } => component::build_examples(),
        Verb::Build { what: Some(Build::Hostile) } => component::build_hostile(),
        Verb::Dist => dist::print(),
        Verb::Lint => lint::lint(),
        Verb::Try { what: Try::Envoy { example } } => suites::try_envoy(&example),
        Verb::Bench { instructions: false, keep } => component::build_artefacts().and_then(|()| bench::report(keep)),
        Verb::Try { what: Try::Broker } => clients::broker::run(),
        Verb::Bench { keep, .. } => component::build_artefacts().and_then(|()| bench::instructions(keep)),
    }
}

fn test(suite: Suite) -> Result<()> {
    match suite {
        Suite::Hosts { names } => suites::hosts(&names),
        Suite::Clients { names } => clients::test(&names),
        Suite::Envoy { names } => suites::envoy(&names),
        Suite::Pingora => pingora::test(),
        Suite::Reference(situations) => suites::reference(&situations),
        Suite::Contention { seconds } => suites::contention(seconds),
        Suite::Packages { all_targets } => package::package(all_targets),
        Suite::Platforms => platforms::test(),
        Suite::CargoComponent => component::build().and_then(|path| component::compare_with_cargo_component(&path)),
        Suite::Fuzz { seconds, address, targets } => fuzz::run_targets(seconds, address, &targets),
    }
}

fn build() -> Result<()> {
    component::build_artefacts()?;
    say("building the programs");
    run(cargo().args(["build", "--release"]))
}

/// Builds the command alone, with the dependencies of the whole workspace, which `test` reuses.
fn demo() -> Result<()> {
    component::build_artefacts()?;
    say("building the command");
    run(cargo().args(["build", "--release", "--bin", "shared-token-cache"]))?;
    let program = root().join("target/release").join(format!("shared-token-cache{}", std::env::consts::EXE_SUFFIX));
    run(Command::new(program).arg("demo"))
}
