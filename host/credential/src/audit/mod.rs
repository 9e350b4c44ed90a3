//! Who got which token, and what was denied: one line each, for those who have to answer for it later.
//!
//! A line is a `tracing` event of the target [`AUDIT`], and goes to the [`AuditSink`] of a credential that has one. It holds no
//! secret and no name: an account is told by a [fingerprint](AuditLine::account).

mod account;
mod denials;
mod file;
mod line;
mod time;

use std::io;
use std::sync::Arc;

pub(crate) use account::fingerprint;
pub(crate) use denials::Denials;
pub use file::AuditFile;
pub(crate) use line::Asked;
pub use line::AuditLine;
pub use time::rfc3339;

/// The target of the events that tell what was handed out and what was denied.
pub const AUDIT: &str = "shared_token_cache::audit";

/// Takes the lines of the audit of a credential. See [`crate::Builder::audit`].
pub trait AuditSink: Send + Sync {
    /// Takes a line. It is called before the caller has the token that the line is about, so it should be quick.
    ///
    /// # Errors
    /// What went wrong. It is logged as a warning, and costs nobody a token.
    fn write(&self, line: &AuditLine) -> io::Result<()>;
}

/// Where the lines of a credential go.
#[derive(Clone, Default)]
pub(crate) struct Audit {
    sink: Option<Arc<dyn AuditSink>>,
}

impl Audit {
    pub(crate) fn to(sink: impl AuditSink + 'static) -> Self {
        Self { sink: Some(Arc::new(sink)) }
    }

    /// Whether a line reaches anything. A program that builds `tracing` with its feature `log` may have a logger and no subscriber.
    pub(crate) fn is_heard(&self) -> bool {
        self.sink.is_some()
            || tracing::enabled!(target: AUDIT, tracing::Level::INFO)
            || log::log_enabled!(target: AUDIT, log::Level::Info)
    }

    pub(crate) fn write(&self, line: &AuditLine) {
        line.emit();
        if let Some(Err(error)) = self.sink.as_ref().map(|sink| sink.write(line)) {
            tracing::warn!("a line of the audit is lost: {error}");
        }
    }
}
