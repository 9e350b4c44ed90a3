/// An account, as far as a person needs it to choose one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The username, as cached.
    pub username: String,
    /// The tenant that the account lives in, where its id tells.
    pub home_tenant_id: Option<String>,
}
