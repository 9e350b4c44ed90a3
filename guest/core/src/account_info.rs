/// An account, as far as a person needs it to choose one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The username, as cached.
    pub username: String,
    /// The tenant that the account lives in, where its id tells.
    pub home_tenant_id: Option<String>,
}

/// An account in the cache, with what it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedAccount {
    /// The account.
    pub account: Account,
    /// Its cloud, as the cache names it.
    pub environment: String,
    /// The tenants in which it was used.
    pub tenants: Vec<String>,
    /// How many refresh tokens of it the credential may redeem. With none, the credential does not choose it.
    pub usable_refresh_tokens: u32,
    /// How many access tokens of it are cached, for any client, expired ones included.
    pub access_tokens: u32,
    /// When the last of these expires, in seconds since the Unix epoch.
    pub latest_expiry: Option<u64>,
}
