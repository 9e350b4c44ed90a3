//! Lines of the log on stderr.

use std::fmt;

use shared_token_cache::escaped;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use super::terminal::{self, GOOD, NOTE, PROBLEM};

/// The target of the library's events about retries.
pub(super) const RETRY: &str = "shared_token_cache::retry";

/// Formats an event as one line: level, message and fields. Hidden characters are escaped.
pub(super) struct Lines {
    /// Whether retries are shown as progress, which is erased afterwards: the command's own error
    /// has the reason.
    pub(super) shows_progress: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = *event.metadata().level();
        if self.shows_progress && event.metadata().target() == RETRY {
            let mut retry = Retry::default();
            event.record(&mut retry);
            if level == Level::DEBUG {
                terminal::progress(&retry.to_string());
            }
            return Ok(());
        }
        let mut line = String::new();
        context.format_fields(Writer::new(&mut line), event)?;
        terminal::end_progress();
        let style = match level {
            Level::ERROR => PROBLEM,
            Level::WARN => NOTE,
            _ => GOOD,
        };
        writeln!(writer, "{style}{level:>5}{style:#} {}", escaped(&line))
    }
}

/// The fields of a retry event.
#[derive(Default)]
struct Retry {
    repeat: u64,
    of: u64,
    pause_ms: u64,
    why: String,
}

impl Visit for Retry {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "repeat" => self.repeat = value,
            "of" => self.of = value,
            "pause_ms" => self.pause_ms = value,
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "why" {
            self.why = value.to_owned();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.pause_ms.div_ceil(1000);
        write!(f, "{}; trying again in {seconds} s ({} of {})", self.why, self.repeat, self.of)
    }
}
