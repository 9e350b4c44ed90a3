use std::sync::Arc;

use shared_token_cache_storage::Places;
use shared_token_cache_vault::{Session, Vault};
use wasmtime::ResourceLimiter;

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
}

/// The component's only table holds its functions and never grows.
pub(super) const MOST_ELEMENTS: usize = 100_000;

/// What belongs to one instance.
pub(crate) struct State {
    pub(crate) context: Arc<Context>,
    /// How many lines the component has logged in this call.
    pub(crate) logged: usize,
    /// How often the component has crossed the border in this call.
    pub(crate) crossings: usize,
    /// A turn at writing that a conflict left unused: it is for the repetition, until the call ends.
    pub(crate) turn: Option<Turn>,
    /// The secrets behind the handles that the component was given.
    pub(crate) session: Session,
    memory: MemoryLimit,
}

impl State {
    pub(super) fn new(context: Arc<Context>) -> Self {
        let largest = context.policy.get_limits().guest_memory;
        let session = context.vault.session();
        Self {
            context,
            logged: 0,
            crossings: 0,
            turn: None,
            session,
            memory: MemoryLimit { largest, exceeded: false, too_many_elements: false },
        }
    }

    pub(super) fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.memory
    }

    /// Whether the component wanted more memory than it may have.
    pub(super) fn is_out_of_memory(&self) -> bool {
        self.memory.exceeded
    }

    /// Whether the component wanted more room for functions than it may have.
    pub(super) fn wanted_a_larger_table(&self) -> bool {
        self.memory.too_many_elements
    }
}

/// Holds a component to its memory, and remembers that it had to.
struct MemoryLimit {
    largest: usize,
    exceeded: bool,
    too_many_elements: bool,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let granted = desired <= self.largest && maximum.is_none_or(|maximum| desired <= maximum);
        self.exceeded |= !granted;
        Ok(granted)
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let granted = desired <= MOST_ELEMENTS && maximum.is_none_or(|maximum| desired <= maximum);
        self.too_many_elements |= !granted;
        Ok(granted)
    }
}
