//! How many files and connections the agent may have open.

/// Raises the limit to what the machine allows: one that is meant for programs with `select` is soon used up by connections.
#[cfg(unix)]
pub(crate) fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!("the limit of open files stays as it is: {error}");
    }
}

/// There is no such limit.
#[cfg(not(unix))]
pub(crate) fn raise() {}

/// At most this share of the limit, and at most `most`.
#[cfg(unix)]
pub(super) fn share(one_in: u64, most: usize) -> usize {
    use rustix::process::{Resource, getrlimit};
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit / one_in).unwrap_or(most).clamp(1, most)
}

/// There is no such limit.
#[cfg(not(unix))]
pub(super) fn share(_: u64, most: usize) -> usize {
    most
}
