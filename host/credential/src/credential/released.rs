//! Reuses tokens that the component released, for equal calls at the same version of the document.
//!
//! At the same version of the document the component returns the same token, until a time that its
//! choice depends on. Reuse saves the call into the component, not the check: the vault has checked
//! each token against its call and the policy, which do not change. Facts that can change are
//! checked for every call: the document's version, the clock, and whether the credential was
//! closed.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use shared_token_cache_storage::Store;
use shared_token_cache_vault::Origin;

use super::Call;
use crate::options::TokenRequestOptions;
use crate::sandbox::Issued;

/// A token is reused only with more seconds left: with fewer the component releases no cached
/// token.
const LEAST_REMAINING: u64 = 300;

/// Tokens are reused for this many seconds. The component's choice depends on the clock in more
/// ways than by the token's expiry and renewal time: accounts of a broker count only while they
/// have tokens, and so do tenants.
const LONGEST: u64 = 60;

/// The most tokens that are kept of one version of a document. Further calls go to the component.
const MOST: usize = 1024;

/// The tokens of one source of a credential.
#[derive(Default)]
pub(super) struct Released(RwLock<State>);

#[derive(Default)]
struct State {
    /// The number of times the credential was closed. The token of a call that began before is not
    /// kept.
    closed: u64,
    at: Option<Version>,
}

/// A version of the document for calls without Continuous Access Evaluation.
struct Version {
    version: Arc<str>,
    /// `None` if the document's place may differ at each look.
    store: Option<Arc<dyn Store>>,
    tokens: HashMap<Call, Token>,
}

struct Token {
    issued: Arc<Issued>,
    /// The time at which its call began.
    asked: u64,
}

impl Released {
    /// The number of times the credential was closed.
    pub(super) fn closed(&self) -> u64 {
        self.read().closed
    }

    /// The token of an equal call and the document's version, if the component would release the
    /// token again.
    pub(super) fn get(
        &self,
        call: &Call,
        now: u64,
        open: impl FnOnce() -> Option<Arc<dyn Store>>,
    ) -> Option<(Arc<Issued>, Arc<str>)> {
        let (issued, version, store) = {
            let state = self.read();
            let at = state.at.as_ref()?;
            let token = at.tokens.get(call).filter(|token| token.serves(&call.request, now))?;
            (Arc::clone(&token.issued), Arc::clone(&at.version), at.store.clone())
        };
        // Without the lock, because a look at a file may hang.
        if store.or_else(open).is_some_and(|store| store.is_at(&version)) {
            return Some((issued, version));
        }
        let mut state = self.write();
        if state.at.as_ref().is_some_and(|at| at.version == version) {
            state.at = None;
        }
        None
    }

    /// Keeps a token that the component released for a call that began at `asked`, when the
    /// credential had been closed `closed` times.
    pub(super) fn put(
        &self,
        call: &Call,
        issued: &Arc<Issued>,
        (asked, closed): (u64, u64),
        store: impl FnOnce() -> Option<Arc<dyn Store>>,
    ) {
        let Some(version) = issued.version.as_deref() else { return };
        // A refreshed token is cached from the next call on.
        if issued.origin != Origin::Cached || !may_be_kept(&call.request) {
            return;
        }
        let token = Token { issued: Arc::clone(issued), asked };
        // The store is opened before the lock is taken, because a look at a file may hang.
        let is_new = self.read().at.as_ref().is_none_or(|at| *at.version != *version);
        let store = if is_new { store() } else { None };
        let mut state = self.write();
        if state.closed != closed {
            return;
        }
        match &mut state.at {
            Some(at) if *at.version == *version => {
                if at.tokens.len() >= MOST {
                    at.tokens.retain(|call, token| token.serves(&call.request, asked));
                }
                if at.tokens.len() < MOST || at.tokens.contains_key(call) {
                    at.tokens.insert(call.clone(), token);
                }
            }
            at => {
                let tokens = HashMap::from([(call.clone(), token)]);
                *at = Some(Version { version: version.into(), store, tokens });
            }
        }
    }

    /// Drops the tokens of other versions than that of the last answer; all, if a call had no token.
    pub(super) fn keep_only(&self, version: Option<&str>) {
        if self.read().at.as_ref().is_some_and(|at| Some(&*at.version) != version) {
            self.write().at = None;
        }
    }

    /// Drops all tokens, and those of calls in progress when they arrive.
    pub(super) fn close(&self) {
        let mut state = self.write();
        state.closed += 1;
        state.at = None;
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    /// Whether the component would release the token for this request at this time.
    fn serves(&self, request: &TokenRequestOptions, now: u64) -> bool {
        let token = &self.issued.token;
        may_be_kept(request)
            // A clock that was set back invalidates all times.
            && (self.asked..self.asked.saturating_add(LONGEST)).contains(&now)
            && token.expires_on.saturating_sub(now) > LEAST_REMAINING
            && request.min_validity.is_none_or(|least| Duration::from_secs(token.expires_on.saturating_sub(now)) >= least)
            && token.refresh_on.is_none_or(|refresh_on| now < refresh_on)
    }
}

/// A challenge rules out cached tokens. Tokens under Continuous Access Evaluation are always left
/// to the component.
fn may_be_kept(request: &TokenRequestOptions) -> bool {
    let TokenRequestOptions { claims, tenant_id: _, enable_cae, min_validity: _ } = request;
    claims.is_none() && !enable_cae
}

#[cfg(test)]
mod tests;
