use super::told::printable;
use crate::plugin::State;
use crate::plugin::wit::log::{Host, Level};

/// A component that logs more than this in a call is not heard out.
const MOST_LINES: usize = 100;

/// Longer lines are cut.
const LONGEST_LINE: usize = 2_000;

/// The target of the component's own log lines.
const TARGET: &str = "shared_token_cache::component";

impl Host for State {
    fn write(&mut self, level: Level, message: String) {
        self.logged = self.logged.saturating_add(1);
        if self.logged > MOST_LINES {
            if self.logged == MOST_LINES + 1 {
                tracing::warn!("the component logs too much; the rest of its lines in this call is dropped");
            }
            return;
        }
        let line = printable(&message, LONGEST_LINE);
        match level {
            Level::Debug => tracing::debug!(target: TARGET, "{line}"),
            Level::Info => tracing::info!(target: TARGET, "{line}"),
            Level::Warn => tracing::warn!(target: TARGET, "{line}"),
        }
    }
}
