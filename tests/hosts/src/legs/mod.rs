//! The legs: ways of running hosts, one file each.

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
    /// In lower case; the command line selects legs by prefix.
    fn name(&self) -> &'static str;

    /// How the authority answers this host's token requests.
    fn authority(&self) -> Scheme;

    /// Why this host can't run a scenario; printed in place of a result.
    fn cannot(&self, _scenario: Scenario) -> Option<&'static str> {
        None
    }

    /// Installs and prepares the host. An error skips the leg, with its text as the reason.
    fn install(&self, components: &Components) -> Result<Box<dyn Host>>;
}

/// A host that is ready.
pub(crate) trait Host {
    /// The host's name and version, as it reports them.
    fn version(&self) -> String;

    /// Makes one call. An error is a failure of the test.
    fn call(&mut self, scene: &Scene) -> Result<Outcome>;

    /// Checks of this host alone, each with a name and its result.
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
