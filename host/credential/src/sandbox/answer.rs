//! Measures the size of a component's results.

use wasmtime::component::ResourceAny;

use super::wit::credential as wit;

/// The result of a call.
pub(super) trait Answer {
    /// The bytes of all its texts, plus the size of each list entry.
    fn size(&self) -> usize;
}

impl Answer for () {
    fn size(&self) -> usize {
        0
    }
}

impl Answer for bool {
    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

impl Answer for ResourceAny {
    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

impl Answer for String {
    fn size(&self) -> usize {
        self.len()
    }
}

impl<T: Answer> Answer for Option<T> {
    fn size(&self) -> usize {
        self.as_ref().map_or(0, Answer::size)
    }
}

impl<T: Answer> Answer for Vec<T> {
    fn size(&self) -> usize {
        self.iter().map(|entry| size_of::<T>() + entry.size()).sum()
    }
}

impl<T: Answer, E: Answer> Answer for Result<T, E> {
    fn size(&self) -> usize {
        match self {
            Ok(value) => value.size(),
            Err(error) => error.size(),
        }
    }
}

impl Answer for wit::AccessToken {
    fn size(&self) -> usize {
        let Self { token, expires_on: _, refresh_on: _, token_type } = self;
        token.size() + token_type.size()
    }
}

impl Answer for wit::Account {
    fn size(&self) -> usize {
        let Self { username, home_tenant_id } = self;
        username.size() + home_tenant_id.size()
    }
}

impl Answer for wit::CachedAccount {
    fn size(&self) -> usize {
        let Self { account, environment, tenants, usable_refresh_tokens: _, access_tokens: _, latest_expiry: _ } = self;
        account.size() + environment.size() + tenants.size()
    }
}

impl Answer for wit::Error {
    fn size(&self) -> usize {
        match self {
            Self::InvalidArgument(message) | Self::Denied(message) | Self::Unreachable(message) => message.size(),
            Self::CredentialUnavailable(wit::Unavailable { reason: _, message, candidates }) => {
                message.size() + candidates.size()
            }
            Self::ClientAuthentication(wit::AuthenticationFailure { reason: _, message, oauth }) => {
                message.size() + oauth.size()
            }
        }
    }
}

impl Answer for wit::OauthError {
    fn size(&self) -> usize {
        let Self { code, suberror, description, error_codes, claims, correlation_id } = self;
        code.size()
            + suberror.size()
            + description.size()
            + size_of_val(error_codes.as_slice())
            + claims.size()
            + correlation_id.size()
    }
}
