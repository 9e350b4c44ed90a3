use crate::escape;
use crate::sandbox::State;
use crate::sandbox::wit::log::{Host, Level};
use shared_token_cache_policy::{LogLevel, LogRules};

/// The target of the component's own log lines.
const TARGET: &str = "shared_token_cache::component";

impl Host for State {
    fn write(&mut self, level: Level, message: String) {
        let rules = self.context.policy.log();
        if !hears(rules, level) {
            return;
        }
        let lines = &mut self.call.log_lines;
        *lines = lines.saturating_add(1);
        if *lines > rules.lines_per_call {
            if *lines == rules.lines_per_call.saturating_add(1) {
                tracing::warn!("the component logs too many lines; the rest of its lines in this call are dropped");
            }
            return;
        }
        let line = escape::bounded(&self.located(message), rules.line_bytes);
        match level {
            Level::Debug => tracing::debug!(target: TARGET, "component: {line}"),
            Level::Info => tracing::info!(target: TARGET, "component: {line}"),
            Level::Warn => tracing::warn!(target: TARGET, "component: {line}"),
        }
    }
}

impl State {
    /// Replaces a document's name in the contract, at the beginning of a message, by the place of
    /// the document: to users of most sources the name is not a file name.
    fn located(&self, message: String) -> String {
        let found = self.places.iter().find_map(|(name, place)| Some((place, message.strip_prefix(name.as_str())?)));
        match found {
            Some((place, rest)) if rest.starts_with(' ') => format!("the {place}{rest}"),
            _ => message,
        }
    }
}

fn hears(rules: &LogRules, level: Level) -> bool {
    let detail = match level {
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
    };
    detail <= rules.component
}
