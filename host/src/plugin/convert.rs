//! The contract's types and this crate's. A variant that one side lacks does not compile.

use super::wit::credential as wit;
use crate::authentication_record::AuthenticationRecord;
use crate::credential::{CredentialOptions, TokenRequestOptions};
use crate::error::{
    Account, AuthenticationFailure, AuthenticationFailureReason, CachedAccount, Error, OAuthError, Unavailable,
    UnavailableReason,
};

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
        let TokenRequestOptions { claims, tenant_id, enable_cae } = options.clone();
        Self { claims, tenant_id, enable_cae }
    }
}

impl From<wit::Account> for Account {
    fn from(account: wit::Account) -> Self {
        let wit::Account { username, home_tenant_id } = account;
        Self { username, home_tenant_id }
    }
}

impl From<wit::CachedAccount> for CachedAccount {
    fn from(cached: wit::CachedAccount) -> Self {
        let wit::CachedAccount { account, environment, tenants, usable_refresh_tokens, access_tokens, latest_expiry } =
            cached;
        Self { account: account.into(), environment, tenants, usable_refresh_tokens, access_tokens, latest_expiry }
    }
}

impl From<wit::Error> for Error {
    fn from(error: wit::Error) -> Self {
        match error {
            wit::Error::InvalidArgument(message) => Self::InvalidArgument(message),
            wit::Error::CredentialUnavailable(wit::Unavailable { reason, message, candidates }) => {
                let candidates = candidates.into_iter().map(Into::into).collect();
                Self::CredentialUnavailable(Unavailable {
                    reason: reason.into(),
                    message,
                    candidates,
                    sources: Vec::new(),
                })
            }
            wit::Error::ClientAuthentication(wit::AuthenticationFailure { reason, message, oauth }) => {
                let oauth = oauth.map(|error| Box::new(error.into()));
                Self::ClientAuthentication(AuthenticationFailure {
                    reason: reason.into(),
                    message,
                    oauth,
                    sources: Vec::new(),
                })
            }
            wit::Error::Denied(message) => Self::denied(message),
            wit::Error::Unreachable(message) => Self::Unreachable(message),
        }
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
        Self { code, suberror, description, error_codes, claims, correlation_id }
    }
}
