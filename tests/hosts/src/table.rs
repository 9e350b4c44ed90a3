//! What is printed: each result as it comes, and a table at the end.

use std::time::Duration;

use crate::scenario::Scenario;

/// What came of a scenario on a host.
pub(crate) enum Cell {
    Passed(Scenario, Duration),
    Failed(Scenario, String),
    Cannot(Scenario, &'static str),
}

#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

struct Row {
    leg: &'static str,
    version: String,
    cells: Vec<Cell>,
    extras: Vec<(&'static str, bool)>,
    skipped: bool,
}

impl Table {
    pub(crate) fn begin(&mut self, leg: &'static str, version: &str, installed: Duration) {
        say(&format!("\n{leg}: {version} (ready after {:.1} s)", installed.as_secs_f32()));
        let row = Row { leg, version: version.to_owned(), cells: Vec::new(), extras: Vec::new(), skipped: false };
        self.rows.push(row);
    }

    pub(crate) fn skip(&mut self, leg: &'static str, why: &str) {
        say(&format!("\n{leg}: skipped, because {why}"));
        let row = Row { leg, version: why.to_owned(), cells: Vec::new(), extras: Vec::new(), skipped: true };
        self.rows.push(row);
    }

    pub(crate) fn add(&mut self, cell: Cell) {
        match &cell {
            Cell::Passed(scenario, time) => say(&format!("  ok      {scenario} ({:.2} s)", time.as_secs_f32())),
            Cell::Failed(scenario, why) => say(&format!("  FAILED  {scenario}: {why}")),
            Cell::Cannot(scenario, why) => say(&format!("  --      {scenario}: {why}")),
        }
        if let Some(row) = self.rows.last_mut() {
            row.cells.push(cell);
        }
    }

    pub(crate) fn extra(&mut self, name: &'static str, outcome: anyhow::Result<()>) {
        match &outcome {
            Ok(()) => say(&format!("  ok      {name}")),
            Err(why) => say(&format!("  FAILED  {name}: {why:#}")),
        }
        if let Some(row) = self.rows.last_mut() {
            row.extras.push((name, outcome.is_ok()));
        }
    }

    /// Whether nothing failed.
    pub(crate) fn is_good(&self) -> bool {
        let good = |row: &Row| {
            let failed = row.cells.iter().any(|cell| matches!(cell, Cell::Failed(..)));
            !failed && row.extras.iter().all(|(_, good)| *good)
        };
        self.rows.iter().all(good)
    }

    /// Prints the table, in Markdown: a row for each scenario and a column for each host, and the hosts by their version.
    pub(crate) fn finish(&self) {
        let run: Vec<&Row> = self.rows.iter().filter(|row| !row.skipped).collect();
        let names: Vec<_> = run.iter().map(|row| row.leg).collect();
        say(&format!("\n| scenario | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len())));
        for scenario in Scenario::ALL {
            let cells: Vec<_> = run.iter().map(|row| row.cell(*scenario)).collect();
            say(&format!("| {scenario} | {} |", cells.join(" | ")));
        }
        let extras: Vec<_> = run.iter().map(|row| row.more()).collect();
        say(&format!("| more, of this host only | {} |\n", extras.join(" | ")));
        for row in &self.rows {
            say(&format!("{}: {}{}", row.leg, if row.skipped { "skipped, because " } else { "" }, row.version));
        }
        let (mut passed, mut failed, mut cannot) = (0, 0, 0);
        for row in &run {
            for cell in &row.cells {
                match cell {
                    Cell::Passed(..) => passed += 1,
                    Cell::Failed(..) => failed += 1,
                    Cell::Cannot(..) => cannot += 1,
                }
            }
            let good = row.extras.iter().filter(|(_, good)| *good).count();
            passed += good;
            failed += row.extras.len() - good;
        }
        let (hosts, skipped) = (run.len(), self.rows.len() - run.len());
        say(&format!(
            "\n{hosts} hosts, {skipped} skipped; {passed} scenarios passed, {failed} failed, {cannot} can't be had"
        ));
    }
}

impl Row {
    fn cell(&self, wanted: Scenario) -> String {
        let found = self.cells.iter().find_map(|cell| match cell {
            Cell::Passed(scenario, time) if *scenario == wanted => Some(format!("ok {:.2} s", time.as_secs_f32())),
            Cell::Failed(scenario, _) if *scenario == wanted => Some("FAILED".to_owned()),
            Cell::Cannot(scenario, _) if *scenario == wanted => Some("–".to_owned()),
            _ => None,
        });
        found.unwrap_or_default()
    }

    fn more(&self) -> String {
        let good = self.extras.iter().filter(|(_, good)| *good).count();
        format!("{good} of {}", self.extras.len())
    }
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
