use std::sync::Arc;
use std::time::Duration;

use shared_token_cache_storage::Places;
use shared_token_cache_vault::{Session, Vault};

use super::limiter::Limiter;
use crate::audit::{Audit, Denials};
use crate::clock::Clock;
use crate::credential::HostSettings;
use crate::error::{Error, LimitExceeded, Unavailable, UnavailableReason as Reason};
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
    /// The pause that the last answer of this call asks for.
    pub(crate) retry_after: Option<Duration>,
    /// What it was denied in this call.
    pub(crate) denials: Denials,
    pub(super) limiter: Limiter,
}

impl State {
    pub(super) fn new(context: Arc<Context>) -> Self {
        let limiter = Limiter::new(context.policy.limits().clone());
        let session = context.vault.session();
        let denials = Denials::default();
        Self {
            context,
            logged: 0,
            crossings: 0,
            denied: None,
            refused: None,
            retry_after: None,
            turn: None,
            session,
            denials,
            limiter,
        }
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
                let hidden: Vec<&str> = self.session.hidden_usernames().collect();
                Error::CredentialUnavailable(without_the_hidden(unavailable, known.len(), &hidden))
            }
            (Error::Unreachable(mut unreachable), _) => {
                if let Some(pause) = self.retry_after.take() {
                    unreachable.message.push_str(&format!("; it asks for a pause of {} s", pause.as_secs()));
                    unreachable.retry_after = Some(pause);
                }
                Error::Unreachable(unreachable)
            }
            (error, _) => error,
        }
    }
}

/// The error in the host's words where the component's would tell of accounts that the policy hides. `allowed` is how many it does
/// not hide.
fn without_the_hidden(unavailable: Unavailable, allowed: usize, hidden: &[&str]) -> Unavailable {
    let said = unavailable.message.to_lowercase();
    let names_one = hidden.iter().any(|name| !name.is_empty() && said.contains(&name.to_lowercase()));
    let counts = match unavailable.reason {
        Reason::NoAccounts
        | Reason::NoMatchingAccount
        | Reason::MultipleAccounts
        | Reason::MultipleMatchingAccounts => !hidden.is_empty(),
        Reason::CacheUnavailable | Reason::CacheCorrupt | Reason::UnsupportedPlatform | Reason::NoToken => false,
    };
    if !counts && !names_one {
        return unavailable;
    }
    let (reason, message) = match unavailable.reason {
        _ if allowed == 0 => (
            Reason::NoAccounts,
            "the cache has no account that the policy allows; sign in with one, or list it under `accounts`".into(),
        ),
        reason @ (Reason::MultipleAccounts | Reason::MultipleMatchingAccounts) => (
            reason,
            format!(
                "the call does not say which account it is for; the policy allows {allowed} of the cache: give username, \
                 tenant or both"
            ),
        ),
        _ => (
            Reason::NoMatchingAccount,
            format!(
                "none of the accounts in the cache that the policy allows ({allowed}) is the one asked for; sign in with \
                 that account, or list it under `accounts`"
            ),
        ),
    };
    Unavailable { reason, message, candidates: unavailable.candidates }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_neither_counts_nor_names_accounts_that_the_policy_hides() {
        let told = |reason, message: &str, allowed, hidden: &[&str]| {
            let unavailable = Unavailable { reason, message: message.into(), candidates: Vec::new() };
            let told = without_the_hidden(unavailable, allowed, hidden);
            (told.reason, told.message)
        };
        let counted = "the cache holds 7 accounts";
        for reason in
            [Reason::NoAccounts, Reason::NoMatchingAccount, Reason::MultipleAccounts, Reason::MultipleMatchingAccounts]
        {
            assert_eq!(told(reason, counted, 1, &[]), (reason, counted.into()), "nothing is hidden");
            let (_, message) = told(reason, counted, 1, &["user1@contoso.com"]);
            assert!(!message.contains('7') && message.contains('1'), "{message}");
            assert_eq!(told(reason, counted, 0, &[""]).0, Reason::NoAccounts);
        }
        let named = "user1@contoso.com has no token";
        assert_eq!(told(Reason::NoToken, named, 1, &["other@contoso.com"]), (Reason::NoToken, named.into()));
        let (reason, message) = told(Reason::NoToken, named, 1, &["User1@contoso.com"]);
        assert!(reason == Reason::NoMatchingAccount && !message.contains("user1"), "{message}");
        let (_, message) = told(Reason::CacheUnavailable, named, 1, &["user1@contoso.com"]);
        assert!(!message.contains("user1"), "{message}");
        assert_eq!(told(Reason::CacheCorrupt, "line 1", 1, &["user1@contoso.com"]).1, "line 1");
    }
}
