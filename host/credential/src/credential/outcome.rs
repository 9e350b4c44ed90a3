//! What comes of a call, and what the audit says of it.

use std::sync::Arc;
use std::time::Duration;

use shared_token_cache_vault::Origin;

use super::Call;
use crate::audit::{Asked, AuditLine};
use crate::error::Error;
use crate::sandbox::Issued;
use shared_token_cache_policy::Source;

/// What comes of a call.
pub(super) type Answer = Result<Found, Nothing>;

/// A token, and the source that had it.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) issued: Arc<Issued>,
    pub(super) source: Source,
}

/// No token.
#[derive(Clone)]
pub(super) struct Nothing {
    pub(super) error: Error,
    /// The kind of what the component was denied last.
    pub(super) denied: Option<&'static str>,
    /// The source that put an end to it; none where each passed on to the next.
    pub(super) source: Option<Source>,
}

/// The line about a caller's call.
pub(super) fn line(call: &Call, answer: &Answer, duration: Duration) -> AuditLine {
    let (tenant, source) = match answer {
        Ok(Found { issued, source }) => (Some(issued.tenant.as_str()), Some(source.to_string())),
        Err(Nothing { source, .. }) => (call.request.tenant_id.as_deref(), source.as_ref().map(ToString::to_string)),
    };
    let asked = Asked { operation: "get-token", scopes: &call.scopes, tenant, source, duration: Some(duration) };
    match answer {
        Ok(Found { issued, .. }) => {
            let outcome = match issued.origin {
                Origin::Cached => "cached",
                Origin::Refreshed => "refreshed",
            };
            AuditLine::new(asked, outcome, None).of(&issued.account)
        }
        Err(Nothing { error, denied, .. }) => {
            // Only the policy knows a hint; where a source passed on to the next, that is all there is to know.
            let denied = match error {
                Error::Denied(denial) => denied.or(denial.hint.is_some().then_some("policy")),
                _ => None,
            };
            AuditLine::new(asked, error.kind(), error.reason().or(denied))
        }
    }
}
