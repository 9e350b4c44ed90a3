use wasmtime::{ResourceLimiter, Trap};

use crate::error::LimitExceeded;
use shared_token_cache_policy::Limits;

/// Limits an instance's memory and tables, and records the limit that was exceeded.
pub(super) struct Limiter {
    limits: Limits,
    /// Bytes of all memories.
    memory: usize,
    /// Elements of all tables.
    elements: usize,
    exceeded: Option<LimitExceeded>,
}

impl Limiter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, memory: 0, elements: 0, exceeded: None }
    }

    /// The limit that ended a call, if one did.
    pub(super) fn exceeded(&self, error: &wasmtime::Error) -> Option<LimitExceeded> {
        self.exceeded.clone().or_else(|| self.of(error))
    }

    /// The limit behind an error of the engine, if there is one.
    fn of(&self, error: &wasmtime::Error) -> Option<LimitExceeded> {
        if error.downcast_ref() == Some(&Trap::StackOverflow) {
            return Some(LimitExceeded::fixed("the component nests its calls too deeply for its stack"));
        }
        // The engine has no types for these errors. The tests of all limits check that the texts
        // are still these.
        let text = error.root_cause().to_string();
        let limits = &self.limits;
        let (field, what) = if text.starts_with("too much data is being copied between the host and the guest") {
            let most = limits.document_size >> 20;
            ("limits.document-mib", format!("the component passed more at once than a document of {most} MiB"))
        } else if text.starts_with("resource limit exceeded: instance count") {
            (
                "limits.core-instances",
                format!("the component consists of more than {} instances", limits.core_instances),
            )
        } else if text.starts_with("resource limit exceeded: memory count") {
            ("limits.memories", format!("the component has more than {} memories", limits.memories))
        } else if text.starts_with("resource limit exceeded: table count") {
            ("limits.tables", format!("the component has more than {} tables", limits.tables))
        } else {
            return None;
        };
        Some(LimitExceeded::new(field, &what))
    }

    fn exceed(&mut self, field: &'static str, what: &str) -> wasmtime::Error {
        let exceeded = LimitExceeded::new(field, what);
        self.exceeded = Some(exceeded.clone());
        exceeded.into()
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limits.guest_memory || maximum.is_some_and(|maximum| desired > maximum) {
            let mib = self.limits.guest_memory >> 20;
            let what = format!("the component needs more than {mib} MiB of memory; is the cache very large?");
            return Err(self.exceed("limits.guest-memory-mib", &what));
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if total > self.limits.table_elements {
            let what = format!("the component needs more than {} table elements", self.limits.table_elements);
            return Err(self.exceed("limits.table-elements", &what));
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.elements = total;
        Ok(true)
    }

    #[expect(clippy::misnamed_getters, reason = "to the engine, an instance is a core instance")]
    fn instances(&self) -> usize {
        self.limits.core_instances
    }

    fn memories(&self) -> usize {
        self.limits.memories
    }

    fn tables(&self) -> usize {
        self.limits.tables
    }
}
