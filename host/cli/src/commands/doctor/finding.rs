//! A finding of the diagnosis.

/// A finding and its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) what: String,
    /// The remedy, as a sentence; empty if none is needed.
    pub(super) next: String,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// No action needed.
    Good,
    /// Useful information.
    Note,
    /// A fault that prevents tokens.
    Problem,
}

impl Severity {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

impl Finding {
    pub(super) fn good(what: impl Into<String>) -> Self {
        Self { severity: Severity::Good, what: what.into(), next: String::new() }
    }

    pub(super) fn note(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { severity: Severity::Note, what: what.into(), next: next.into() }
    }

    pub(super) fn problem(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { severity: Severity::Problem, what: what.into(), next: next.into() }
    }
}
