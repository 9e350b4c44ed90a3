//! Captures log events.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// With one subscriber in the process, `tracing` caches for each event whether the first thread to
/// reach it has a subscriber: a thread of another test, which has none, would disable the event for
/// all. With two subscribers, each thread is asked.
static BESIDE: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Registry::default()));

/// Keeps every event of this product, at any level.
#[derive(Debug, Clone, Default)]
pub struct Listener(Arc<Mutex<Vec<String>>>);

impl Listener {
    /// Captures on this thread while `work` runs.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        LazyLock::force(&BESIDE);
        tracing::subscriber::with_default(Registry::default().with(self.clone()), work)
    }

    /// The events so far, each with all its fields.
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

/// All that this process logs, on every thread, by this product and by its dependencies, down to
/// `TRACE`; events of the crate `log` included.
#[derive(Debug)]
struct Everything;

static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Returns the result of `work`, and everything logged during it. Such captures run one at a time.
pub fn everything<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    static TURN: Mutex<()> = Mutex::new(());
    static INSTALL: Once = Once::new();
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    INSTALL.call_once(|| {
        // A process with another global subscriber or logger captures nothing here, which the check
        // of the border's events detects.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(Everything));
        let _ = log::set_logger(&Everything);
        log::set_max_level(log::LevelFilter::Trace);
    });
    heard().clear();
    let outcome = work();
    (outcome, std::mem::take(&mut *heard()))
}

/// The log of the running capture, from the line of this number on.
#[must_use]
pub fn heard_since(number: usize) -> Vec<String> {
    heard().get(number..).unwrap_or_default().to_vec()
}

fn heard() -> MutexGuard<'static, Vec<String>> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Subscriber> Layer<S> for Everything {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut line = Line(format!("{}:", attributes.metadata().target()));
        attributes.record(&mut line);
        heard().push(line.0);
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut line = Line("span:".to_owned());
        values.record(&mut line);
        heard().push(line.0);
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut line = Line(format!("{}:", event.metadata().target()));
        event.record(&mut line);
        heard().push(line.0);
    }
}

impl log::Log for Everything {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        heard().push(format!("{}: {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string can't fail.
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_another_thread_comes_to_first_is_heard() {
        let say = || tracing::warn!(target: "shared_token_cache::test", "beware");
        let listener = Listener::default();
        listener.during(|| {
            std::thread::spawn(say).join().unwrap();
            say();
        });
        assert_eq!(listener.lines(), ["shared_token_cache::test: message=beware"]);
    }
}
