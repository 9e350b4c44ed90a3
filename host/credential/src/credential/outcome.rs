//! The outcome of a call, and its audit line.

use std::sync::Arc;
use std::time::Duration;

use shared_token_cache_vault::Origin;

use super::Call;
use crate::audit::{Asked, AuditLine};
use crate::error::Error;
use crate::sandbox::Issued;
use shared_token_cache_policy::Source;

/// The outcome of a call.
pub(super) type Answer = Result<TokenFound, NoToken>;

/// A token, and its source.
#[derive(Clone)]
pub(super) struct TokenFound {
    pub(super) issued: Arc<Issued>,
    pub(super) source: Source,
}

/// No token.
#[derive(Clone)]
pub(super) struct NoToken {
    pub(super) error: Error,
    /// The kind of the last denial to the component.
    pub(super) denied: Option<&'static str>,
    /// The source whose error ended the call; `None` if each source passed it on.
    pub(super) source: Option<Source>,
}

/// The audit line of a caller's call. `agent_session`: the credential marks its tokens.
pub(super) fn line(call: &Call, answer: &Answer, duration: Duration, agent_session: bool) -> AuditLine {
    let (tenant, source) = match answer {
        Ok(TokenFound { issued, source }) => (Some(issued.tenant.as_str()), Some(source.to_string())),
        Err(NoToken { source, .. }) => (call.request.tenant_id.as_deref(), source.as_ref().map(ToString::to_string)),
    };
    let asked = Asked { operation: "get-token", scopes: &call.scopes, tenant, source, duration: Some(duration) };
    match answer {
        Ok(TokenFound { issued, .. }) => {
            let outcome = match issued.origin {
                Origin::Cached => "cached",
                Origin::Refreshed => "refreshed",
            };
            AuditLine::new(asked, outcome, None).of(&issued.account, agent_session)
        }
        Err(NoToken { error, denied, .. }) => {
            // Only denials of the policy have a hint. Where a source passed the call on, no other
            // fact is known.
            let denied = match error {
                Error::Denied(denial) => denied.or(denial.hint.is_some().then_some("policy")),
                _ => None,
            };
            AuditLine::new(asked, error.kind(), error.reason().or(denied))
        }
    }
}
