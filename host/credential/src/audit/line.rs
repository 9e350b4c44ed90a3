use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::{AUDIT, time};

/// Callers may request any scopes. A line has at most this many, each truncated.
const MOST_SCOPES: usize = 32;
const LONGEST_TEXT: usize = 256;

/// A line of the audit: a call for a token, or a denial to the component. A sink that writes JSON,
/// such as [`crate::AuditFile`], uses the names of these fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditLine {
    /// The end of the operation: RFC 3339, in UTC, with milliseconds.
    pub time: String,
    /// `get-token`: a caller requested a token. `cache-file.read`, `cache-file.replace`,
    /// `https.post-form`: an import call of the component was denied, in a call for a token or in
    /// another one. `result`: the component's result was withheld. `http.app-service`,
    /// `http.azure-ml`, `http.azd`, `http`: a request of a client to the agent's HTTP endpoint.
    pub operation: &'static str,
    /// `cached`: the caller got a cached token. `refreshed`: the caller got a token for which this
    /// call redeemed a refresh token. `served`: a client of a front got a token. Otherwise
    /// `refused`, when a front refuses the request itself, or [`crate::Error::kind`], such as
    /// `denied`.
    pub outcome: &'static str,
    /// The reason of a failure: [`crate::Error::reason`]; for a denial, `policy` or the kind of the
    /// vault's refusal, such as `wrong-scopes`; `too-many` in the last line of a call with more
    /// denials than are logged.
    pub reason: Option<&'static str>,
    /// The account of the token: the first 16 hexadecimal digits of the SHA-256 of the home account
    /// id in lower case. `None` without a token.
    pub account: Option<String>,
    /// The tenant of the token; without a token, the tenant that the call named.
    pub tenant: Option<String>,
    /// The requested scopes, at most 32 with 256 characters each. Empty for a call that requests no
    /// token.
    pub scopes: Vec<String>,
    /// The source whose cache was used, or that was in use at the denial. `None` if the call failed
    /// in no particular source.
    pub source: Option<String>,
    /// Whether the token carries the mark of an agent session. Left out without a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_session: Option<bool>,
    /// The duration of the call, in milliseconds; `None` for a denial to the component.
    pub duration_ms: Option<u64>,
    /// The client of a front, such as the agent's HTTP endpoint, by the name that the user gave it.
    /// Left out for other callers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The name of the profile that the client requested. Left out for other callers, and if none
    /// was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// The subject of a line.
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
            agent_session: None,
            duration_ms: duration.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            client: None,
            profile: None,
        }
    }

    /// A line about a request to a front. The call that obtained the token has its own line.
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

    /// Adds the fingerprint of the token's account, and whether the token is marked.
    pub(crate) fn of(mut self, account: &str, agent_session: bool) -> Self {
        self.account = Some(account.to_owned());
        self.agent_session = Some(agent_session);
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
            agent_session = self.agent_session,
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
    fn a_line_is_bounded_for_any_request() {
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
