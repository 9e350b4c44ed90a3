/// Why the policy forbids something, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy does not allow {what}; {hint}")]
pub struct Denied {
    what: String,
    hint: String,
}

impl Denied {
    pub(crate) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }

    /// What is not allowed.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to write into the policy to allow it.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// A caller's or a plugin's text as a message may show it: quoted, and not endless. What stands before an `@` could be a
/// password.
pub(crate) fn shown(text: &str) -> String {
    let text = match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    };
    let short: String = text.chars().take(120).collect();
    format!("{short:?}")
}
