//! The ways of running hosts, one file each.

mod jco;
mod own;
mod wasmcloud;
mod wasmtime_cli;
mod wasmtime_py;
mod wassette;

use anyhow::Result;
use shared_token_cache_interop::authority::Scheme;

use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::scene::{Components, Scene};

/// A way of running a host.
pub(crate) trait Leg {
    /// In lower case; the command line selects legs by how it begins.
    fn name(&self) -> &'static str;

    /// How its token requests are answered.
    fn authority(&self) -> Scheme;

    /// Why a scenario can't be had on this host; it is then printed in place of a result.
    fn cannot(&self, _scenario: Scenario) -> Option<&'static str> {
        None
    }

    /// Installs the host and makes it ready. An error is the reason for which the leg is skipped.
    fn install(&self, components: &Components) -> Result<Box<dyn Host>>;
}

/// A host that is ready.
pub(crate) trait Host {
    /// Its name and version, as it says itself.
    fn version(&self) -> String;

    /// Makes one call. An error is a failure of the test.
    fn call(&mut self, scene: &Scene) -> Result<Outcome>;

    /// What is checked on this host only: a name and what came of it, each.
    fn extras(&mut self, _components: &Components) -> Vec<(&'static str, Result<()>)> {
        Vec::new()
    }
}

/// Every leg.
pub(crate) fn all() -> Vec<Box<dyn Leg>> {
    vec![
        Box::new(own::Own),
        Box::new(wasmtime_cli::WasmtimeCli),
        Box::new(wasmtime_py::Bare),
        Box::new(wasmtime_py::Composed),
        Box::new(jco::Bare),
        Box::new(jco::Composed),
        Box::new(wasmcloud::WashDev),
        Box::new(wasmcloud::WashHost),
        Box::new(wassette::WassetteCli),
        Box::new(wassette::WassetteMcp),
    ]
}

pub(crate) fn names() -> Vec<&'static str> {
    all().iter().map(|leg| leg.name()).collect()
}
