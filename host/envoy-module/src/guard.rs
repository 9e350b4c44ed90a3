//! Panics end here: one must not unwind into Envoy, nor take it down.

use std::panic::{self, AssertUnwindSafe};

/// What `body` returns, or the `fallback` when it panics.
///
/// What a panic leaves half done is not looked at again: whatever is shared here is replaced as a whole.
pub(crate) fn guarded<T>(fallback: impl FnOnce() -> T, body: impl FnOnce() -> T) -> T {
    panic::catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| fallback())
}

/// Has every panic of the module, on whichever thread, told as an event and not on stderr.
///
/// The hook is the module's own, not Envoy's: each has a standard library of its own.
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
