use std::fmt;
use std::str::FromStr;

use shared_token_cache_entra::client::AZURE_CLI;

use crate::InvalidValue;

/// The applications whose tokens are allowed: one, by its client id, or all. Ids are compared
/// without case.
///
/// ```
/// use shared_token_cache_policy::AllowedClient;
///
/// let azure_cli: AllowedClient = "04b07795-8ddb-461a-bbee-02f9e1bf7b46".parse()?;
/// assert!(azure_cli.covers("04B07795-8DDB-461A-BBEE-02F9E1BF7B46"));
/// # Ok::<(), shared_token_cache_policy::InvalidValue>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AllowedClient(Option<String>);

impl AllowedClient {
    /// All applications.
    pub const ANY: Self = Self(None);

    /// Whether an application is allowed.
    #[must_use]
    pub fn covers(&self, client_id: &str) -> bool {
        self.0.as_deref().is_none_or(|id| id.eq_ignore_ascii_case(client_id))
    }
}

impl FromStr for AllowedClient {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text == "*" {
            return Ok(Self::ANY);
        }
        let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if good {
            Ok(Self(Some(text.to_ascii_lowercase())))
        } else {
            let instead = format!("write it as `{AZURE_CLI}`, or `*` for any");
            Err(InvalidValue::new(format!("{text:?} is not a client id"), instead))
        }
    }
}

impl fmt::Display for AllowedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("*"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_covers_only_itself() {
        let covered = |rule: &str, id: &str| rule.parse::<AllowedClient>().unwrap().covers(id);
        assert!(covered("04b07795-8ddb", "04B07795-8DDB") && covered("*", "") && covered("A", "a"));
        for id in ["04b07795-8dd", "04b07795-8ddbb", "", "*"] {
            assert!(!covered("04b07795-8ddb", id), "{id}");
        }
        for text in ["", " ", "a b", "*a", "https://contoso.com/app", "ä"] {
            assert!(text.parse::<AllowedClient>().is_err(), "{text:?}");
        }
    }
}
