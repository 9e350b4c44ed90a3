use wasmtime::{ResourceLimiter, Trap};

use crate::error::LimitExceeded;
use shared_token_cache_policy::Limits;

/// The limits on the parts of an instance. The built-in component has three core instances, one
/// memory, and two tables with some hundred elements; the limit on memory is the policy's.
const CORE_INSTANCES: usize = 16;
const MEMORIES: usize = 4;
const TABLES: usize = 4;
const TABLE_ELEMENTS: usize = 100_000;

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
        if text.starts_with("too much data is being copied between the host and the guest") {
            let most = self.limits.document_size >> 20;
            let what = format!("the component passed more at once than a document of {most} MiB");
            return Some(LimitExceeded::new("limits.document-mib", &what));
        }
        let (most, what) = match text.strip_prefix("resource limit exceeded: ")? {
            text if text.starts_with("instance count") => (CORE_INSTANCES, "core instances"),
            text if text.starts_with("memory count") => (MEMORIES, "memories"),
            text if text.starts_with("table count") => (TABLES, "tables"),
            _ => return None,
        };
        Some(LimitExceeded::fixed(&format!("the component has more than {most} {what}")))
    }

    fn exceed(&mut self, exceeded: LimitExceeded) -> wasmtime::Error {
        self.exceeded = Some(exceeded.clone());
        exceeded.into()
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limits.guest_memory || maximum.is_some_and(|maximum| desired > maximum) {
            let mib = self.limits.guest_memory >> 20;
            let what = format!("the component needs more than {mib} MiB of memory, as for a very large cache");
            return Err(self.exceed(LimitExceeded::new("limits.guest-memory-mib", &what)));
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if total > TABLE_ELEMENTS {
            let what = format!("the component needs more than {TABLE_ELEMENTS} table elements");
            return Err(self.exceed(LimitExceeded::fixed(&what)));
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }

    fn tables(&self) -> usize {
        TABLES
    }
}
