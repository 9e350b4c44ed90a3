//! `compile-component`: the compiler, which this program runs in a process of its own.

use std::io;
use std::process::ExitCode;

use super::output::Failure;

/// The compiler's limit of address space. The worst component within the size limits needs some 300
/// MB.
#[cfg(unix)]
const MEMORY: u64 = 2 << 30;

/// Compiles the component on stdin to stdout.
pub(super) fn run() -> Result<ExitCode, Failure> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::As).maximum;
        let current = Some(maximum.map_or(MEMORY, |maximum| maximum.min(MEMORY)));
        setrlimit(Resource::As, Rlimit { current, maximum: current }).map_err(Failure::other)?;
    }
    shared_token_cache::compile_component(io::stdin().lock(), io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}
