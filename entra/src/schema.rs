//! Sections and fields of a cache document, as MSAL writes them: `msal/token_cache.py`.

/// A section of the document that this project reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Access tokens.
    AccessToken,
    /// Refresh tokens.
    RefreshToken,
    /// Id tokens.
    IdToken,
    /// Accounts.
    Account,
    /// Metadata of applications.
    AppMetadata,
}

impl Section {
    /// All sections.
    pub const ALL: [Self; 5] = [Self::AccessToken, Self::RefreshToken, Self::IdToken, Self::Account, Self::AppMetadata];

    /// The section's key in the document, and the `credential_type` of its entries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "AccessToken",
            Self::RefreshToken => "RefreshToken",
            Self::IdToken => "IdToken",
            Self::Account => "Account",
            Self::AppMetadata => "AppMetadata",
        }
    }

    /// The section of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }
}

/// The `account_source` of an account whose sign-in the operating system's account broker holds.
pub const BROKER: &str = "broker";

/// Names of an entry's fields.
#[allow(missing_docs, reason = "each constant is the field of its name")]
pub mod field {
    pub const ACCOUNT_SOURCE: &str = "account_source";
    pub const AUTHORITY_TYPE: &str = "authority_type";
    pub const CACHED_AT: &str = "cached_at";
    pub const CLIENT_ID: &str = "client_id";
    pub const CREDENTIAL_TYPE: &str = "credential_type";
    pub const ENVIRONMENT: &str = "environment";
    pub const EXPIRES_ON: &str = "expires_on";
    pub const EXTENDED_EXPIRES_ON: &str = "extended_expires_on";
    pub const EXT_CACHE_KEY: &str = "ext_cache_key";
    pub const FAMILY_ID: &str = "family_id";
    pub const HOME_ACCOUNT_ID: &str = "home_account_id";
    pub const KEY_ID: &str = "key_id";
    pub const LAST_MODIFICATION_TIME: &str = "last_modification_time";
    pub const LOCAL_ACCOUNT_ID: &str = "local_account_id";
    pub const REALM: &str = "realm";
    pub const REFRESH_ON: &str = "refresh_on";
    pub const SECRET: &str = "secret";
    pub const TARGET: &str = "target";
    pub const TOKEN_TYPE: &str = "token_type";
    pub const USERNAME: &str = "username";
    pub const USER_ASSERTION_HASH: &str = "user_assertion_hash";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_found_by_its_name_and_no_other() {
        for section in Section::ALL {
            assert_eq!(Section::named(section.name()), Some(section));
            assert_eq!(Section::named(&section.name().to_lowercase()), None);
        }
    }
}
