//! Conversions between the contract's types and this crate's. A variant without a counterpart is a
//! compile error.
//!
//! Texts from the component are escaped and truncated here, after its accounts were compared with
//! the vault's.

use std::collections::HashSet;
use std::time::Duration;

use super::wit::credential as wit;
use crate::authentication_record::AuthenticationRecord;
use crate::error::{
    Account, AuthenticationFailure, AuthenticationFailureReason, CachedAccount, Error, LONGEST_TEXT, OAuthError,
    Unavailable, UnavailableReason,
};
use crate::escape::{self, bounded};
use crate::options::{CredentialOptions, TokenRequestOptions};

impl From<&CredentialOptions> for wit::Options {
    fn from(options: &CredentialOptions) -> Self {
        Self {
            username: options.username.clone(),
            authority: options.authority.clone(),
            tenant_id: options.tenant_id.clone(),
            client_id: options.client_id.clone(),
            authentication_record: options.authentication_record.as_ref().map(AuthenticationRecord::to_json),
            cache_persistence_options: options.cache_persistence_options.as_ref().map(|persistence| {
                wit::CachePersistenceOptions {
                    name: persistence.name.clone(),
                    allow_unencrypted_storage: persistence.allow_unencrypted_storage,
                }
            }),
            additionally_allowed_tenants: options.additionally_allowed_tenants.clone(),
            enable_guest_tenant_authentication: options.enable_guest_tenant_authentication,
        }
    }
}

impl From<&TokenRequestOptions> for wit::TokenRequestOptions {
    fn from(options: &TokenRequestOptions) -> Self {
        let TokenRequestOptions { claims, tenant_id, enable_cae, min_validity } = options.clone();
        Self { claims, tenant_id, enable_cae, min_validity: min_validity.map(whole_seconds) }
    }
}

/// Rounds up to whole seconds, and down to the contract's largest number.
fn whole_seconds(time: Duration) -> u32 {
    let begun = u64::from(time.subsec_nanos() > 0);
    u32::try_from(time.as_secs().saturating_add(begun)).unwrap_or(u32::MAX)
}

/// The size limit of a name, in bytes: of a user, a tenant, a host, a code.
const LONGEST_NAME: usize = 1 << 10;

/// The accounts that a caller may see: username and home tenant.
type Known<'a> = HashSet<(&'a str, Option<&'a str>)>;

/// The accounts without those that a caller may not see.
pub(super) fn accounts(accounts: Vec<wit::CachedAccount>, known: &Known<'_>) -> Vec<CachedAccount> {
    accounts.into_iter().filter(|cached| is_known(&cached.account, known)).map(Into::into).collect()
}

/// The error, without candidates that a caller may not see.
pub(super) fn error(error: wit::Error, known: &Known<'_>) -> Error {
    match error {
        wit::Error::InvalidArgument(message) => Error::InvalidArgument(text(&message)),
        wit::Error::CredentialUnavailable(wit::Unavailable { reason, message, candidates }) => {
            let candidates =
                candidates.into_iter().filter(|account| is_known(account, known)).map(Into::into).collect();
            Error::CredentialUnavailable(Unavailable {
                reason: reason.into(),
                message: text(&message),
                candidates,
                sources: Vec::new(),
            })
        }
        wit::Error::ClientAuthentication(wit::AuthenticationFailure { reason, message, oauth }) => {
            let oauth: Option<Box<OAuthError>> = oauth.map(|error| Box::new(error.into()));
            // A component without this crate's table of errors reports an overloaded authority as a
            // refusal.
            if oauth.as_ref().is_some_and(|error| error.may_pass()) {
                return Error::unreachable(text(&message));
            }
            Error::ClientAuthentication(AuthenticationFailure {
                reason: reason.into(),
                message: text(&message),
                oauth,
                sources: Vec::new(),
            })
        }
        wit::Error::Denied(message) => Error::denied(text(&message)),
        wit::Error::Unreachable(message) => Error::unreachable(text(&message)),
    }
}

fn is_known(account: &wit::Account, known: &Known<'_>) -> bool {
    known.contains(&(account.username.as_str(), account.home_tenant_id.as_deref()))
}

