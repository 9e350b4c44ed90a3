//! Real azure-identity, in a Python process that answers one call per line.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::situation::{Given, Outcome, Ran, Request};

/// The prefixes of the reference's messages, and the reason of each.
const MESSAGES: [(&str, &str); 13] = [
    ("SharedTokenCacheCredential authentication unavailable. No accounts were found", "no-accounts"),
    ("SharedTokenCacheCredential authentication unavailable. No account\nmatching", "no-matching-account"),
    ("SharedTokenCacheCredential authentication unavailable. Multiple accounts\nwere found", "multiple-accounts"),
    (
        "SharedTokenCacheCredential authentication unavailable. Multiple accounts\nmatching",
        "multiple-matching-accounts",
    ),
    ("The cache contains no account matching the given AuthenticationRecord", "no-matching-account"),
    ("Token acquisition failed for user", "no-token"),
    ("Token acquisition failed: ", "oauth-error"),
    ("The current credential is not configured to acquire tokens for tenant", "tenant-not-allowed"),
    ("Microsoft Entra ID error '", "oauth-error"),
    ("No response content from Microsoft Entra ID", "unexpected-response"),
    ("Unexpected response from Microsoft Entra ID", "unexpected-response"),
    ("the connection broke", "unreachable"),
    ("Authentication failed: the connection broke", "unreachable"),
];

/// The process.
pub(crate) struct Reference {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    folder: TempDir,
}

impl Reference {
    /// Starts the process with a Python that has azure-identity.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn start(python: &Path) -> io::Result<Self> {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("interop/reference.py");
        let folder = tempfile::tempdir()?;
        let mut process = Command::new(python)
            .arg(script)
            .env("HOME", folder.path())
            .env_remove("AZURE_AUTHORITY_HOST")
            // MSAL iterates over a cloud's aliases in a set's order, which this variable fixes.
            .env("PYTHONHASHSEED", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let gone = || io::Error::other("the process has no standard streams");
        let input = process.stdin.take().ok_or_else(gone)?;
        let output = BufReader::new(process.stdout.take().ok_or_else(gone)?);
        Ok(Self { process, input, output, folder })
    }

    /// Requests a token from the reference.
    ///
    /// # Errors
    /// When the process has ended, or its output can't be parsed.
    pub(crate) fn run(&mut self, given: &Given) -> io::Result<Ran> {
        let mut line = serde_json::to_value(given)?;
        if let Some(object) = line.as_object_mut() {
            object.insert("path".into(), json!(self.folder.path().join("cache")));
        }
        writeln!(self.input, "{line}")?;
        self.input.flush()?;
        let mut answer = String::new();
        if self.output.read_line(&mut answer)? == 0 {
            return Err(io::Error::other(format!("the reference stopped at {line}")));
        }
        let answer: Value = serde_json::from_str(&answer)?;
        let requests: Vec<Request> = serde_json::from_value(answer.get("requests").cloned().unwrap_or_default())?;
        let document = answer.get("document").and_then(Value::as_str).map(str::to_owned);
        Ok(Ran { outcome: outcome(answer.get("outcome").unwrap_or(&Value::Null)), requests, document })
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn outcome(answer: &Value) -> Outcome {
    let text = |field: &str| answer.get(field).and_then(Value::as_str).map(str::to_owned);
    if answer.get("error").is_none() {
        return Outcome::Token {
            token: text("token").unwrap_or_default(),
            expires_on: answer.get("expires_on").and_then(Value::as_u64).unwrap_or_default(),
            refresh_on: answer.get("refresh_on").and_then(Value::as_u64),
            token_type: text("token_type"),
        };
    }
    let class = text("error").unwrap_or_default();
    let message = text("message").unwrap_or_default();
    let known = MESSAGES.iter().find(|(beginning, _)| message.starts_with(beginning));
    let name = known.map_or_else(|| format!("raised {class}"), |(_, name)| (*name).to_owned());
    Outcome::Error { name, message, oauth: None, candidates: Vec::new() }
}
