//! Error handling of the adapter on one host, the wasmtime command line. `guest/wasi-adapter` has
//! the tests that need no host.

mod authority;
mod call;
mod grants;
mod locks;
mod settings;
#[cfg(target_os = "linux")]
mod user;
#[cfg(unix)]
mod writes;

use std::path::Path;

use anyhow::Result;

use self::call::Cli;
use crate::scene::Components;

type Check = (&'static str, fn(&Cli) -> Result<()>);

/// All checks with their results.
pub(crate) fn checks(wasmtime: &Path, components: &Components) -> Vec<(&'static str, Result<()>)> {
    let cli = match Cli::new(wasmtime, &components.composed) {
        Ok(cli) => cli,
        Err(why) => return vec![("the adapter's checks", Err(why))],
    };
    let lists = [
        grants::CHECKS,
        locks::CHECKS,
        #[cfg(unix)]
        writes::CHECKS,
        #[cfg(target_os = "linux")]
        user::CHECKS,
        authority::CHECKS,
        settings::CHECKS,
    ];
    lists.into_iter().flatten().map(|(name, check)| (*name, check(&cli))).collect()
}
