//! Results: an access token is released to a call that it fits; nothing else is released.

use std::collections::HashSet;
use std::fmt;

use shared_token_cache_entra::Secret;
use shared_token_cache_entra::account::home_tenant;
use shared_token_cache_entra::schema::Section;
use shared_token_cache_entra::token::is_a_time;

use crate::accounts_index::Chosen;
use crate::call::{Call, asked_tenant, covers};
use crate::facts::Facts;
use crate::handle::{Handle, Kind};
use crate::index::Field;
use crate::json::decode_secret;
use crate::json_literal::is_a_token;
use crate::refused::Refused;
use crate::reply::Reply;
use crate::session::Session;

/// An access token for the caller, with the vault's own record of it. `Debug` prints neither the
/// token nor its account.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// The expiry, in seconds since the Unix epoch, from the vault's record. The component may
    /// report an earlier one only.
    pub expires_on: u64,
    /// The home account id of its account.
    pub home_account_id: String,
    /// Its tenant: the account's home tenant if the request used a common name.
    pub tenant: String,
    /// The origin of the token.
    pub origin: Origin,
}

/// The origin of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The token was cached before the call.
    Cached,
    /// The call redeemed a refresh token for it.
    Refreshed,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, expires_on, home_account_id: _, tenant, origin } = self;
        f.debug_struct("AccessToken")
            .field("token", token)
            .field("expires_on", expires_on)
            .field("tenant", tenant)
            .field("origin", origin)
            .finish_non_exhaustive()
    }
}

const KIND: Kind = Kind::AccessToken;

/// A broker's account counts only if its token has more than this many seconds left: the caller
/// needs time to use it.
const LEAST_REMAINING: u64 = 300;

impl Session {
    /// Opens the access token that the component returns for the present call.
    ///
    /// # Errors
    /// [`Refused`] unless it is the handle of an access token that fits the call.
    pub fn open_result(&self, token: &str, now: u64) -> Result<AccessToken, Refused> {
        let call = self.call.as_ref().ok_or(Refused::NoCall)?;
        let handle = Handle::parse(token).ok_or(Refused::PlainResult)?;
        if handle.kind != KIND {
            return Err(Refused::WrongKindOfResult(handle.kind));
        }
        // An access token may be in several entries. One that fits is enough.
        let mut refused = Refused::NotAnAccessToken;
        let mut note = |why| {
            if refused == Refused::NotAnAccessToken {
                refused = why;
            }
        };
        for reply in self.replies() {
            let Some(literal) = reply.secret(handle) else { continue };
            match self.check_reply(reply, call, now) {
                Ok(expires_on) => {
                    let origin = if reply.call == self.calls { Origin::Refreshed } else { Origin::Cached };
                    let account = reply.holder.home_account_id.clone();
                    return self.open(literal, expires_on, account, &reply.tenant, origin);
                }
                Err(why) => note(why),
            }
        }
        // Only the newest version of each document counts: a token may have been removed since an
        // older one.
        for document in self.newest_documents() {
            for (_, place) in document.places_of(handle) {
                let Some(facts) = document.facts(place) else { continue };
                match self.check_cached(&document.name, &facts, call, now) {
                    Ok(expires_on) => {
                        let text = |field| facts.text(field).unwrap_or_default();
                        let account = text(Field::HomeAccountId).into_owned();
                        let literal = document.literal(place);
                        return self.open(literal, expires_on, account, &text(Field::Realm), Origin::Cached);
                    }
                    Err(why) => note(why),
                }
            }
        }
        Err(refused)
    }

    fn open(
        &self,
        literal: &str,
        expires_on: u64,
        home_account_id: String,
        tenant: &str,
        origin: Origin,
    ) -> Result<AccessToken, Refused> {
        // The user may have signed out since the document was read.
        if !self.up_to_date {
            return Err(Refused::OutOfDate);
        }
        let token = decode_secret(literal).ok_or(Refused::NotAnAccessToken)?;
        if !is_a_token(token.as_str()) {
            return Err(Refused::MalformedToken);
        }
        let tenant = asked_tenant(tenant, &home_account_id).to_owned();
        Ok(AccessToken { token: Secret::new(token.as_str().to_owned()), expires_on, home_account_id, tenant, origin })
    }

