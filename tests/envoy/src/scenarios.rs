//! The scenarios that every leg runs.

mod agent;
mod example;
mod grpc;
mod injection;
mod leaks;
mod peer;
mod profiles;
mod reload;
mod rotation;
mod withdrawal;

use std::time::Instant;

use anyhow::Result;
use shared_token_cache_interop::table::Cell;

use crate::leg::Leg;
use crate::programs::Programs;
use crate::stage::Stage;

/// A scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Why this leg can't run the scenario.
    cannot: fn(Leg) -> Option<String>,
    run: fn(&mut Stage<'_>) -> Result<()>,
}

/// All of them.
pub(crate) fn all() -> Vec<Scenario> {
    [
        example::SCENARIOS,
        injection::SCENARIOS,
        rotation::SCENARIOS,
        agent::SCENARIOS,
        withdrawal::SCENARIOS,
        profiles::SCENARIOS,
        reload::SCENARIOS,
        leaks::SCENARIOS,
        peer::SCENARIOS,
        grpc::SCENARIOS,
    ]
    .into_iter()
    .flatten()
    .map(|(name, cannot, run)| Scenario { name, cannot: *cannot, run: *run })
    .collect()
}

/// A scenario's name, why a leg can't run it, and its function.
type Entry = (&'static str, fn(Leg) -> Option<String>, fn(&mut Stage<'_>) -> Result<()>);

impl Scenario {
    /// Runs the scenario on a stage of its own.
    pub(crate) fn cell(&self, programs: &Programs, leg: Leg) -> Cell {
        if let Some(why) = (self.cannot)(leg) {
            return Cell::Cannot(why);
        }
        let started = Instant::now();
        let mut stage = match Stage::new(programs, leg) {
            Ok(stage) => stage,
            Err(why) => return Cell::Failed(format!("{why:#}")),
        };
        match (self.run)(&mut stage).and_then(|()| stage.check()) {
            Ok(()) => Cell::Passed(started.elapsed()),
            Err(why) => Cell::Failed(format!("{why:#}{}", stage.logs())),
        }
    }
}

fn for_all(_: Leg) -> Option<String> {
    None
}

fn with_agent(leg: Leg) -> Option<String> {
    (!leg.has_agent()).then(|| "it has no agent".to_owned())
}

fn with_module(leg: Leg) -> Option<String> {
    (leg != Leg::DynamicModule).then(|| "it loads nothing into Envoy".to_owned())
}
