//! Decides whether every difference is an improvement.

use std::collections::BTreeSet;
use std::io;

use super::case::{Case, Earlier};
use super::compare::{Difference, Pair};
use super::improvements::{ALL, Kind};
use super::reference::Reference;
use super::situation::{Given, Ran};

/// The verdict about a call.
pub(crate) struct Verdict {
    /// The improvements that are needed to explain the differences. If empty, both sides agree
    /// completely.
    pub(crate) improvements: BTreeSet<&'static str>,
    /// The unexplained differences; empty if all is well.
    pub(crate) problem: String,
    /// The outcome of the reference with the input of ours.
    pub(crate) theirs: Ran,
}

/// Judges a call by running the reference on the same input, and on the input that the improvements
/// rewrote.
///
/// # Errors
/// When the reference has ended.
pub(crate) fn judge(
    reference: &mut Reference,
    given: &Given,
    ours: &Ran,
    earlier: Option<&Earlier>,
) -> io::Result<Verdict> {
    let plain = Case::new(given, ours, earlier);
    let theirs = reference.run(given)?;
    if (Pair { case: &plain, theirs: &theirs }).differences().is_empty() {
        return Ok(Verdict { improvements: BTreeSet::new(), problem: String::new(), theirs });
    }

    let mut left_out = BTreeSet::new();
    let mut explained = attempt(reference, &plain, &left_out)?;
    if !explained.unexplained.is_empty() {
        let problem = format!(
            "unexplained: {:#?}\nwith the reference given\n{:#?}\nwhich made of it\n{:#?}",
            explained.unexplained, explained.given, explained.theirs
        );
        return Ok(Verdict { improvements: BTreeSet::new(), problem, theirs });
    }
    // Only needed improvements count.
    for name in explained.applied.clone() {
        left_out.insert(name);
        let without = attempt(reference, &plain, &left_out)?;
        if without.unexplained.is_empty() && without.used.is_subset(&explained.used) {
            explained = without;
        } else {
            left_out.remove(name);
        }
    }
    let improvements = explained.applied.into_iter().chain(explained.used).collect();
    Ok(Verdict { improvements, problem: String::new(), theirs })
}

/// The improvements that apply.
struct Explained {
    given: Given,
    theirs: Ran,
    /// Those that changed the input of the reference.
    applied: BTreeSet<&'static str>,
    /// Those that explain the outcome.
    used: BTreeSet<&'static str>,
    unexplained: Vec<Difference>,
}

fn attempt(reference: &mut Reference, plain: &Case<'_>, left_out: &BTreeSet<&'static str>) -> io::Result<Explained> {
    let mut case = plain.clone();
    let mut applied = BTreeSet::new();
    for improvement in ALL {
        if let Kind::Given(rewrite) = improvement.kind
            && !left_out.contains(improvement.name)
        {
            let before = case.given.clone();
            rewrite(&mut case);
            if case.given != before {
                applied.insert(improvement.name);
            }
        }
    }
    let mut theirs = reference.run(&case.given)?;
    for (stand_in, token) in &case.stand_ins {
        theirs.document = theirs.document.map(|document| document.replace(stand_in, token));
    }
    let pair = Pair { case: &case, theirs: &theirs };
    let mut used = BTreeSet::new();
    let mut unexplained = Vec::new();
    for difference in pair.differences() {
        let explaining = ALL.iter().find(|improvement| match improvement.kind {
            Kind::Outcome(explains) => explains(&difference, &pair),
            Kind::Given(_) => false,
        });
        match explaining {
            Some(improvement) => drop(used.insert(improvement.name)),
            None => unexplained.push(difference),
        }
    }
    Ok(Explained { given: case.given, theirs, applied, used, unexplained })
}
