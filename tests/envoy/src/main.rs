//! The agent and the filter with a real Envoy: `cargo xtask test envoy [NAME…]`.
//!
//! A *leg* ([`leg`]) is one way of getting a token into Envoy. Each leg runs the same scenarios
//! ([`scenarios`]) on a stage of its own ([`stage`]): a made-up sign-in, an authority and an
//! upstream on loopback, the agent, and Envoy with the example that users copy ([`config`]). At the
//! end, [`figures`] compares latency and throughput of each leg with an Envoy that injects nothing.
//! `cargo xtask try envoy NAME` runs one of the examples ([`trial`]).

#![forbid(unsafe_code)]

mod agent;
mod client;
mod config;
mod envoy;
mod figures;
mod issued;
mod leg;
mod load;
mod programs;
mod scenarios;
mod stage;
mod trial;
mod upstream;
mod wait;
mod yaml;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use shared_token_cache_interop::say;
use shared_token_cache_interop::table::Table;

use leg::Leg;
use programs::Programs;
use scenarios::Scenario;

/// The name of the figures on the command line.
const FIGURES: &str = "figures";

#[expect(clippy::print_stderr, reason = "this is what a command line tool does")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["try", name] => attempt(name),
        ["try", ..] => Err(anyhow::anyhow!("usage: cargo xtask try envoy {}", Leg::ALL.map(Leg::name).join("|"))),
        names => run(names),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("envoy: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the legs, scenarios and figures whose name begins with one of `names`, or all. Returns
/// whether all passed.
fn run(names: &[&str]) -> Result<bool> {
    let started = Instant::now();
    let Some(programs) = installed() else { return Ok(true) };
    let installed = started.elapsed();
    let wanted = |name: &str| names.iter().any(|beginning| name.starts_with(beginning));
    let mut scenarios = scenarios::all();
    if scenarios.iter().any(|scenario| wanted(scenario.name)) {
        scenarios.retain(|scenario| wanted(scenario.name));
    } else if names == [FIGURES] {
        scenarios.clear();
    }
    let mut legs = Leg::ALL.to_vec();
    if legs.iter().any(|leg| wanted(leg.name())) {
        legs.retain(|leg| wanted(leg.name()));
    }
    let known = |name: &&&str| {
        let beginning = |full: &str| full.starts_with(**name);
        beginning(FIGURES)
            || Leg::ALL.iter().any(|leg| beginning(leg.name()))
            || scenarios.iter().any(|scenario| beginning(scenario.name))
    };
    if let Some(name) = names.iter().find(|name| !known(name)) {
        bail!("nothing's name begins with {name:?}; there are {}, {FIGURES}", Leg::ALL.map(Leg::name).join(", "));
    }
    let mut table = Table::new("configurations", scenarios.iter().map(|scenario| scenario.name.to_owned()).collect());
    for leg in legs.iter().filter(|_| !scenarios.is_empty()) {
        table.begin(leg.name(), &programs.version, installed);
        for scenario in &scenarios {
            table.add(scenario.name, Scenario::cell(scenario, &programs, *leg));
        }
    }
    if names.is_empty() || wanted(FIGURES) {
        figures::measure(&programs, &legs)?;
    }
    if !scenarios.is_empty() {
        table.finish();
    }
    Ok(table.is_good())
}

fn attempt(name: &str) -> Result<bool> {
    let Some(leg) = Leg::ALL.into_iter().find(|leg| leg.name() == name) else {
        bail!("there is no {name:?}, but {}", Leg::ALL.map(Leg::name).join(", "));
    };
    let Some(programs) = installed() else { return Ok(true) };
    trial::run(&programs, leg)?;
    Ok(true)
}

/// A platform without an Envoy package prints a message and is no failure.
fn installed() -> Option<Programs> {
    Programs::install().inspect_err(|why| say(&format!("envoy: skipped, because {why:#}"))).ok()
}
