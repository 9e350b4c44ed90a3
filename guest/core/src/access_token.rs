//! Selection of the cached access token that serves a call.

use std::cmp::Reverse;

use shared_token_cache_entra::token::is_a_time;

use crate::document::{AccessTokenEntry, Document};
use crate::options::Configuration;
use crate::tenant::RequestTenant;
use crate::types::{Authority, HomeAccountId, Scopes};

/// A token with no more than this many seconds left counts as expired: its caller needs time to use
/// it.
const LEAST_REMAINING_SECONDS: u64 = 300;

/// The conditions that a token must meet.
pub(crate) struct Wanted<'a> {
    pub(crate) account: &'a HomeAccountId,
    pub(crate) scopes: &'a Scopes,
    pub(crate) tenant: &'a RequestTenant,
    /// The least remaining lifetime in seconds, from the call's options.
    pub(crate) min_validity: u64,
    pub(crate) now: u64,
    /// The extended cache key of the host's agent session.
    pub(crate) session: Option<&'a str>,
}

/// The best cached token, by client (this one first), by `refresh_on` (not yet reached first), then
/// by latest expiry. A renewed token may expire before the one that it replaces; by expiry alone,
/// the old token would win and be renewed again and again.
pub(crate) fn find<'a>(
    document: &'a Document,
    wanted: &Wanted<'_>,
    authority: &Authority,
    configuration: &Configuration,
) -> Option<&'a AccessTokenEntry> {
    document
        .access_tokens_of(wanted.account)
        .iter()
        .filter(|token| fits(token, wanted) && authority.has_alias(&token.environment))
        // A record is for one application, and another application's token may carry other
        // permissions.
        .filter(|token| configuration.record.is_none() || configuration.client_id.is(&token.client_id))
        .min_by_key(|token| {
            let due = token.refresh_on.is_some_and(|refresh_on| refresh_on <= wanted.now);
            (!configuration.client_id.is(&token.client_id), due, Reverse(token.expires_on))
        })
}

fn fits(token: &AccessTokenEntry, wanted: &Wanted<'_>) -> bool {
    token.plain_bearer
        // A token without the session's mark must not pass for one with it, nor the reverse.
        && token.ext_cache_key.as_deref() == wanted.session
        && is_a_time(&token.expires_on)
        && token.expires_on.saturating_sub(wanted.now) > LEAST_REMAINING_SECONDS
        && token.expires_on.saturating_sub(wanted.now) >= wanted.min_validity
        // `cached_at` in the future means that another clock wrote the entry, so its expiry is
        // unreliable too.
        && token.cached_at.is_none_or(|cached_at| cached_at <= wanted.now)
        && wanted.tenant.issued(&token.realm, wanted.account)
        && wanted.scopes.are_within(&token.target)
}