    fn check_cached(&self, name: &str, facts: &Facts<'_>, call: &Call, now: u64) -> Result<u64, Refused> {
        let text = |field| facts.text(field).unwrap_or_default();
        if name != call.document {
            return Err(Refused::WrongCache(KIND));
        }
        self.check_fit(facts, call)?;
        let account = text(Field::HomeAccountId);
        // A record is of one application; another application's token may carry other permissions.
        let credential = self.vault.credential();
        if credential.record.is_some() && !credential.is_client(&text(Field::ClientId)) {
            return Err(Refused::WrongClient(KIND));
        }
        self.check_account(KIND, name, &account, &text(Field::Environment))?;
        credential.policy.check_tenant(&text(Field::Realm), home_tenant(&account))?;
        credential.policy.check_client(&text(Field::ClientId))?;
        let expiry = facts.seconds(Field::ExpiresOn).filter(is_a_time);
        expiry.filter(|expiry| *expiry > now).ok_or(Refused::Expired)
    }

    /// Whether a cached token fits the call, except for its account.
    fn check_fit(&self, facts: &Facts<'_>, call: &Call) -> Result<(), Refused> {
        let text = |field| facts.text(field).unwrap_or_default();
        if call.challenged {
            return Err(Refused::Unchallenged);
        }
        if !facts.is_plain_bearer() {
            return Err(Refused::NotBearer);
        }
        if !facts.has_extended_key(self.vault.credential().agent_session_key.as_deref()) {
            return Err(Refused::WrongSession);
        }
        if !covers(text(Field::Target).split_whitespace(), &call.scopes) {
            return Err(Refused::WrongScopes(KIND));
        }
        self.check_realm(&text(Field::Realm), &text(Field::HomeAccountId), call)
    }

    /// Selects among the accounts whose sign-in the operating system's broker holds and that have a
    /// cached token for the present call. They count if no account has a usable refresh token.
    pub(crate) fn brokered(&self) -> Chosen {
        let Some(call) = &self.call else { return Chosen::NoAccount };
        let Some(document) = self.document(&call.document) else { return Chosen::NoAccount };
        let credential = self.vault.credential();
        let in_cloud = |environment: &str| credential.is_cloud(environment);
        let serving = document.tokens().filter(|facts| {
            let id = facts.text(Field::HomeAccountId).unwrap_or_default();
            facts.section() == Section::AccessToken
                && document.accounts_index().is_brokered(&id, in_cloud)
                && in_cloud(&facts.text(Field::Environment).unwrap_or_default())
                && facts
                    .seconds(Field::ExpiresOn)
                    .filter(is_a_time)
                    .is_some_and(|expiry| expiry.saturating_sub(call.now) > LEAST_REMAINING)
                && facts.seconds(Field::CachedAt).is_none_or(|cached_at| call.now == 0 || cached_at <= call.now)
                && self.check_fit(facts, call).is_ok()
        });
        let ids: HashSet<_> = serving.filter_map(|facts| facts.text(Field::HomeAccountId)).collect();
        Chosen::of(ids.iter().map(|id| &**id), document.accounts_index(), credential)
    }

    /// Whether a token cached under `realm` is of the call's tenant.
    fn check_realm(&self, realm: &str, home_account_id: &str, call: &Call) -> Result<(), Refused> {
        let home = self.home_name(call, home_account_id);
        let fits = call.tenant.as_ref().is_some_and(|tenant| tenant.is_realm(realm, home_account_id, &home));
        fits.then_some(()).ok_or(Refused::WrongTenant(KIND))
    }

    fn check_reply(&self, reply: &Reply, call: &Call, now: u64) -> Result<u64, Refused> {
        if *reply.document != *call.document {
            return Err(Refused::WrongCache(KIND));
        }
        if call.challenged && reply.call != self.calls {
            return Err(Refused::Unchallenged);
        }
        if !reply.bearer {
            return Err(Refused::NotBearer);
        }
        // The requested scopes decide, not the granted ones, because authorities rename scopes.
        if !covers(reply.scopes.iter().map(String::as_str), &call.scopes) {
            return Err(Refused::WrongScopes(KIND));
        }
        let account = &reply.holder.home_account_id;
        // The tenant of a request of this call was checked when its form was opened.
        if reply.call != self.calls {
            self.check_realm(&reply.tenant, account, call)?;
        }
        if reply.of_another {
            return Err(Refused::WrongAccount(KIND));
        }
        self.check_account(KIND, &reply.document, account, &reply.host)?;
        reply.expires_on.filter(|expiry| *expiry > now).ok_or(Refused::Expired)
    }
}
