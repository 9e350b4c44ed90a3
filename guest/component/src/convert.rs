//! Conversions between the contract's types and the core's, field by field. A variant that one side
//! lacks does not compile.

use shared_token_cache_core as core;

use crate::wit::{cache_file, credential, https};

impl From<credential::Options> for core::Options {
    fn from(options: credential::Options) -> Self {
        let credential::Options {
            username,
            authority,
            tenant_id,
            client_id,
            authentication_record,
            cache_persistence_options,
            additionally_allowed_tenants,
            enable_guest_tenant_authentication,
        } = options;
        Self {
            username,
            authority,
            tenant_id,
            client_id,
            authentication_record,
            cache_persistence_options: cache_persistence_options.map(|persistence| core::CachePersistenceOptions {
                name: persistence.name,
                allow_unencrypted_storage: persistence.allow_unencrypted_storage,
            }),
            additionally_allowed_tenants,
            enable_guest_tenant_authentication,
        }
    }
}

impl From<credential::TokenRequestOptions> for core::TokenRequestOptions {
    fn from(options: credential::TokenRequestOptions) -> Self {
        let credential::TokenRequestOptions { claims, tenant_id, enable_cae, min_validity } = options;
        Self { claims, tenant_id, enable_cae, min_validity }
    }
}

impl From<core::AccessToken> for credential::AccessToken {
    fn from(token: core::AccessToken) -> Self {
        let core::AccessToken { token, expires_on, refresh_on, token_type } = token;
        Self { token: token.expose().to_owned(), expires_on, refresh_on, token_type }
    }
}

impl From<core::Account> for credential::Account {
    fn from(account: core::Account) -> Self {
        let core::Account { username, home_tenant_id } = account;
        Self { username, home_tenant_id }
    }
}

impl From<core::CachedAccount> for credential::CachedAccount {
    fn from(cached: core::CachedAccount) -> Self {
        let core::CachedAccount { account, environment, tenants, usable_refresh_tokens, access_tokens, latest_expiry } =
            cached;
        Self { account: account.into(), environment, tenants, usable_refresh_tokens, access_tokens, latest_expiry }
    }
}

impl From<core::Error> for credential::Error {
    fn from(error: core::Error) -> Self {
        match error {
            core::Error::InvalidArgument(message) => Self::InvalidArgument(message),
            core::Error::CredentialUnavailable(core::Unavailable { reason, message, candidates }) => {
                Self::CredentialUnavailable(credential::Unavailable {
                    reason: reason.into(),
                    message,
                    candidates: candidates.into_iter().map(Into::into).collect(),
                })
            }
            core::Error::ClientAuthentication(core::AuthenticationFailure { reason, message, oauth }) => {
                Self::ClientAuthentication(credential::AuthenticationFailure {
                    reason: reason.into(),
                    message,
                    oauth: oauth.map(|error| (*error).into()),
                })
            }
            core::Error::Denied(message) => Self::Denied(message),
            core::Error::Unreachable(message) => Self::Unreachable(message),
        }
    }
}

impl From<core::UnavailableReason> for credential::UnavailableReason {
    fn from(reason: core::UnavailableReason) -> Self {
        match reason {
            core::UnavailableReason::CacheUnavailable => Self::CacheUnavailable,
            core::UnavailableReason::CacheCorrupt => Self::CacheCorrupt,
            core::UnavailableReason::UnsupportedPlatform => Self::UnsupportedPlatform,
            core::UnavailableReason::NoAccounts => Self::NoAccounts,
            core::UnavailableReason::NoMatchingAccount => Self::NoMatchingAccount,
            core::UnavailableReason::MultipleAccounts => Self::MultipleAccounts,
            core::UnavailableReason::MultipleMatchingAccounts => Self::MultipleMatchingAccounts,
            core::UnavailableReason::NoToken => Self::NoToken,
        }
    }
}

impl From<core::AuthenticationFailureReason> for credential::AuthenticationFailureReason {
    fn from(reason: core::AuthenticationFailureReason) -> Self {
        match reason {
            core::AuthenticationFailureReason::TenantNotAllowed => Self::TenantNotAllowed,
            core::AuthenticationFailureReason::OAuthError => Self::OauthError,
            core::AuthenticationFailureReason::UnexpectedResponse => Self::UnexpectedResponse,
        }
    }
}

impl From<core::OAuthError> for credential::OauthError {
    fn from(error: core::OAuthError) -> Self {
        let core::OAuthError { code, suberror, description, error_codes, claims, correlation_id } = error;
        Self { code, suberror, description, error_codes, claims, correlation_id }
    }
}

impl From<cache_file::ReadError> for core::ReadError {
    fn from(error: cache_file::ReadError) -> Self {
        match error {
            cache_file::ReadError::NotFound(place) => Self::NotFound(place),
            cache_file::ReadError::Denied(why) => Self::Denied(why),
            cache_file::ReadError::Failed(why) => Self::Failed(why),
            cache_file::ReadError::NotUtf8(cache_file::Place { line, column }) => Self::NotUtf8 { line, column },
        }
    }
}

impl From<cache_file::WriteError> for core::WriteError {
    fn from(error: cache_file::WriteError) -> Self {
        match error {
            cache_file::WriteError::Conflict => Self::Conflict,
            cache_file::WriteError::Locked => Self::Locked,
            cache_file::WriteError::Denied(why) => Self::Denied(why),
            cache_file::WriteError::Failed(why) => Self::Failed(why),
        }
    }
}

impl From<https::HttpsError> for core::HttpsError {
    fn from(error: https::HttpsError) -> Self {
        match error {
            https::HttpsError::Denied(why) => Self::Denied(why),
            https::HttpsError::Timeout(why) => Self::Timeout(why),
            https::HttpsError::Unreachable(why) => Self::Unreachable(why),
            https::HttpsError::BadResponse(why) => Self::BadResponse(why),
        }
    }
}
