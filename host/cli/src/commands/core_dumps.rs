//! Protection of tokens from core dumps and debuggers. A policy can lift it.
//!
//! On Linux, clearing `PR_SET_DUMPABLE` also keeps other programs of the user from attaching and
//! from reading `/proc/<pid>/mem`, and no `core_pattern` bypasses it. On every Unix the limit for
//! core files is 0 too. Windows has no such switch per process; Windows Error Reporting is a
//! setting of the machine.

/// The limit for core files at the start of this process.
#[cfg(any(target_os = "linux", target_os = "android"))]
static BEFORE: std::sync::OnceLock<Option<u64>> = std::sync::OnceLock::new();

/// Forbids core dumps; called before any secret is read.
pub(super) fn deny() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    ignore(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable));
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Core);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = BEFORE.set(current);
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let _ = current;
        // The hard limit stays, so that `allow` can undo this.
        ignore(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum }));
    }
}

/// Gives a child the limit at the start of this process, so that its core dumps are not affected.
/// Only Linux can set another process's limit.
pub(super) fn restore(child: u32) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
        let Some(pid) = i32::try_from(child).ok().and_then(Pid::from_raw) else { return };
        let (current, maximum) = (BEFORE.get().copied().flatten(), getrlimit(Resource::Core).maximum);
        if BEFORE.get().is_some() {
            ignore(prlimit(Some(pid), Resource::Core, Rlimit { current, maximum }).map(drop));
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = child;
}

/// Allows core dumps again, up to the hard limit, where the policy says so.
pub(super) fn allow() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    ignore(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable));
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Core).maximum;
        ignore(setrlimit(Resource::Core, Rlimit { current: maximum, maximum }));
    }
}

/// A sandbox may forbid these calls. Tokens are issued anyway.
#[cfg(unix)]
fn ignore(outcome: rustix::io::Result<()>) {
    if let Err(error) = outcome {
        tracing::debug!("cannot change the limit of core dumps: {error}");
    }
}
