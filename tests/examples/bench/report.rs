//! The figures of a run.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Outcome;
use crate::chart::{self, Series};

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    series: Vec<Series>,
    /// Versions of the peers.
    versions: Vec<String>,
}

struct Row {
    what: String,
    figure: f64,
    unit: &'static str,
}

impl Report {
    /// Adds a figure and prints it.
    pub(crate) fn add(&mut self, what: impl Into<String>, figure: f64, unit: &'static str) -> Outcome {
        let what = what.into();
        writeln!(std::io::stdout(), "{what:<72} {figure:>12.2} {unit}")?;
        self.rows.push(Row { what, figure, unit });
        Ok(())
    }

    pub(crate) fn micros(&mut self, what: impl Into<String>, time: Duration) -> Outcome {
        self.add(what, time.as_secs_f64() * 1e6, "µs")
    }

    pub(crate) fn millis(&mut self, what: impl Into<String>, time: Duration) -> Outcome {
        self.add(what, time.as_secs_f64() * 1e3, "ms")
    }

    /// Adds a point to a line of the chart.
    pub(crate) fn point(&mut self, name: &str, accounts: usize, time: Duration) -> Outcome {
        let point = (f64::from(u32::try_from(accounts)?), time.as_secs_f64());
        match self.series.iter_mut().find(|series| series.name == name) {
            Some(series) => series.points.push(point),
            None => self.series.push(Series { name: name.to_owned(), points: vec![point] }),
        }
        Ok(())
    }

    /// Names a peer with its version, once.
    pub(crate) fn peer(&mut self, version: &str) {
        if !self.versions.iter().any(|known| known == version) {
            self.versions.push(version.to_owned());
        }
    }

    /// Writes `report.json`, `report.md` and `chart.svg` to `target/bench`.
    pub(crate) fn write(&self) -> Outcome {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
        fs::create_dir_all(&folder)?;
        let rows = self.rows.iter().map(|row| json!({ "what": row.what, "figure": row.figure, "unit": row.unit }));
        let rows: Value = rows.collect();
        let mut conditions = vec![format!("commit {}", printed("git", &["describe", "--always", "--dirty"]))];
        conditions.push(printed("date", &["+%Y-%m-%d"]));
        conditions.extend(machine());
        conditions.push(printed("rustc", &["--version"]));
        conditions.extend(self.versions.iter().cloned());
        let report = json!({ "conditions": conditions, "rows": rows });
        fs::write(folder.join("report.json"), serde_json::to_string_pretty(&report)?)?;
        let mut page =
            "# Benchmark\n\nWritten by `cargo xtask bench`. Times are medians of wall time unless a row says \
                        otherwise.\n\n"
                .to_owned();
        for condition in conditions {
            writeln!(page, "- {condition}")?;
        }
        page.push_str("\n| what | figure |\n|---|---:|\n");
        for Row { what, figure, unit } in &self.rows {
            writeln!(page, "| {what} | {figure:.2} {unit} |")?;
        }
        fs::write(folder.join("report.md"), page)?;
        Ok(fs::write(folder.join("chart.svg"), chart::svg(&self.series)?)?)
    }
}

/// The processor, the number of cores, and the kernel.
fn machine() -> Vec<String> {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut machine = vec![format!("{cores} cores{}", model.map(|(_, name)| format!(", {name}")).unwrap_or_default())];
    machine.push(printed("uname", &["-sr"]));
    machine
}

/// The first line that a program prints.
fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

/// The middle one, and the one that 99 of 100 are below.
pub(crate) fn median_and_p99(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    (at(50), at(99))
}
