//! The filter's counters.

/// Creates counters. Envoy allows that only while it reads a configuration.
pub(crate) trait Define {
    /// Creates a counter and returns its id.
    fn counter(&self, name: &str) -> Option<usize>;
}

/// The counters of a configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counters {
    /// Requests that got a token.
    pub(crate) injected: usize,
    /// Requests that were answered with 401.
    pub(crate) failed: usize,
    /// New tokens.
    pub(crate) refreshed: usize,
}

impl Counters {
    /// # Errors
    /// The name of the counter that can't be made.
    pub(crate) fn define(envoy: &impl Define) -> Result<Self, &'static str> {
        let counter = |name| envoy.counter(name).ok_or(name);
        Ok(Self { injected: counter("injected")?, failed: counter("failed")?, refreshed: counter("refreshed")? })
    }
}
