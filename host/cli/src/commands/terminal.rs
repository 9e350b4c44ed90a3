//! Colours and progress on a terminal. `--color never`, `NO_COLOR`, `TERM=dumb` and pipes turn both
//! off.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use shared_token_cache::escaped;

use super::arguments::Color;

pub(super) const HEADING: Style = Style::new().bold();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const NOTE: Style = AnsiColor::Yellow.on_default();
pub(super) const PROBLEM: Style = AnsiColor::Red.on_default().bold();
pub(super) const HINT: Style = AnsiColor::Cyan.on_default();

/// Returns to the start of the line and erases it.
const ERASE: &str = "\r\x1b[2K";

/// Whether stderr ends with a progress line, which the next output erases.
static IN_PROGRESS: AtomicBool = AtomicBool::new(false);

/// A line of styled parts. Hidden characters in their text are escaped.
#[derive(Debug, Default)]
pub(super) struct Line(String);

impl Line {
    pub(super) fn new(text: &str) -> Self {
        Self::default().text(text)
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.push_str(&escaped(text));
        self
    }

    pub(super) fn styled(mut self, style: Style, text: &str) -> Self {
        self.0.push_str(&format!("{style}{}{style:#}", escaped(text)));
        self
    }

    /// The line with its styles as escape sequences. `anstream` removes them if there is no
    /// terminal.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Decides when the streams show colours.
pub(super) fn choose(color: Color) {
    let choice = match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    choice.write_global();
}

/// Whether progress can be shown on stderr.
pub(super) fn shows_progress() -> bool {
    let stderr = io::stderr();
    stderr.is_terminal() && AutoStream::choice(&stderr) != ColorChoice::Never
}

/// Shows a line that the next output replaces.
pub(super) fn progress(text: &str) {
    IN_PROGRESS.store(true, Ordering::Relaxed);
    drop(write!(io::stderr(), "{ERASE}{}", escaped(text)));
}

/// Erases the progress line, if there is one.
pub(super) fn end_progress() {
    if IN_PROGRESS.swap(false, Ordering::Relaxed) {
        drop(write!(io::stderr(), "{ERASE}"));
    }
}

/// Rows as lines with aligned columns. The last column is not padded.
pub(super) fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..N).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["A", "B", "C"], ["user0@contoso.com", "é", "last"], ["x", "yy", ""]];
        let lines = aligned(&rows.map(|row| row.map(str::to_owned)));
        assert_eq!(lines, ["A                  B   C", "user0@contoso.com  é   last", "x                  yy"]);
    }

    #[test]
    fn a_line_escapes_hidden_characters_and_keeps_its_own_styles() {
        let line = Line::new("a\u{1b}b").styled(PROBLEM, "c\nd");
        assert!(!line.as_str().contains("a\u{1b}") && !line.as_str().contains('\n'), "{line:?}");
        assert!(line.as_str().contains("\u{1b}["), "{line:?}");
    }
}
