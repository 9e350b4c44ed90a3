//! The outcome of a call.

use std::fmt;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

/// The outcome of a call. Scripts print it as JSON.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Outcome {
    Supported {
        supported: bool,
    },
    Token {
        token: String,
        expires_on: u64,
    },
    /// A token as an API received it; the sender alone has its expiry.
    #[serde(skip_deserializing)]
    Sent {
        token: String,
    },
    Error {
        error: Failure,
    },
}

/// An error: the fields by which a program can distinguish it, and its text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Failure {
    pub(crate) kind: String,
    pub(crate) reason: Option<String>,
    pub(crate) message: String,
    /// Usernames.
    #[serde(default)]
    pub(crate) candidates: Vec<String>,
}

impl Outcome {
    /// Parses a result of `tokens.get-token` or `tokens.supported`, with records as objects,
    /// variants as an object of one member, and none as null.
    pub(crate) fn from_contract(value: &Value) -> Result<Self> {
        if let Some(supported) = value.as_bool() {
            return Ok(Self::Supported { supported });
        }
        if let Some(token) = value.get("ok") {
            let text = token.get("token").and_then(Value::as_str);
            let expiry = token.get("expires-on").and_then(Value::as_u64);
            let (Some(text), Some(expires_on)) = (text, expiry) else { bail!("a token without its fields") };
            return Ok(Self::Token { token: text.to_owned(), expires_on });
        }
        let error = value.get("err").and_then(Value::as_object).context("neither a token nor an error")?;
        let (kind, details) = error.iter().next().context("an error of no kind")?;
        let text = |name: &str| details.get(name).and_then(Value::as_str).map(str::to_owned);
        let candidates = details.get("candidates").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let username = |account: &Value| account.get("username").and_then(Value::as_str).map(str::to_owned);
        let error = Failure {
            kind: kind.clone(),
            reason: text("reason"),
            message: details
                .as_str()
                .map(str::to_owned)
                .or_else(|| text("message"))
                .context("an error without text")?,
            candidates: candidates.iter().filter_map(username).collect(),
        };
        Ok(Self::Error { error })
    }

    /// Parses the last line that a script printed.
    pub(crate) fn from_script(stdout: &str) -> Result<Self> {
        let line = stdout.lines().last().context("the script printed nothing")?;
        serde_json::from_str(line).with_context(|| format!("the script's last line is no outcome: {line}"))
    }
}

/// Tokens here are made up, so a failing test may print them.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Supported { supported } => write!(f, "supported: {supported}"),
            Self::Token { token, expires_on } => write!(f, "the token {token} until {expires_on}"),
            Self::Sent { token } => write!(f, "the token {token}, sent"),
            Self::Error { error } => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outcomes_are_read_from_values_of_the_contract() {
        assert_eq!(Outcome::from_contract(&json!(true)).unwrap(), Outcome::Supported { supported: true });
        let token = Outcome::Token { token: "t".into(), expires_on: 7 };
        let ok = json!({ "ok": { "token": "t", "expires-on": 7, "refresh-on": null, "token-type": "Bearer" } });
        assert_eq!(Outcome::from_contract(&ok).unwrap(), token);
        assert_eq!(Outcome::from_script("noise\n{\"token\":\"t\",\"expires_on\":7}\n").unwrap(), token);
        let details = json!({ "reason": "multiple-accounts", "message": "m", "candidates": [{ "username": "u" }] });
        let Outcome::Error { error } =
            Outcome::from_contract(&json!({ "err": { "credential-unavailable": details } })).unwrap()
        else {
            panic!("no error");
        };
        assert_eq!(
            (error.kind.as_str(), error.reason.as_deref()),
            ("credential-unavailable", Some("multiple-accounts"))
        );
        assert_eq!(error.candidates, ["u"]);
        let denied = Outcome::from_contract(&json!({ "err": { "denied": "why" } })).unwrap();
        assert!(matches!(denied, Outcome::Error { error } if error.kind == "denied" && error.message == "why"));
        assert!(Outcome::from_contract(&json!({ "ok": {} })).is_err());
        assert!(Outcome::from_script("").is_err());
        // A script that calls the component has to print the token's expiry.
        assert!(Outcome::from_script("{\"token\":\"t\"}").is_err());
    }
}
