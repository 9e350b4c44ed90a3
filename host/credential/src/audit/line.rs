use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::{AUDIT, time};

/// A caller may ask for any scopes. So many of them, and so much of each, stand in a line.
const MOST_SCOPES: usize = 32;
const LONGEST_TEXT: usize = 256;

/// A line of the audit: a call for a token, or something that was denied to the component. A sink that writes it as JSON, such as
/// [`crate::AuditFile`], writes these fields by these names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditLine {
    /// When it was over: RFC 3339, in UTC, with milliseconds.
    pub time: String,
    /// `get-token`: a caller asked for a token. `cache-file.read`, `cache-file.replace`, `https.post-form`: the component did this in
    /// such a call, or in another, and it was denied. `result`: what it returned as the token was kept back.
    /// `http.app-service`, `http.azure-ml`, `http.azd`, `http`: a client of the agent's HTTP endpoint asked.
    pub operation: &'static str,
    /// `cached`: the caller has a token that was there. `refreshed`: the caller has a token that this call bought. `served`: a client
    /// of a front has a token. Else `refused`, where a front refuses the request itself, or
    /// [`crate::Error::kind`], such as `denied`.
    pub outcome: &'static str,
    /// The kind of what was in the way: [`crate::Error::reason`]; of what was denied, `policy` or the kind of the vault's refusal,
    /// such as `wrong-scopes`; `too-many` in the last line of a call in which more was denied than is told.
    pub reason: Option<&'static str>,
    /// Whose token it is: the first 16 hexadecimal digits of the SHA-256 of the home account id in lower case. `None` without a token.
    pub account: Option<String>,
    /// The tenant that the token is for; without a token the one that the call named, if it named one.
    pub tenant: Option<String>,
    /// What was asked for, at most 32 scopes with 256 characters each. Empty in a call that asks for no token.
    pub scopes: Vec<String>,
    /// The source whose cache served, or that was in use when it was denied. `None` where no source came so far.
    pub source: Option<String>,
    /// How long the caller waited, in milliseconds; `None` for what the component was denied.
    pub duration_ms: Option<u64>,
    /// The client of a front, such as the agent's HTTP endpoint, by the name that the user gave it. Left out for other callers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The profile whose token the client asked for, by its name. Left out for other callers, and where none was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// What a line is about.
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'static str,
    pub(crate) scopes: &'a [String],
    pub(crate) tenant: Option<&'a str>,
    pub(crate) source: Option<String>,
    pub(crate) duration: Option<Duration>,
}

impl AuditLine {
    pub(crate) fn new(asked: Asked<'_>, outcome: &'static str, reason: Option<&'static str>) -> Self {
        let Asked { operation, scopes, tenant, source, duration } = asked;
        Self {
            time: time::rfc3339(SystemTime::now()),
            operation,
            outcome,
            reason,
            account: None,
            tenant: tenant.map(short),
            scopes: scopes.iter().take(MOST_SCOPES).map(|scope| short(scope)).collect(),
            source,
            duration_ms: duration.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            client: None,
            profile: None,
        }
    }

    /// A line about a request that a front answered. The call that brought the token has a line of its own.
    #[must_use]
    pub fn of_request(
        operation: &'static str,
        outcome: &'static str,
        reason: Option<&'static str>,
        scopes: &[String],
        duration: Duration,
    ) -> Self {
        Self::new(Asked { operation, scopes, tenant: None, source: None, duration: Some(duration) }, outcome, reason)
    }

    /// The same with the account whose token it is, by its fingerprint.
    pub(crate) fn of(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Emits the line as a `tracing` event of the target [`AUDIT`].
    pub fn emit(&self) {
        tracing::info!(
            target: AUDIT,
            time = self.time,
            operation = self.operation,
            outcome = self.outcome,
            reason = self.reason,
            account = self.account,
            tenant = self.tenant,
            scopes = self.scopes.join(" "),
            source = self.source,
            duration_ms = self.duration_ms,
            client = self.client,
            profile = self.profile,
        );
    }
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_bounded_whatever_is_asked_for() {
        let scopes = vec!["ü".repeat(1_000); 1_000];
        let tenant = "t".repeat(1_000);
        let asked = Asked {
            operation: "get-token",
            scopes: &scopes,
            tenant: Some(&tenant),
            source: None,
            duration: Some(Duration::MAX),
        };
        let line = AuditLine::new(asked, "cached", None);
        assert!(serde_json::to_string(&line).unwrap().len() < 32 * 520 + 1_000);
        assert_eq!(line.duration_ms, Some(u64::MAX));
    }
}
