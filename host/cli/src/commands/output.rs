//! Output and exit codes of the command.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::{Value, json};
use shared_token_cache::{Account, Error, OAuthError, SourceFailure, escaped, escaped_toml, write_json};

use super::arguments::ErrorForm;
use super::terminal::{self, HINT, Line};
use super::{complain, complain_in};

/// The reason why the command failed, with a hint.
#[derive(Debug)]
pub(super) struct Failure {
    cause: Cause,
    /// A hint, if the command line has to change.
    hint: Option<String>,
}

#[derive(Debug)]
enum Cause {
    /// An error of the credential.
    Credential(Error),
    /// The reader of stdout has closed it. Nothing is reported.
    ClosedOutput,
    /// Anything else.
    Other(anyhow::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Cause::Credential(error).into()
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self { cause, hint: None }
    }
}

impl Failure {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Error::InvalidArgument(message.into()).into()
    }

    /// An invalid argument, with the change that helps.
    pub(super) fn invalid_with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::invalid(message).with_hint(Some(hint.into()))
    }

    pub(super) fn other(error: impl Into<anyhow::Error>) -> Self {
        Cause::Other(error.into()).into()
    }

    /// Adds a hint, unless the error has one of its own.
    pub(super) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    pub(super) fn hint(&self) -> Option<&str> {
        self.cause.hint().or(self.hint.as_deref())
    }

    pub(super) fn message(&self) -> String {
        self.cause.message()
    }

    /// Whether no sign-in serves, so that another source may.
    pub(super) fn is_unavailable(&self) -> bool {
        matches!(self.cause, Cause::Credential(Error::CredentialUnavailable(_)))
    }

    /// Whether the reader of stdout is gone, so that nothing is reported.
    pub(super) fn is_closed_output(&self) -> bool {
        matches!(self.cause, Cause::ClosedOutput)
    }
}

impl Cause {
    fn hint(&self) -> Option<&str> {
        match self {
            Self::Credential(error) => error.hint(),
            Self::ClosedOutput | Self::Other(_) => None,
        }
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

    pub(super) fn message(&self) -> String {
        match self {
            Self::Credential(error @ Error::Component(source)) => format!("{error}: {source}"),
            // The hint is printed separately.
            Self::Credential(Error::Denied(denial)) => denial.message.clone(),
            Self::Credential(Error::Unreachable(unreachable)) => unreachable.message.clone(),
            Self::Credential(error) => error.to_string(),
            Self::ClosedOutput => "stdout is closed".into(),
            Self::Other(error) => format!("{error:#}"),
        }
    }

    /// The remedy for an error of the authority.
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

    fn to_json(&self, hint: Option<&str>) -> Value {
        let (kind, reason) = match self {
            Self::Credential(error) => (error.kind(), error.reason()),
            Self::ClosedOutput | Self::Other(_) => ("other", None),
        };
        let (mut details, mut candidates) = (Value::Null, None);
        match self {
            Self::Credential(Error::ClientAuthentication(failure)) => {
                details = failure.oauth.as_deref().map(oauth).unwrap_or_default();
            }
            Self::Credential(Error::CredentialUnavailable(unavailable)) if !unavailable.candidates.is_empty() => {
                candidates = Some(accounts(&unavailable.candidates));
            }
            Self::Credential(_) | Self::ClosedOutput | Self::Other(_) => {}
        }
        let mut error = json!({ "kind": kind, "reason": reason, "message": self.message(), "oauth": details });
        if let (Some(error), Some(candidates)) = (error.as_object_mut(), candidates) {
            error.insert("candidates".into(), candidates);
        }
        if let (Some(error), Some(hint)) = (error.as_object_mut(), hint) {
            error.insert("hint".into(), hint.into());
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

/// Writes a line in parts to stdout.
pub(super) fn print_line(line: &Line) -> Result<(), Failure> {
    terminal::end_progress();
    written(writeln!(anstream::stdout(), "{}", line.as_str()))
}

/// Writes `value` to stdout as a line of JSON.
pub(super) fn print_json(value: &Value) -> Result<(), Failure> {
    let mut line = Vec::new();
    write_json(&mut line, value).map_err(Failure::other)?;
    line.push(b'\n');
    write(&line)
}

/// Writes a document of TOML or JSON, made by this program, to stdout.
pub(super) fn print_document(document: &str) -> Result<(), Failure> {
    write(format!("{}\n", escaped_toml(document.trim_end())).as_bytes())
}

/// Writes a complete line to stdout without a buffer, so no copy of it stays in this process.
pub(super) fn print_secret(line: &[u8]) -> Result<(), Failure> {
    write(line)
}

fn write(bytes: &[u8]) -> Result<(), Failure> {
    terminal::end_progress();
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Cause::ClosedOutput.into(),
        _ => Failure::other(error),
    })
}

/// Writes clap's message about the command line, which quotes it. The message's own line breaks and
/// colours stay.
pub(super) fn usage(error: &clap::Error) {
    let text = error.render().to_string();
    if text.lines().all(|line| escaped(line) == line) {
        drop(error.print());
        return;
    }
    let shown: String = text.lines().map(|line| format!("{}\n", escaped(line))).collect();
    drop(write!(io::stderr(), "{shown}"));
}

/// Writes the error to stderr and returns its exit code.
pub(super) fn report(failure: &Failure, form: ErrorForm) -> ExitCode {
    match form {
        _ if matches!(failure.cause, Cause::ClosedOutput) => {}
        ErrorForm::Json => {
            let mut line = Vec::new();
            // Serializing a value cannot fail, and a closed stderr cannot be reported.
            if write_json(&mut line, &failure.cause.to_json(failure.hint())).is_ok() {
                line.push(b'\n');
                terminal::end_progress();
                drop(io::stderr().write_all(&line));
            }
        }
        ErrorForm::Text => {
            complain(&clean(&failure.cause.message()));
            if let Cause::Credential(Error::CredentialUnavailable(unavailable)) = &failure.cause {
                for account in &unavailable.candidates {
                    complain(&format!("  {}", line(account)));
                }
            }
            if let Some(hint) = failure.hint() {
                complain_in(&Line::default().styled(HINT, "hint:").text(&format!(" {}", clean(hint))));
            }
        }
    }
    ExitCode::from(failure.cause.exit_code())
}

/// An account's username.
pub(super) fn name(account: &Account) -> String {
    if account.username.is_empty() { "(no username)".to_owned() } else { clean(&account.username) }
}

/// An account on one line.
pub(super) fn line(account: &Account) -> String {
    format!("{}, home tenant {}", name(account), clean(account.home_tenant_id.as_deref().unwrap_or("unknown")))
}

/// Foreign text, such as a username from a cache, on one line: characters that could steer a
/// terminal are escaped.
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
