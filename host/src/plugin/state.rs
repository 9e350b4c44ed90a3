use std::sync::Arc;

use shared_token_cache_storage::Places;
use shared_token_cache_vault::{Session, Vault};
use wasmtime::ResourceLimiter;

use crate::audit::{Audit, Denials};
use crate::clock::Clock;
use crate::credential::HostSettings;
use crate::imports::Turn;
use crate::policy::{Policy, Source};
use crate::transport::Transport;

/// What the imports of all instances of a credential share.
pub(crate) struct Context {
    pub(crate) policy: Arc<Policy>,
    pub(crate) source: Source,
    pub(crate) places: Places,
    pub(crate) transport: Arc<Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: HostSettings,
    /// Whatever leaves for the component or comes from it passes through here.
    pub(crate) vault: Vault,
    pub(crate) audit: Audit,
}

/// What belongs to one instance.
pub(crate) struct State {
    pub(crate) context: Arc<Context>,
    /// How many lines the component has logged in this call.
    pub(crate) logged: usize,
    /// A turn at writing that a conflict left unused: it is for the repetition, until the call ends.
    pub(crate) turn: Option<Turn>,
    /// The secrets behind the handles that the component was given.
    pub(crate) session: Session,
    /// What it was denied in this call.
    pub(crate) denials: Denials,
    memory: MemoryLimit,
}

impl State {
    pub(super) fn new(context: Arc<Context>) -> Self {
        let largest = context.policy.get_limits().guest_memory;
        let session = context.vault.session();
        let memory = MemoryLimit { largest, exceeded: false };
        Self { context, logged: 0, turn: None, session, denials: Denials::default(), memory }
    }

    /// Something was denied to the component.
    pub(crate) fn denied(&mut self, operation: &'static str) {
        self.denials.record(&self.context.audit, &self.context.source, operation);
    }

    pub(super) fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.memory
    }

    /// Whether the component wanted more memory than it may have.
    pub(super) fn is_out_of_memory(&self) -> bool {
        self.memory.exceeded
    }
}

/// Holds a component to its memory, and remembers that it had to.
struct MemoryLimit {
    largest: usize,
    exceeded: bool,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let granted = desired <= self.largest && maximum.is_none_or(|maximum| desired <= maximum);
        self.exceeded |= !granted;
        Ok(granted)
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // The component's only table holds its functions and never grows.
        Ok(desired <= 100_000 && maximum.is_none_or(|maximum| desired <= maximum))
    }
}
