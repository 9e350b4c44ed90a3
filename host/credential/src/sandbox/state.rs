use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use shared_token_cache_storage::Places;
use shared_token_cache_vault::{Session, Vault};

use super::cache_watch::Seen;
use super::convert;
use super::limiter::Limiter;
use super::own_writes::Written;
use super::read_turns::ReadTurn;
use super::sight::Sight;
use super::wit::credential as wit;
use super::write_queue::Turn;
use crate::audit::{Audit, Denials};
use crate::clock::Clock;
use crate::error::{AuthenticationFailureReason, Error, Unavailable, UnavailableReason as Reason};
use crate::escape::{bounded, escaped};
use crate::options::HostSettings;
use crate::transport::Transport;
use shared_token_cache_policy::{Policy, Source};

/// The state that the imports of all instances of a credential share.
pub(crate) struct Context {
    pub(crate) policy: Arc<Policy>,
    pub(crate) source: Source,
    pub(crate) places: Places,
    pub(crate) transport: Arc<Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: HostSettings,
    /// Every document and reply passes through it, in both directions.
    pub(crate) vault: Vault,
    pub(crate) audit: Audit,
    /// The last known state of the source's cache.
    pub(crate) seen: Seen,
}

impl Context {
    /// The same, with a last known state of its own.
    pub(crate) fn apart(&self) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            source: self.source.clone(),
            places: self.places.clone(),
            transport: Arc::clone(&self.transport),
            clock: Arc::clone(&self.clock),
            settings: self.settings.clone(),
            vault: self.vault.clone(),
            audit: self.audit.clone(),
            seen: Seen::default(),
        }
    }
}

/// The state of one instance.
pub(crate) struct State {
    pub(crate) context: Arc<Context>,
    /// The secrets behind the handles that the component was given.
    pub(crate) session: Session,
    /// The state of the call in progress.
    pub(crate) call: CallState,
    pub(super) limiter: Limiter,
    /// The places of documents, by their names in the contract.
    pub(crate) places: BTreeMap<String, String>,
}

/// A component reads two documents; a source of one file accepts any name for it.
const MOST_PLACES: usize = 4;

/// The state of one call. It is replaced as a whole when a call begins and when it ends, so that no
/// data of a caller reaches the next.
#[derive(Default)]
pub(crate) struct CallState {
    /// The number of lines that the component has logged.
    pub(crate) log_lines: usize,
    /// The number of import calls.
    pub(crate) crossings: usize,
    /// A turn to write that is kept after a conflict, for the retry.
    pub(crate) turn: Option<Turn>,
    /// A turn to read, kept until the component has parsed the document: until its next import
    /// call, or the end of the call.
    pub(crate) reading: Option<ReadTurn>,
    /// The component's writes.
    pub(crate) written: Vec<Written>,
    /// The outcome of the last `read`.
    pub(crate) sight: Option<Sight>,
    /// The error of the last `read`, if it was denied or exceeded a limit.
    pub(crate) read: Option<Error>,
    /// The error of the last `post-form`, if it was denied or exceeded a limit.
    pub(crate) request: Option<Error>,
    /// The pause that the last reply asks for.
    pub(crate) retry_after: Option<Duration>,
    /// The denials to the component, for the audit.
    pub(crate) denials: Denials,
}

impl State {
    pub(super) fn new(context: Arc<Context>) -> Self {
        let limiter = Limiter::new(context.policy.limits().clone());
        let session = context.vault.session();
        Self { context, session, call: CallState::default(), limiter, places: BTreeMap::new() }
    }

    /// Records the place where a document was read, or looked for.
    pub(crate) fn note_place(&mut self, name: &str, place: &str) {
        if self.places.len() < MOST_PLACES || self.places.contains_key(name) {
            self.places.insert(name.to_owned(), place.to_owned());
        }
    }

    /// Writes a denial to the component to the audit.
    pub(crate) fn denied(&mut self, operation: &'static str) {
        self.call.denials.record(&self.context.audit, &self.context.source, operation);
    }

