//! The problems of a document with their positions, all reported at once.

use std::cell::RefCell;
use std::fmt;

/// All problems of a policy document, in the order of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    problems: Vec<Problem>,
}

impl PolicyError {
    /// The problems, each with its position and what to write instead.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl std::error::Error for PolicyError {}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot use the policy")?;
        let mut separator = ": ";
        for problem in &self.problems {
            write!(f, "{separator}{problem}")?;
            separator = "; ";
        }
        Ok(())
    }
}

/// One problem of a policy document. Displays as `3:9: ` and the text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, in characters, counted from 1.
    pub column: usize,
    /// The field, such as `caches[0].access`; empty if the document is not TOML.
    pub field: String,
    /// The mistake.
    pub what: String,
    /// What to write instead; empty if unknown.
    pub instead: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.field.is_empty() {
            write!(f, "`{}`: ", self.field)?;
        }
        f.write_str(&self.what)?;
        if self.instead.is_empty() { Ok(()) } else { write!(f, "; {}", self.instead) }
    }
}

/// Collects problems of a text.
pub(super) struct Problems<'t> {
    text: &'t str,
    found: RefCell<Vec<(usize, Problem)>>,
    doubts: RefCell<Vec<(usize, Problem)>>,
}

impl<'t> Problems<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, found: RefCell::default(), doubts: RefCell::default() }
    }

    /// `at` counts bytes.
    pub(super) fn add(&self, at: usize, field: &str, what: impl Into<String>, instead: impl Into<String>) {
        self.found.borrow_mut().push((at, self.problem(at, field, what.into(), instead.into())));
    }

    /// Adds a doubt: the text is valid, but probably not meant.
    pub(super) fn doubt(&self, at: usize, field: &str, what: impl Into<String>, instead: impl Into<String>) {
        self.doubts.borrow_mut().push((at, self.problem(at, field, what.into(), instead.into())));
    }

    pub(super) fn into_doubts(self) -> Vec<Problem> {
        let mut doubts = self.doubts.into_inner();
        doubts.sort_by_key(|(at, _)| *at);
        doubts.into_iter().map(|(_, problem)| problem).collect()
    }

    fn problem(&self, at: usize, field: &str, what: String, instead: String) -> Problem {
        let (line, column) = place(self.text, at);
        Problem { line, column, field: field.to_owned(), what, instead }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    pub(super) fn into_result<T>(self, value: T) -> Result<T, PolicyError> {
        let mut found = self.found.into_inner();
        if found.is_empty() {
            return Ok(value);
        }
        found.sort_by_key(|(at, _)| *at);
        Err(PolicyError { problems: found.into_iter().map(|(_, problem)| problem).collect() })
    }
}

fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
