//! The audit log: one line for each issued token and for each denial.
//!
//! A line is a `tracing` event of the target [`AUDIT`], and goes to the credential's [`AuditSink`],
//! if there is one. It contains no secret and no username; accounts appear as
//! [fingerprints](AuditLine::account).

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

/// The target of the audit's events.
pub const AUDIT: &str = "shared_token_cache::audit";

/// Receives the audit lines of a credential. See [`crate::Builder::audit`].
pub trait AuditSink: Send + Sync {
    /// Writes a line. It is called before the caller gets the token of the line, so it should be
    /// fast.
    ///
    /// # Errors
    /// When the line is lost. The error is logged as a warning; the caller gets the token
    /// nevertheless.
    fn write(&self, line: &AuditLine) -> io::Result<()>;
}

/// The sink of a credential's lines, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Audit {
    sink: Option<Arc<dyn AuditSink>>,
}

impl Audit {
    pub(crate) fn to(sink: impl AuditSink + 'static) -> Self {
        Self { sink: Some(Arc::new(sink)) }
    }

    /// Whether a line reaches a sink, a subscriber or a logger. A program that builds `tracing`
    /// with its feature `log` may have a logger and no subscriber.
    pub(crate) fn is_heard(&self) -> bool {
        self.sink.is_some()
            || tracing::enabled!(target: AUDIT, tracing::Level::INFO)
            || log::log_enabled!(target: AUDIT, log::Level::Info)
    }

    pub(crate) fn write(&self, line: &AuditLine) {
        line.emit();
        if let Some(Err(error)) = self.sink.as_ref().map(|sink| sink.write(line)) {
            tracing::warn!("cannot write a line of the audit: {error}");
        }
    }
}
