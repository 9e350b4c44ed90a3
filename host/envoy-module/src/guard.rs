//! Catches panics, which must not unwind into Envoy or end its process.

use std::panic::{self, AssertUnwindSafe};

/// Runs `body`; returns the `fallback` if it panics.
///
/// `AssertUnwindSafe` is sound here, because shared state is only ever replaced as a whole.
pub(crate) fn guarded<T>(fallback: impl FnOnce() -> T, body: impl FnOnce() -> T) -> T {
    panic::catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| fallback())
}

/// Logs every panic of the module, on any thread, as an event instead of on stderr.
///
/// The hook is the module's own and not Envoy's: each has its own copy of the standard library.
#[cfg_attr(test, expect(dead_code, reason = "tests have the usual hook"))]
pub(crate) fn report_panics() {
    panic::set_hook(Box::new(|panic| tracing::error!("the module panicked: {panic}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_the_fallback() {
        assert_eq!(guarded(|| 1, || 2), 2);
        assert_eq!(guarded(|| 1, || panic!("on purpose")), 1);
    }
}
