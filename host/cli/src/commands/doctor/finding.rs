//! One thing that was found.

/// What was found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) what: String,
    /// A sentence; empty where there is nothing to do.
    pub(super) next: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// It stands in the way of a token.
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
