//! The printed results: a line for each result, and a table at the end.

use std::time::Duration;

use anyhow::Result;

use crate::say;

/// The result of a scenario in one leg.
#[derive(Debug)]
pub enum Cell {
    /// Passed, after this time.
    Passed(Duration),
    /// Failed, for this reason.
    Failed(String),
    /// Not run, for this reason.
    Cannot(String),
}

/// The results of a suite: a row for each scenario and a column for each way of running a program,
/// called a leg.
#[derive(Debug)]
pub struct Table {
    what: &'static str,
    scenarios: Vec<String>,
    legs: Vec<Leg>,
}

#[derive(Debug)]
struct Leg {
    name: &'static str,
    version: String,
    cells: Vec<(String, Cell)>,
    extras: Vec<(String, bool)>,
    skipped: bool,
}

impl Table {
    /// A table without results. The closing line uses `what` as the name of the legs.
    #[must_use]
    pub fn new(what: &'static str, scenarios: Vec<String>) -> Self {
        Self { what, scenarios, legs: Vec::new() }
    }

    /// Begins the next leg.
    pub fn begin(&mut self, leg: &'static str, version: &str, installed: Duration) {
        say(&format!("\n{leg}: {version} (ready after {:.1} s)", installed.as_secs_f32()));
        self.push(leg, version, false);
    }

    /// Prints that the next leg is skipped.
    pub fn skip(&mut self, leg: &'static str, why: &str) {
        say(&format!("\n{leg}: skipped, because {why}"));
        self.push(leg, why, true);
    }

    /// Records the result of a scenario.
    pub fn add(&mut self, scenario: &str, cell: Cell) {
        match &cell {
            Cell::Passed(time) => say(&format!("  ok      {scenario} ({:.2} s)", time.as_secs_f32())),
            Cell::Failed(why) => say(&format!("  FAILED  {scenario}: {why}")),
            Cell::Cannot(why) => say(&format!("  --      {scenario}: {why}")),
        }
        if let Some(leg) = self.legs.last_mut() {
            leg.cells.push((scenario.to_owned(), cell));
        }
    }

    /// Records the result of a check of this leg alone.
    pub fn extra(&mut self, name: &str, outcome: Result<()>) {
        match &outcome {
            Ok(()) => say(&format!("  ok      {name}")),
            Err(why) => say(&format!("  FAILED  {name}: {why:#}")),
        }
        if let Some(leg) = self.legs.last_mut() {
            leg.extras.push((name.to_owned(), outcome.is_ok()));
        }
    }

    /// Whether nothing failed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let good = |leg: &Leg| {
            let failed = leg.cells.iter().any(|(_, cell)| matches!(cell, Cell::Failed(_)));
            !failed && leg.extras.iter().all(|(_, good)| *good)
        };
        self.legs.iter().all(good)
    }

    /// Prints the table, in Markdown, and the legs by their version.
    pub fn finish(&self) {
        let run: Vec<&Leg> = self.legs.iter().filter(|leg| !leg.skipped).collect();
        let names: Vec<_> = run.iter().map(|leg| leg.name).collect();
        say(&format!("\n| scenario | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len())));
        for scenario in &self.scenarios {
            let cells: Vec<_> = run.iter().map(|leg| leg.cell(scenario)).collect();
            say(&format!("| {scenario} | {} |", cells.join(" | ")));
        }
        if run.iter().any(|leg| !leg.extras.is_empty()) {
            let extras: Vec<_> = run.iter().map(|leg| leg.more()).collect();
            say(&format!("| more, of this one only | {} |", extras.join(" | ")));
        }
        say("");
        for leg in &self.legs {
            say(&format!("{}: {}{}", leg.name, if leg.skipped { "skipped, because " } else { "" }, leg.version));
        }
        let (mut passed, mut failed, mut cannot) = (0, 0, 0);
        for leg in &run {
            for (_, cell) in &leg.cells {
                match cell {
                    Cell::Passed(_) => passed += 1,
                    Cell::Failed(_) => failed += 1,
                    Cell::Cannot(_) => cannot += 1,
                }
            }
            let good = leg.extras.iter().filter(|(_, good)| *good).count();
            passed += good;
            failed += leg.extras.len() - good;
        }
        let (legs, skipped) = (run.len(), self.legs.len() - run.len());
        let what = self.what;
        say(&format!(
            "\n{legs} {what}, {skipped} skipped; {passed} scenarios passed, {failed} failed, {cannot} can't be had"
        ));
    }

    fn push(&mut self, name: &'static str, version: &str, skipped: bool) {
        self.legs.push(Leg { name, version: version.to_owned(), cells: Vec::new(), extras: Vec::new(), skipped });
    }
}

impl Leg {
    fn cell(&self, scenario: &str) -> String {
        let found = self.cells.iter().find(|(name, _)| name == scenario).map(|(_, cell)| match cell {
            Cell::Passed(time) => format!("ok {:.2} s", time.as_secs_f32()),
            Cell::Failed(_) => "FAILED".to_owned(),
            Cell::Cannot(_) => "–".to_owned(),
        });
        found.unwrap_or_default()
    }

    fn more(&self) -> String {
        let good = self.extras.iter().filter(|(_, good)| *good).count();
        format!("{good} of {}", self.extras.len())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn a_skipped_scenario_is_no_failure() {
        let mut table = Table::new("hosts", vec!["a".into(), "b".into()]);
        table.begin("one", "1.0", Duration::ZERO);
        table.add("a", Cell::Passed(Duration::from_millis(250)));
        table.add("b", Cell::Cannot("it has none".into()));
        table.skip("two", "it is not here");
        assert!(table.is_good());
        assert_eq!(table.legs[0].cell("a"), "ok 0.25 s");
        assert_eq!(table.legs[0].cell("b"), "–");
        table.finish();
    }

    #[test]
    fn a_failure_of_any_kind_is_one() {
        let failed = |fail: fn(&mut Table)| {
            let mut table = Table::new("hosts", Vec::new());
            table.begin("one", "1.0", Duration::ZERO);
            fail(&mut table);
            !table.is_good()
        };
        assert!(failed(|table| table.add("a", Cell::Failed("why".into()))));
        assert!(failed(|table| table.extra("a", (|| bail!("why"))())));
    }
}
