use std::sync::Arc;

use shared_token_cache_storage::Places;
use shared_token_cache_vault::{Session, Vault};

use super::limiter::Limiter;
use crate::audit::{Audit, Denials};
use crate::clock::Clock;
use crate::credential::HostSettings;
use crate::error::{Error, LimitExceeded};
use crate::imports::{Seen, Turn};
use crate::policy::{Denied, Policy, Source};
use crate::transport::Transport;

/// What the imports of all instances of a credential share.
pub(crate) struct Context {
    pub(crate) policy: Arc<Policy>,
    pub(crate) source: Source,
    pub(crate) places: Places,
    pub(crate) transport: Arc<Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: HostSettings,
    /// Whatever leaves for the component or comes from it passes through here.
    pub(crate) vault: Vault,
    pub(crate) audit: Audit,
    /// Of the source's cache.
    pub(crate) seen: Seen,
}

/// What belongs to one instance.
pub(crate) struct State {
    pub(crate) context: Arc<Context>,
    /// How many lines the component has logged in this call.
    pub(crate) logged: usize,
    /// What the policy denied the component in this call, last of all.
    pub(crate) denied: Option<Denied>,
    /// How often the component has crossed the border in this call.
    pub(crate) crossings: usize,
    /// A turn at writing that a conflict left unused: it is for the repetition, until the call ends.
    pub(crate) turn: Option<Turn>,
    /// The secrets behind the handles that the component was given.
    pub(crate) session: Session,
    /// A limit that an import refused something for, in this call.
    pub(crate) refused: Option<LimitExceeded>,
    /// What it was denied in this call.
    pub(crate) denials: Denials,
    pub(super) limiter: Limiter,
}

impl State {
    pub(super) fn new(context: Arc<Context>) -> Self {
        let limiter = Limiter::new(context.policy.limits().clone());
        let session = context.vault.session();
        let denials = Denials::default();
        Self { context, logged: 0, crossings: 0, denied: None, refused: None, turn: None, session, denials, limiter }
    }

    /// Something was denied to the component.
    pub(crate) fn denied(&mut self, operation: &'static str) {
        self.denials.record(&self.context.audit, &self.context.source, operation);
    }

    /// An error that the component reports, as the caller may have it: the limit for want of which it failed, a denial by the policy
    /// in the policy's words, and no account that the policy hides.
    pub(super) fn told(&mut self, error: Error) -> Error {
        if let Some(limit) = self.refused.take() {
            return Error::Limit(limit);
        }
        match (error, self.denied.take()) {
            (Error::Denied(_), Some(denied)) => denied.into(),
            (Error::CredentialUnavailable(mut unavailable), _) => {
                let known = self.session.accounts();
                unavailable.candidates.retain(|account| known.contains(&account.as_known()));
                Error::CredentialUnavailable(unavailable)
            }
            (error, _) => error,
        }
    }
}
