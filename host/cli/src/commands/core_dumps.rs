//! A core dump would put tokens on the disk, and a debugger of the same user could read them. Both are for those who ask for them.
//!
//! Linux: `PR_SET_DUMPABLE` is taken away, which also keeps other programs of the user from attaching and from reading
//! `/proc/<pid>/mem`, and which no `core_pattern` gets around. On every Unix the limit for core files is 0 besides. Windows has no such
//! switch for a process of its own; what Windows Error Reporting keeps is a setting of the machine.

/// The limit for core files that this process was started with.
#[cfg(any(target_os = "linux", target_os = "android"))]
static BEFORE: std::sync::OnceLock<Option<u64>> = std::sync::OnceLock::new();

/// Before any secret is read.
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
        // The hard limit stays, so that it can be undone.
        ignore(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum }));
    }
}

/// Gives a child the limit that this process was started with: its core dumps are its own. Only Linux can do that for another process.
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
