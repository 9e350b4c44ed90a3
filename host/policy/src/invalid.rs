/// A text that is not a value of the policy. Displays the mistake, and the correction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {instead}")]
#[non_exhaustive]
pub struct InvalidValue {
    /// The mistake.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

impl InvalidValue {
    pub(crate) fn new(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { what: what.into(), instead: instead.into() }
    }
}

impl From<InvalidValue> for String {
    fn from(invalid: InvalidValue) -> Self {
        invalid.to_string()
    }
}
