//! The figures of a run.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Outcome;

#[derive(Default)]
pub(crate) struct Report(Vec<Row>);

struct Row {
    what: String,
    figure: f64,
    unit: &'static str,
}

impl Report {
    /// Adds a figure and prints it.
    pub(crate) fn add(&mut self, what: impl Into<String>, figure: f64, unit: &'static str) -> Outcome {
        let what = what.into();
        writeln!(std::io::stdout(), "{what:<64} {figure:>12.2} {unit}")?;
        self.0.push(Row { what, figure, unit });
        Ok(())
    }

    pub(crate) fn micros(&mut self, what: impl Into<String>, time: Duration) -> Outcome {
        self.add(what, time.as_secs_f64() * 1e6, "µs")
    }

    pub(crate) fn millis(&mut self, what: impl Into<String>, time: Duration) -> Outcome {
        self.add(what, time.as_secs_f64() * 1e3, "ms")
    }

    /// Writes `target/bench/report.json` and `report.md`.
    pub(crate) fn write(&self) -> Outcome {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
        fs::create_dir_all(&folder)?;
        let rows = self.0.iter().map(|row| json!({ "what": row.what, "figure": row.figure, "unit": row.unit }));
        fs::write(folder.join("report.json"), serde_json::to_string_pretty(&rows.collect::<Value>())?)?;
        let mut table = "| what | figure |\n|---|---|\n".to_owned();
        for Row { what, figure, unit } in &self.0 {
            writeln!(table, "| {what} | {figure:.2} {unit} |")?;
        }
        Ok(fs::write(folder.join("report.md"), table)?)
    }
}

/// The middle one, and the one that 99 of 100 are below.
pub(crate) fn median_and_p99(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    (at(50), at(99))
}
