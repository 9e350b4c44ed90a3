//! What the command prints, and its exit codes.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::{Value, json};
use shared_token_cache::{Account, Error, OAuthError, SourceFailure, escaped, escaped_toml, write_json};

use super::arguments::ErrorForm;
use super::complain;

/// Why the command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The credential says so.
    Credential(Error),
    /// The program that reads stdout has closed it. There is nothing to report.
    ClosedOutput,
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
            Self::Credential(_) | Self::ClosedOutput | Self::Other(_) => 1,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Credential(error @ Error::Plugin(source)) => format!("{error}: {source}"),
            Self::Credential(error) => error.to_string(),
            Self::ClosedOutput => "stdout is closed".into(),
            Self::Other(error) => format!("{error:#}"),
        }
    }

    /// What helps against an error of the authority.
    fn class(&self) -> Option<&'static str> {
        match self {
            Self::Credential(Error::ClientAuthentication(failure)) => failure.oauth.as_ref()?.class(),
            Self::Credential(_) | Self::ClosedOutput | Self::Other(_) => None,
        }
    }

    /// Whole seconds, rounded up.
    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Credential(error) => error.retry_after().map(|pause| pause.as_secs_f64().ceil() as u64),
            Self::ClosedOutput | Self::Other(_) => None,
        }
    }

    fn to_json(&self) -> Value {
        let (kind, reason) = match self {
            Self::Credential(error) => (error.kind(), error.reason()),
            Self::ClosedOutput | Self::Other(_) => ("other", None),
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
            Self::Credential(Error::Unreachable(unreachable)) => remedy = unreachable.remedy.as_deref(),
            Self::Credential(_) | Self::ClosedOutput | Self::Other(_) => {}
        }
        let mut error = json!({ "kind": kind, "reason": reason, "message": self.message(), "oauth": details });
        if let (Some(error), Some(candidates)) = (error.as_object_mut(), candidates) {
            error.insert("candidates".into(), candidates);
        }
        if let (Some(error), Some(remedy)) = (error.as_object_mut(), remedy) {
            error.insert("remedy".into(), remedy.into());
        }
        if let (Some(error), Some(class)) = (error.as_object_mut(), self.class()) {
            error.insert("class".into(), class.into());
        }
        if let (Some(error), Some(pause)) = (error.as_object_mut(), self.retry_after()) {
            error.insert("retry_after_seconds".into(), pause.into());
        }
        let sources = match self {
            Self::Credential(Error::ClientAuthentication(failure)) => &failure.sources[..],
            Self::Credential(Error::CredentialUnavailable(unavailable)) => &unavailable.sources,
            Self::Credential(_) | Self::ClosedOutput | Self::Other(_) => &[],
        };
        if let Some(error) = error.as_object_mut().filter(|_| !sources.is_empty()) {
            error.insert("sources".into(), sources.iter().map(source).collect());
        }
        json!({ "error": error })
    }
}

/// Writes a line to stdout. Line breaks and other hidden characters in it are escaped.
pub(super) fn print(line: &str) -> Result<(), Failure> {
    write(format!("{}\n", escaped(line)).as_bytes())
}

/// Writes `value` to stdout as a line of JSON.
pub(super) fn print_json(value: &Value) -> Result<(), Failure> {
    let mut line = Vec::new();
    write_json(&mut line, value).map_err(Failure::other)?;
    line.push(b'\n');
    write(&line)
}

/// Writes a document of TOML or JSON that this program made to stdout.
pub(super) fn print_document(document: &str) -> Result<(), Failure> {
    write(format!("{}\n", escaped_toml(document.trim_end())).as_bytes())
}

/// Writes a line that ends here to stdout. Whole lines are not buffered, so no copy of it stays in this process.
pub(super) fn print_secret(line: &[u8]) -> Result<(), Failure> {
    write(line)
}

fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ClosedOutput,
        _ => Failure::other(error),
    })
}

/// The message of clap about the command line, which quotes it. Its own line breaks and colours stay.
pub(super) fn usage(error: &clap::Error) {
    let text = error.render().to_string();
    if text.lines().all(|line| escaped(line) == line) {
        drop(error.print());
        return;
    }
    let shown: String = text.lines().map(|line| format!("{}\n", escaped(line))).collect();
    drop(write!(io::stderr(), "{shown}"));
}

/// Writes the error to stderr and gives the exit code for it.
pub(super) fn report(failure: &Failure, form: ErrorForm) -> ExitCode {
    match form {
        _ if matches!(failure, Failure::ClosedOutput) => {}
        ErrorForm::Json => {
            let mut line = Vec::new();
            // A value is always JSON, and there is nowhere to report that stderr is closed.
            if write_json(&mut line, &failure.to_json()).is_ok() {
                line.push(b'\n');
                drop(io::stderr().write_all(&line));
            }
        }
        ErrorForm::Text => {
            complain(&clean(&failure.message()));
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
    format!("{}, home tenant {}", clean(name), clean(account.home_tenant_id.as_deref().unwrap_or("unknown")))
}

/// Text of others, such as a username from a cache, on one line: what could steer a terminal is escaped.
pub(super) fn clean(text: &str) -> String {
    let harmless = |character: char| character == ' ' || "\"'\\".contains(character);
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if harmless(character) { line.push(character) } else { line.extend(character.escape_debug()) }
    }
    line
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
