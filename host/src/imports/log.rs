use crate::plugin::State;
use crate::plugin::wit::log::{Host, Level};
use crate::policy::{LogLevel, LogRules};

/// The target of the component's own log lines.
const TARGET: &str = "shared_token_cache::component";

impl Host for State {
    fn write(&mut self, level: Level, message: String) {
        let rules = self.context.policy.log();
        if !hears(rules, level) {
            return;
        }
        self.logged = self.logged.saturating_add(1);
        if self.logged > rules.lines_per_call {
            if self.logged == rules.lines_per_call.saturating_add(1) {
                tracing::warn!("the component logs too much; the rest of its lines in this call is dropped");
            }
            return;
        }
        let line = line(&message, rules.line_bytes);
        match level {
            Level::Debug => tracing::debug!(target: TARGET, "{line}"),
            Level::Info => tracing::info!(target: TARGET, "{line}"),
            Level::Warn => tracing::warn!(target: TARGET, "{line}"),
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

/// A line from the sandbox must not be able to look like several, nor go on forever.
fn line(message: &str, longest: usize) -> String {
    let cut = message.get(..message.floor_char_boundary(longest)).unwrap_or(message);
    cut.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_ends() {
        assert_eq!(line("a\nb\u{7}", 100), "a b ");
        assert_eq!(line("aaé", 3), "aa");
        assert_eq!(line("aaé", 4), "aaé");
    }
}
