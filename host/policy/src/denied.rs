/// A denial by the policy, as a text for the user.
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

    /// The denied action.
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

/// A caller's or a component's text for a message: quoted and truncated. The part before an `@` may
/// be a password, so it is removed.
pub(crate) fn shown(text: &str) -> String {
    let text = match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    };
    let short: String = text.chars().take(120).collect();
    format!("{short:?}")
}
