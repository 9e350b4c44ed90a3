//! Interrupts components that compute for too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

/// The interval at which a component yields, and its time limit is checked.
const TICK: Duration = Duration::from_millis(10);

/// The thread goes on ticking for this many ticks without a running component. Waking it for every
/// call would cost more than the call.
const IDLE_TICKS: u32 = 100;

/// Advances an engine's epoch while components run.
pub(super) struct Ticker {
    running: Arc<AtomicUsize>,
    thread: thread::Thread,
}

/// Counts as a running component until dropped.
pub(super) struct Running(Arc<AtomicUsize>);

impl Ticker {
    pub(super) fn new(engine: &Engine) -> Self {
        let running = Arc::new(AtomicUsize::new(0));
        let handle = {
            let running = Arc::downgrade(&running);
            // The thread must not keep its engine alive, because it ends with it.
            let engine = engine.weak();
            thread::spawn(move || {
                let mut idle = 0;
                while let (Some(running), Some(engine)) = (running.upgrade(), engine.upgrade()) {
                    idle = if running.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
                    drop(running);
                    engine.increment_epoch();
                    drop(engine);
                    if idle > IDLE_TICKS { thread::park() } else { thread::sleep(TICK) }
                }
            })
        };
        Self { running, thread: handle.thread().clone() }
    }

    /// Notes that a component runs.
    pub(super) fn run(&self) -> Running {
        if self.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Running(Arc::clone(&self.running))
    }
}

impl Drop for Ticker {
    /// Wakes the thread, which then ends.
    fn drop(&mut self) {
        self.running = Arc::default();
        self.thread.unpark();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