fn text(text: &str) -> String {
    bounded(text, LONGEST_TEXT)
}

fn name(name: &str) -> String {
    bounded(name, LONGEST_NAME)
}

/// Claims are sent unchanged in the next request, so they must stay JSON. Other texts are dropped.
fn claims(claims: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(claims).ok().filter(|_| claims.len() <= LONGEST_TEXT)?;
    if escape::escaped(claims) == claims {
        return Some(claims.to_owned());
    }
    String::from_utf8(escape::to_json(&value).ok()?).ok()
}

impl From<wit::Account> for Account {
    fn from(account: wit::Account) -> Self {
        let wit::Account { username, home_tenant_id } = account;
        Self { username: name(&username), home_tenant_id: home_tenant_id.as_deref().map(name) }
    }
}

impl From<wit::CachedAccount> for CachedAccount {
    fn from(cached: wit::CachedAccount) -> Self {
        let wit::CachedAccount { account, environment, tenants, usable_refresh_tokens, access_tokens, latest_expiry } =
            cached;
        let tenants = tenants.iter().map(|tenant| name(tenant)).collect();
        let environment = name(&environment);
        let (account, hindrance) = (account.into(), None);
        Self { account, environment, tenants, usable_refresh_tokens, access_tokens, latest_expiry, hindrance }
    }
}

impl From<wit::UnavailableReason> for UnavailableReason {
    fn from(reason: wit::UnavailableReason) -> Self {
        match reason {
            wit::UnavailableReason::CacheUnavailable => Self::CacheUnavailable,
            wit::UnavailableReason::CacheCorrupt => Self::CacheCorrupt,
            wit::UnavailableReason::UnsupportedPlatform => Self::UnsupportedPlatform,
            wit::UnavailableReason::NoAccounts => Self::NoAccounts,
            wit::UnavailableReason::NoMatchingAccount => Self::NoMatchingAccount,
            wit::UnavailableReason::MultipleAccounts => Self::MultipleAccounts,
            wit::UnavailableReason::MultipleMatchingAccounts => Self::MultipleMatchingAccounts,
            wit::UnavailableReason::NoToken => Self::NoToken,
        }
    }
}

impl From<wit::AuthenticationFailureReason> for AuthenticationFailureReason {
    fn from(reason: wit::AuthenticationFailureReason) -> Self {
        match reason {
            wit::AuthenticationFailureReason::TenantNotAllowed => Self::TenantNotAllowed,
            wit::AuthenticationFailureReason::OauthError => Self::OAuthError,
            wit::AuthenticationFailureReason::UnexpectedResponse => Self::UnexpectedResponse,
        }
    }
}

impl From<wit::OauthError> for OAuthError {
    fn from(error: wit::OauthError) -> Self {
        let wit::OauthError { code, suberror, description, error_codes, claims, correlation_id } = error;
        Self {
            code: name(&code),
            suberror: suberror.as_deref().map(name),
            description: description.as_deref().map(text),
            error_codes,
            claims: claims.as_deref().and_then(self::claims),
            correlation_id: correlation_id.as_deref().map(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overloaded_authority_that_a_component_reports_as_a_refusal_is_unreachable() {
        let refused = |code: &str, error_codes| {
            let oauth = wit::OauthError {
                code: code.to_owned(),
                suberror: None,
                description: None,
                error_codes,
                claims: None,
                correlation_id: None,
            };
            let failure = wit::AuthenticationFailure {
                reason: wit::AuthenticationFailureReason::OauthError,
                message: "refused".into(),
                oauth: Some(oauth),
            };
            error(wit::Error::ClientAuthentication(failure), &Known::default()).kind()
        };
        for (code, error_codes, kind) in [
            ("temporarily_unavailable", vec![], "unreachable"),
            ("server_error", vec![], "unreachable"),
            ("invalid_grant", vec![90033], "unreachable"),
            ("invalid_grant", vec![50196], "unreachable"),
            ("invalid_grant", vec![700_082], "client-authentication"),
            ("something_new", vec![], "client-authentication"),
        ] {
            assert_eq!(refused(code, error_codes.clone()), kind, "{code} {error_codes:?}");
        }
    }
}
