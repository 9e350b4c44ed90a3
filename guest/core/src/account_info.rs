/// The fields of an account by which a user chooses one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The username, as cached.
    pub username: String,
    /// The tenant that the account lives in, where its id names one.
    pub home_tenant_id: Option<String>,
}

/// An account in the cache, with the number and the expiry of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedAccount {
    /// The account.
    pub account: Account,
    /// Its cloud, as the cache names it.
    pub environment: String,
    /// The tenants in which it was used.
    pub tenants: Vec<String>,
    /// The number of its refresh tokens that the credential may redeem. With none, the credential
    /// does not choose the account.
    pub usable_refresh_tokens: u32,
    /// The number of its cached access tokens, for any client, including expired ones.
    pub access_tokens: u32,
    /// The latest expiry of these, in seconds since the Unix epoch.
    pub latest_expiry: Option<u64>,
}
