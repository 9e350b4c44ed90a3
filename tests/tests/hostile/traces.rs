//! Captures everything that this process logs, at every level.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Captures from now on, on all threads: the host reads files on other threads.
pub(crate) fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        tracing::subscriber::set_global_default(Registry::default().with(Everything)).unwrap();
    });
}

/// The number of lines so far.
pub(crate) fn so_far() -> usize {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).len()
}

/// The lines since then, which may include those of concurrent tests.
pub(crate) fn since(start: usize) -> String {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)[start..].join("\n")
}

struct Everything;

impl<S: Subscriber> Layer<S> for Everything {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        say(attributes.metadata().name(), |line| attributes.record(line));
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        say("", |line| values.record(line));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        say(event.metadata().target(), |line| event.record(line));
    }
}

fn say(whose: &str, record: impl FnOnce(&mut Line)) {
    let mut line = Line(whose.to_owned());
    record(&mut line);
    LINES.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}