    /// The caller's error for an error that the component reports. If the host denied the read or
    /// the request behind the error, or stopped it at a limit, the host's typed error replaces it.
    /// Accounts that the policy hides are removed.
    pub(super) fn caller_error(&mut self, error: wit::Error) -> Error {
        let CallState { read, request, .. } = &mut self.call;
        match (convert::error(error, &self.session.accounts()), read.take(), request.take()) {
            // The component may report a failed request as any kind of error, or report a later
            // failure.
            (_, _, Some(limit @ Error::Limit(_))) => limit,
            (Error::Unreachable(_), _, Some(cause @ Error::Unreachable(_))) => cause,
            (Error::CredentialUnavailable(unavailable), Some(cause), _)
                if unavailable.reason == Reason::CacheUnavailable =>
            {
                cause
            }
            (Error::Denied(_), _, Some(cause)) | (Error::Denied(_), Some(cause), None) => cause,
            (Error::CredentialUnavailable(unavailable), ..) => {
                let unavailable = match self.call.sight.take() {
                    Some(sight) => sight.located(unavailable),
                    None => unavailable,
                };
                let allowed = self.session.accounts().len();
                let hidden: Vec<&str> = self.session.hidden_usernames().collect();
                Error::CredentialUnavailable(without_the_hidden(unavailable, allowed, &hidden))
            }
            (Error::Unreachable(mut unreachable), ..) => {
                if let Some(pause) = self.call.retry_after.take() {
                    unreachable.message.push_str(&format!("; it asks for a pause of {} s", pause.as_secs()));
                    unreachable.retry_after = Some(pause);
                }
                Error::Unreachable(unreachable)
            }
            (Error::ClientAuthentication(mut failure), ..)
                if failure.reason == AuthenticationFailureReason::UnexpectedResponse =>
            {
                if let Some(scope) = self.session.withheld() {
                    let scope = bounded(scope, LONGEST_SCOPE);
                    failure.message = format!(
                        "the authority returned a token for {scope}, a resource that the call did not ask for and \
                         the policy does not allow; the token was discarded"
                    );
                }
                Error::ClientAuthentication(failure)
            }
            (error, ..) => error,
        }
    }
}

/// The most bytes of a scope in a message.
const LONGEST_SCOPE: usize = 200;

impl CallState {
    pub(super) fn new(scopes: &[String]) -> Self {
        Self { denials: Denials::of(scopes), ..Self::default() }
    }
}

/// Whether a text in lower case names an account: plainly, or quoted, escaped and truncated as the
/// component does it.
fn names(said: &str, name: &str) -> bool {
    let start: String = name.chars().take(40).collect();
    let quoted = format!("{start:?}").to_lowercase();
    said.contains(&escaped(name).to_lowercase()) || said.contains(quoted.trim_end_matches('"'))
}

/// Replaces an error that would reveal accounts that the policy hides. `allowed` is the number of
/// visible accounts.
fn without_the_hidden(unavailable: Unavailable, allowed: usize, hidden: &[&str]) -> Unavailable {
    let said = unavailable.message.to_lowercase();
    let names_one = hidden.iter().any(|name| !name.is_empty() && names(&said, name));
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
                "the call selects no account, and the policy allows {allowed} of the cache: select one by username, \
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
    Unavailable { reason, message, candidates: unavailable.candidates, sources: unavailable.sources }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_neither_counts_nor_names_accounts_that_the_policy_hides() {
        let shown = |reason, message: &str, allowed, hidden: &[&str]| {
            let unavailable =
                Unavailable { reason, message: message.into(), candidates: Vec::new(), sources: Vec::new() };
            let shown = without_the_hidden(unavailable, allowed, hidden);
            (shown.reason, shown.message)
        };
        let counted = "the cache holds 7 accounts";
        for reason in
            [Reason::NoAccounts, Reason::NoMatchingAccount, Reason::MultipleAccounts, Reason::MultipleMatchingAccounts]
        {
            assert_eq!(shown(reason, counted, 1, &[]), (reason, counted.into()), "nothing is hidden");
            let (_, message) = shown(reason, counted, 1, &["user1@contoso.com"]);
            assert!(!message.contains('7') && message.contains('1'), "{message}");
            assert_eq!(shown(reason, counted, 0, &[""]).0, Reason::NoAccounts);
        }
        let named = "user1@contoso.com has no token";
        assert_eq!(shown(Reason::NoToken, named, 1, &["other@contoso.com"]), (Reason::NoToken, named.into()));
        let (reason, message) = shown(Reason::NoToken, named, 1, &["User1@contoso.com"]);
        assert!(reason == Reason::NoMatchingAccount && !message.contains("user1"), "{message}");
        let (_, message) = shown(Reason::CacheUnavailable, named, 1, &["user1@contoso.com"]);
        assert!(!message.contains("user1"), "{message}");
        let long = format!("\u{1b}a{}", "b".repeat(200));
        let quoted = format!("the sign-in of \"\\u{{1b}}a{}\"… has no token", "b".repeat(118));
        assert_eq!(shown(Reason::NoToken, &quoted, 1, &[&long]).0, Reason::NoMatchingAccount);
        assert_eq!(shown(Reason::CacheCorrupt, "line 1", 1, &["user1@contoso.com"]).1, "line 1");
    }
}
