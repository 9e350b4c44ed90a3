//! The published components on the hosts that people load components into: `cargo xtask test hosts [NAME…]`.
//!
//! A *leg* ([`legs`]) is one way of running one host. Each leg runs the same scenarios
//! ([`scenario`]): a home folder with a made-up sign-in, a token endpoint on loopback, and the
//! expected outcome of a call. A leg gives the reason for each scenario that its host can't run,
//! and the table at the end repeats it.

#![forbid(unsafe_code)]

mod adapter;
mod debian;
mod legs;
mod outcome;
mod scenario;
mod scene;
mod wave;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use shared_token_cache_interop::say;
use shared_token_cache_interop::table::{Cell, Table};

use legs::Leg;
use scenario::Scenario;
use scene::Components;

#[expect(clippy::print_stderr, reason = "this is what a command line tool does")]
fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    match run(&names) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("hosts: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the legs whose name begins with one of `names`, or all. Returns whether all passed.
fn run(names: &[String]) -> Result<bool> {
    let components = Components::published()?;
    let wanted = |leg: &&dyn Leg| names.is_empty() || names.iter().any(|name| leg.name().starts_with(name.as_str()));
    let legs = legs::all();
    let legs: Vec<&dyn Leg> = legs.iter().map(AsRef::as_ref).filter(wanted).collect();
    if legs.is_empty() {
        bail!("no leg's name begins with {}; there are {}", names.join(" or "), legs::names().join(", "));
    }
    let mut table = Table::new("hosts", Scenario::ALL.iter().map(ToString::to_string).collect());
    for leg in legs {
        let started = Instant::now();
        match leg.install(&components) {
            Ok(mut host) => {
                table.begin(leg.name(), &host.version(), started.elapsed());
                for scenario in Scenario::ALL {
                    table.add(&scenario.to_string(), cell(*scenario, leg, host.as_mut(), &components));
                }
                for (name, outcome) in host.extras(&components) {
                    table.extra(name, outcome);
                }
            }
            Err(why) => table.skip(leg.name(), &format!("{why:#}")),
        }
    }
    table.finish();
    for path in components.paths() {
        say(&format!("{}: {} bytes", path.display(), std::fs::metadata(path)?.len()));
    }
    Ok(table.is_good())
}

fn cell(scenario: Scenario, leg: &dyn Leg, host: &mut dyn legs::Host, components: &Components) -> Cell {
    if let Some(why) = leg.cannot(scenario) {
        return Cell::Cannot(why.to_owned());
    }
    let started = Instant::now();
    match scenario.run(leg.authority(), host, components) {
        Ok(()) => Cell::Passed(started.elapsed()),
        Err(why) => Cell::Failed(format!("{why:#}")),
    }
}
