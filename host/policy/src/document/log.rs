//! `[log]`.

use super::fields::Fields;
use super::print::Printer;
use crate::{LogLevel, LogRules};

pub(super) fn read(root: &mut Fields<'_, '_>) -> LogRules {
    let mut fields = root.table("log");
    let default = LogRules::default();
    let log = LogRules {
        component: fields.parse("component", str::parse::<LogLevel>).unwrap_or(default.component),
        lines_per_call: count(fields.number("lines-per-call", 0, 100_000)).unwrap_or(default.lines_per_call),
        line_bytes: count(fields.number("line-bytes", 16, 65_536)).unwrap_or(default.line_bytes),
    };
    fields.finish();
    log
}

pub(super) fn print(log: &LogRules, to: &mut Printer) {
    to.table("log");
    to.text("component", log.component);
    to.number("lines-per-call", log.lines_per_call);
    to.number("line-bytes", log.line_bytes);
}

fn count(number: Option<u64>) -> Option<usize> {
    number.and_then(|number| usize::try_from(number).ok())
}
