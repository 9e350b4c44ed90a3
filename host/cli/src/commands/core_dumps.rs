//! A core dump would put tokens on the disk, and a debugger of the same user could read them. Both are for those who ask for them.
//!
//! Linux: `PR_SET_DUMPABLE` is taken away, which also keeps other programs of the user from attaching and from reading
//! `/proc/<pid>/mem`, and which no `core_pattern` gets around. On every Unix the limit for core files is 0 besides. Windows has no such
//! switch for a process of its own; what Windows Error Reporting keeps is a setting of the machine.

/// Before any secret is read.
pub(super) fn deny() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    ignore(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable));
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Core).maximum;
        // The hard limit stays, so that it can be undone.
        ignore(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum }));
    }
}

/// Undoes it where the policy says so. As much is allowed as the machine allows.
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

/// A sandbox may forbid these calls, and then there is nothing to be done; a token is not worth less for it.
#[cfg(unix)]
fn ignore(outcome: rustix::io::Result<()>) {
    if let Err(error) = outcome {
        tracing::debug!("core dumps stay as they are: {error}");
    }
}
