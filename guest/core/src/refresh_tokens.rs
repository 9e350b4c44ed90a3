//! Selection and order of an account's refresh tokens.

use shared_token_cache_entra::Secret;
use std::cmp::Reverse;

use crate::candidate::is_usable;
use crate::document::{Document, RefreshTokenEntry};
use crate::options::Configuration;
use crate::types::{Authority, HomeAccountId};

/// The family of clients that share refresh tokens. Microsoft Entra ID has only this one.
const FAMILY: &str = "1";

/// A refresh token to try.
pub(crate) struct RefreshToken {
    pub(crate) secret: Secret,
    /// The token belongs to a family, and the cache does not say whether this client is a member.
    pub(crate) on_trial: bool,
}

/// The refresh tokens to try, best first. A secret that several entries hold is listed once.
pub(crate) fn in_order(
    document: &Document,
    account: &HomeAccountId,
    authority: &Authority,
    configuration: &Configuration,
) -> Vec<RefreshToken> {
    let membership = Membership::of(document, authority, configuration);
    let mut entries: Vec<(u8, &RefreshTokenEntry)> = document
        .refresh_tokens()
        .iter()
        .filter(|token| token.home_account_id == *account && is_usable(token, authority, configuration))
        .filter_map(|token| membership.rank(token, configuration).map(|rank| (rank, token)))
        .collect();
    entries.sort_by_key(|(rank, token)| (*rank, Reverse(token.last_modification_time)));

    let mut tokens: Vec<RefreshToken> = Vec::new();
    for (_, entry) in entries {
        let Some(secret) = document.secret(&entry.place) else { continue };
        if !tokens.iter().any(|token| token.secret == secret) {
            let own = configuration.client_id.is(&entry.client_id);
            tokens.push(RefreshToken { secret, on_trial: membership == Membership::Unknown && !own });
        }
    }
    tokens
}

/// Whether the client belongs to a family.
#[derive(Debug, PartialEq, Eq)]
enum Membership {
    /// Without an authentication record, every family's tokens are tried.
    Assumed,
    /// The cache holds no metadata of the client, so it has never received a token here.
    Unknown,
    /// The client's metadata names no family.
    None,
    /// The client's metadata names this family.
    Of(String),
}

impl Membership {
    /// Read from the client's metadata, which is written with each token response.
    fn of(document: &Document, authority: &Authority, configuration: &Configuration) -> Self {
        if configuration.record.is_none() {
            return Self::Assumed;
        }
        let mut own = document
            .app_metadata()
            .iter()
            .filter(|entry| authority.has_alias(&entry.environment) && configuration.client_id.is(&entry.client_id))
            .peekable();
        if own.peek().is_none() {
            return Self::Unknown;
        }
        own.find_map(|entry| entry.family_id.as_deref()).map_or(Self::None, |family| Self::Of(family.to_owned()))
    }

    /// The order in which tokens are tried, lowest first. `None` excludes the token.
    fn rank(&self, token: &RefreshTokenEntry, configuration: &Configuration) -> Option<u8> {
        let own = configuration.client_id.is(&token.client_id);
        let family = token.family_id.as_deref();
        match self {
            Self::Assumed => Some(u8::from(!own)),
            Self::Of(known) if family == Some(known) => Some(0),
            Self::Of(_) | Self::None => own.then_some(1),
            Self::Unknown if own => Some(0),
            Self::Unknown => (family == Some(FAMILY)).then_some(1),
        }
    }
}
