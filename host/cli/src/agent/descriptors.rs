//! The limit of open files and connections.

/// Raises the soft limit to the hard limit: the default, meant for programs that use `select`, is
/// low for many connections.
#[cfg(unix)]
pub(crate) fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!("cannot raise the limit of open files: {error}");
    }
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub(crate) fn raise() {}

/// At most this share of the limit, and at most `most`.
#[cfg(unix)]
pub(super) fn share(one_in: u64, most: usize) -> usize {
    use rustix::process::{Resource, getrlimit};
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit / one_in).unwrap_or(most).clamp(1, most)
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub(super) fn share(_: u64, most: usize) -> usize {
    most
}
