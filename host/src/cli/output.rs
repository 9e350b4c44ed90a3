//! What the command prints, and its exit codes.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::{Value, json};
use shared_token_cache::{Account, Error, OAuthError, SourceFailure};

use super::arguments::ErrorForm;
use super::complain;

/// Why the command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The credential says so.
    Credential(Error),
    /// Anything else.
    Other(anyhow::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Credential(error)
    }
}

impl Failure {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::Credential(Error::InvalidArgument(message.into()))
    }

    pub(super) fn other(error: impl Into<anyhow::Error>) -> Self {
        Self::Other(error.into())
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Credential(Error::InvalidArgument(_)) => 2,
            Self::Credential(Error::CredentialUnavailable(_)) => 3,
            Self::Credential(Error::ClientAuthentication(_)) => 4,
            Self::Credential(Error::Denied(_)) => 5,
            Self::Credential(Error::Unreachable(_)) => 6,
            Self::Credential(_) | Self::Other(_) => 1,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Credential(error @ Error::Plugin(source)) => format!("{error}: {source}"),
            Self::Credential(error) => error.to_string(),
            Self::Other(error) => format!("{error:#}"),
        }
    }

    fn to_json(&self) -> Value {
        let (kind, reason) = match self {
            Self::Credential(error) => (error.kind(), error.reason()),
            Self::Other(_) => ("other", None),
        };
        let (mut details, mut candidates, mut remedy) = (Value::Null, None, None);
        match self {
            Self::Credential(Error::ClientAuthentication(failure)) => {
                details = failure.oauth.as_deref().map(oauth).unwrap_or_default();
            }
            Self::Credential(Error::CredentialUnavailable(unavailable)) if !unavailable.candidates.is_empty() => {
                candidates = Some(accounts(&unavailable.candidates));
            }
            Self::Credential(Error::Denied(denial)) => remedy = denial.remedy.as_deref(),
            Self::Credential(_) | Self::Other(_) => {}
        }
        let mut error = json!({ "kind": kind, "reason": reason, "message": self.message(), "oauth": details });
        if let (Some(error), Some(candidates)) = (error.as_object_mut(), candidates) {
            error.insert("candidates".into(), candidates);
        }
        if let (Some(error), Some(remedy)) = (error.as_object_mut(), remedy) {
            error.insert("remedy".into(), remedy.into());
        }
        let sources = match self {
            Self::Credential(Error::ClientAuthentication(failure)) => &failure.sources[..],
            Self::Credential(Error::CredentialUnavailable(unavailable)) => &unavailable.sources,
            Self::Credential(_) | Self::Other(_) => &[],
        };
        if let Some(error) = error.as_object_mut().filter(|_| !sources.is_empty()) {
            error.insert("sources".into(), sources.iter().map(source).collect());
        }
        json!({ "error": error })
    }
}

/// Writes a line to stdout.
pub(super) fn print(line: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(Failure::other)
}

/// Writes a line that ends here to stdout. Whole lines are not buffered, so no copy of it stays in this process.
pub(super) fn print_secret(line: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line).and_then(|()| stdout.flush()).map_err(Failure::other)
}

/// Writes the error to stderr and gives the exit code for it.
pub(super) fn report(failure: &Failure, form: ErrorForm) -> ExitCode {
    match form {
        ErrorForm::Json => drop(writeln!(io::stderr(), "{}", failure.to_json())),
        ErrorForm::Text => {
            complain(&failure.message());
            if let Failure::Credential(Error::CredentialUnavailable(unavailable)) = failure {
                for account in &unavailable.candidates {
                    complain(&format!("  {}", line(account)));
                }
            }
        }
    }
    ExitCode::from(failure.exit_code())
}

/// An account in a line.
pub(super) fn line(account: &Account) -> String {
    let name = if account.username.is_empty() { "(no username)" } else { &account.username };
    format!("{name}, home tenant {}", account.home_tenant_id.as_deref().unwrap_or("unknown"))
}

pub(super) fn accounts(accounts: &[Account]) -> Value {
    accounts
        .iter()
        .map(|account| json!({ "username": account.username, "home_tenant_id": account.home_tenant_id }))
        .collect()
}

fn source(failure: &SourceFailure) -> Value {
    json!({
        "source": failure.source,
        "account": failure.account,
        "kind": failure.kind,
        "reason": failure.reason,
        "message": failure.message,
    })
}

fn oauth(error: &OAuthError) -> Value {
    json!({
        "error": error.code,
        "suberror": error.suberror,
        "error_description": error.description,
        "error_codes": error.error_codes,
        "claims": error.claims,
        "correlation_id": error.correlation_id,
    })
}
