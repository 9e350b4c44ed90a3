//! The events of the library and of this module, as lines of Envoy's log.

use std::fmt::{self, Write as _};

use shared_token_cache::escaped;
use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// The destination of lines.
pub(crate) trait Sink: Send + Sync + 'static {
    /// Whether lines of this level are wanted. This can change at any time.
    fn enabled(&self, level: Level) -> bool;
    /// Writes the line of an event.
    fn write(&self, source: &Metadata<'_>, line: &str);
}

/// Sends all events of this module and of the library to the sink. Only the first call has an
/// effect.
#[cfg_attr(test, expect(dead_code, reason = "tests have subscribers of their own"))]
pub(crate) fn start(sink: impl Sink) {
    drop(tracing::subscriber::set_global_default(subscriber(sink)));
}

fn subscriber(sink: impl Sink) -> impl Subscriber {
    tracing_subscriber::registry().with(Lines(sink))
}

struct Lines<W>(W);

impl<S: Subscriber, W: Sink> Layer<S> for Lines<W> {
    /// Envoy's level can change at runtime, so the level is checked for every event.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_ours(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        is_ours(metadata) && self.0.enabled(*metadata.level())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.write(event.metadata(), &line.text());
    }
}

/// Events of wasmtime and of the HTTP stack have not been reviewed for secrets.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("shared_token_cache")
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    /// Line breaks are escaped, because a component could otherwise forge log lines.
    fn text(&self) -> String {
        let text = [self.message.as_str(), &self.fields].concat();
        escaped(text.trim_start()).into_owned()
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string can't fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone)]
    struct Memory {
        level: Arc<Mutex<Level>>,
        lines: Arc<Mutex<Vec<(Level, String)>>>,
    }

    impl Sink for Memory {
        fn enabled(&self, level: Level) -> bool {
            level <= *self.level.lock().unwrap()
        }

        fn write(&self, source: &Metadata<'_>, line: &str) {
            self.lines.lock().unwrap().push((*source.level(), line.to_owned()));
        }
    }

    fn lines(level: Level, body: impl FnOnce(&Memory)) -> Vec<(Level, String)> {
        let memory = Memory { level: Arc::new(Mutex::new(level)), lines: Arc::default() };
        tracing::subscriber::with_default(subscriber(memory.clone()), || body(&memory));
        memory.lines.lock().unwrap().clone()
    }

    #[test]
    fn an_event_is_its_message_and_its_fields() {
        let lines = lines(Level::TRACE, |_| {
            tracing::warn!(target: "shared_token_cache::x", why = "busy", ms = 3, "again");
            tracing::info!(target: "shared_token_cache::audit", outcome = "cached");
        });
        assert_eq!(
            lines,
            [(Level::WARN, r#"again why="busy" ms=3"#.to_owned()), (Level::INFO, r#"outcome="cached""#.to_owned())]
        );
    }

    #[test]
    fn an_event_is_one_line() {
        let lines = lines(Level::TRACE, |_| tracing::info!("a\n[critical] b\u{1b}[31m"));
        assert_eq!(lines[0].1, "a\\u{a}[critical] b\\u{1b}[31m");
    }

    #[test]
    fn events_of_other_crates_are_not_logged() {
        let lines = lines(Level::TRACE, |_| tracing::error!(target: "rustls::x", "a"));
        assert_eq!(lines, []);
    }

    #[test]
    fn the_level_is_checked_when_the_event_happens() {
        let event = || tracing::debug!("a");
        let lines = lines(Level::INFO, |memory| {
            event();
            *memory.level.lock().unwrap() = Level::DEBUG;
            event();
        });
        assert_eq!(lines.len(), 1);
    }
}
