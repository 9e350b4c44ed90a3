//! Listening to what the host logs.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Keeps every event of this product, whatever its level.
#[derive(Debug, Clone, Default)]
pub struct Listener(Arc<Mutex<Vec<String>>>);

impl Listener {
    /// Listens on this thread while `work` runs.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        tracing::subscriber::with_default(Registry::default().with(self.clone()), work)
    }

    /// What was said so far: each event with all its fields.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("shared_token_cache") {
            let mut line = Line(format!("{}:", event.metadata().target()));
            event.record(&mut line);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
        }
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string can't fail.
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}
