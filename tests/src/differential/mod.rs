//! Compares this product with the real azure-identity in random situations.
//!
//! Both sides get the same bytes, options, clock and responses of the authority. Their outcomes
//! have to be equal, or differ by an improvement of the list in `improvements/mod.rs`.

mod case;
mod change;
mod compare;
mod document;
mod generate;
mod improvements;
mod judge;
mod ours;
mod record;
mod reference;
mod situation;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::thread;

use case::Earlier;
use judge::{Verdict, judge};
use ours::Ours;
use reference::Reference;
use situation::{Content, Given, Outcome, Ran, Situation};

/// The result of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// How many situations there were.
    pub situations: usize,
    /// Situations in which both sides agreed completely.
    pub agreeing: usize,
    /// Situations in which ours ended in a token.
    pub tokens: usize,
    /// Situations in which ours sent a request.
    pub sending: usize,
    /// Situations with an authentication record, and those of them in which both sides agreed
    /// completely.
    pub records: (usize, usize),
    /// How often each improvement occurred, and in which situation first.
    pub seen: BTreeMap<&'static str, (usize, u64)>,
    /// Situations with a difference that is no improvement, each with a description.
    pub failures: Vec<(u64, String)>,
}

impl Report {
    fn add(&mut self, index: u64, with_record: bool, seen: Seen) {
        let agreeing = usize::from(seen.problem.is_empty() && seen.improvements.is_empty());
        self.situations += 1;
        self.agreeing += agreeing;
        if with_record {
            self.records.0 += 1;
            self.records.1 += agreeing;
        }
        self.tokens += usize::from(seen.token);
        self.sending += usize::from(seen.sent);
        for name in seen.improvements {
            self.count(name, 1, index);
        }
        if !seen.problem.is_empty() {
            self.failures.push((index, seen.problem));
        }
    }

    fn merge(&mut self, other: Self) {
        self.situations += other.situations;
        self.agreeing += other.agreeing;
        self.records = (self.records.0 + other.records.0, self.records.1 + other.records.1);
        self.tokens += other.tokens;
        self.sending += other.sending;
        for (name, (count, index)) in other.seen {
            self.count(name, count, index);
        }
        self.failures.extend(other.failures);
        self.failures.sort_by_key(|(index, _)| *index);
    }

    fn count(&mut self, name: &'static str, count: usize, index: u64) {
        let seen = self.seen.entry(name).or_insert((0, index));
        *seen = (seen.0 + count, seen.1.min(index));
    }
}

/// Runs situations of a seed, on all cores.
///
/// # Errors
/// When one of the sides can't be run.
pub fn run(python: &Path, seed: u64, indices: Range<u64>) -> io::Result<Report> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    thread::scope(|scope| {
        let every_nth = |first| indices.clone().skip(first).step_by(cores);
        let workers: Vec<_> =
            (0..cores).map(|first| scope.spawn(move || run_alone(python, seed, every_nth(first)))).collect();
        let mut report = Report::default();
        for worker in workers {
            report.merge(worker.join().map_err(|_| io::Error::other("a worker panicked"))??);
        }
        Ok(report)
    })
}

fn run_alone(python: &Path, seed: u64, indices: impl Iterator<Item = u64>) -> io::Result<Report> {
    let mut report = Report::default();
    let mut indices = indices.peekable();
    if indices.peek().is_none() {
        return Ok(report);
    }
    let mut sides = Sides { ours: Ours::start()?, reference: Reference::start(python)? };
    for index in indices {
        let situation = generate::situation(seed, index);
        let seen = sides.run(&situation)?;
        report.add(index, situation.options.record.is_some(), seen);
    }
    Ok(report)
}

/// The names of all improvements.
pub fn improvements() -> impl Iterator<Item = &'static str> {
    improvements::ALL.iter().map(|improvement| improvement.name)
}

struct Sides {
    ours: Ours,
    reference: Reference,
}

/// The result of one situation.
#[derive(Default)]
struct Seen {
    improvements: BTreeSet<&'static str>,
    token: bool,
    sent: bool,
    problem: String,
}

impl Sides {
    fn run(&mut self, situation: &Situation) -> io::Result<Seen> {
        self.ours.put(false, situation.without_cae.as_deref())?;
        self.ours.put(true, situation.with_cae.as_deref())?;
        let credential = self.ours.credential(&situation.options)?;
        let mut seen = Seen::default();
        let mut earlier: Option<Earlier> = None;
        let mut calls = situation.calls.iter().peekable();
        while let Some(call) = calls.next() {
            let before = self.ours.document(call.enable_cae)?;
            let other = self.ours.document(!call.enable_cae)?;
            let ran = self.ours.run(&credential, call)?;
            let given = Given {
                options: situation.options.clone(),
                call: call.clone(),
                content: Content::of(before.as_deref()),
            };
            let mut verdict = judge(&mut self.reference, &given, &ran, earlier.as_ref())?;
            if self.ours.document(!call.enable_cae)? != other {
                verdict.problem.push_str("\nours changed the cache that is not the call's");
            }
            seen.token |= matches!(ran.outcome, Outcome::Token { .. });
            seen.sent |= !ran.requests.is_empty();
            if !verdict.problem.is_empty() {
                seen.problem = in_words(situation, &given, &ran, &verdict);
                return Ok(seen);
            }
            seen.improvements.extend(verdict.improvements);
            earlier = Some(Earlier { call: call.clone(), ours: ran });
            if situation.handover && calls.peek().is_some() {
                self.ours.put(call.enable_cae, verdict.theirs.document.as_deref())?;
            }
        }
        Ok(seen)
    }
}

fn in_words(situation: &Situation, given: &Given, ours: &Ran, verdict: &Verdict) -> String {
    let json = |value: serde_json::Result<String>| value.unwrap_or_default();
    format!(
        "the situation\n{}\nin the call\n{}\nours\n{ours:#?}\nthe reference\n{:#?}\n{}",
        json(serde_json::to_string_pretty(situation)),
        json(serde_json::to_string_pretty(given)),
        verdict.theirs,
        verdict.problem
    )
}
