//! The counts of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::run::Kind;

/// The counts of the writers of one kind.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) writers: usize,
    /// The keys of the entries that a writer reported as saved.
    pub(crate) saved: Vec<String>,
    /// The longest time that a save took, including waits.
    pub(crate) worst: Duration,
    pub(crate) kills: usize,
    /// How many saves timed out waiting for the lock.
    pub(crate) gave_up: usize,
    /// How many writes of MSAL were made without its lock file.
    pub(crate) unlocked: usize,
    pub(crate) errors: Vec<String>,
    /// How many of the saved entries are missing at the end.
    pub(crate) lost: usize,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) time: Duration,
    pub(crate) tallies: BTreeMap<Kind, Tally>,
    /// Why the file is not whole at the end.
    pub(crate) damage: Option<String>,
    /// The names in the folder after the last write.
    pub(crate) files: BTreeSet<String>,
    /// How many temporary files of killed writers there were before that.
    pub(crate) left_behind: usize,
}

impl Outcome {
    /// Asserts the guarantees of every run in which all writers lock.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut broken = Vec::new();
        broken.extend(self.damage.as_ref().map(|damage| format!("the file is {damage}")));
        if !self.files.iter().eq(["cache"]) {
            broken.push(format!("left in the folder: {:?}", self.files));
        }
        for (kind, tally) in &self.tallies {
            let name = kind.name();
            if tally.lost != 0 {
                broken.push(format!("{} entries of {name} are lost", tally.lost));
            }
            if !tally.errors.is_empty() {
                broken.push(format!("{name}: {:?}", tally.errors));
            }
            // Otherwise the run has shown nothing.
            if tally.saved.is_empty() || tally.unlocked != 0 {
                broken.push(format!(
                    "{name}: {} saves, {} of them without the lock",
                    tally.saved.len(),
                    tally.unlocked
                ));
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(broken.join("; ")) }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<22} {:>7} {:>7} {:>8} {:>10} {:>6} {:>8} {:>9} {:>7} {:>6}",
            "kind", "writers", "saves", "saves/s", "worst wait", "kills", "gave up", "unlocked", "errors", "lost"
        )?;
        for (kind, tally) in &self.tallies {
            let saves = u32::try_from(tally.saved.len()).unwrap_or(u32::MAX);
            writeln!(
                f,
                "{:<22} {:>7} {:>7} {:>8.1} {:>8.2} s {:>6} {:>8} {:>9} {:>7} {:>6}",
                kind.name(),
                tally.writers,
                saves,
                f64::from(saves) / self.time.as_secs_f64(),
                tally.worst.as_secs_f64(),
                tally.kills,
                tally.gave_up,
                tally.unlocked,
                tally.errors.len(),
                tally.lost,
            )?;
            for error in tally.errors.iter().take(3) {
                writeln!(f, "    such as: {error}")?;
            }
        }
        let damage = self.damage.as_deref().unwrap_or("whole");
        write!(f, "the file is {damage}; temporary files of killed writers: {}", self.left_behind)
    }
}
