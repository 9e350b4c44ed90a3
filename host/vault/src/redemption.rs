use std::fmt;

use shared_token_cache_entra::Secret;
use shared_token_cache_entra::schema::Section;

use crate::facts::Facts;
use crate::handle::Handle;
use crate::index::Field;

/// A refresh token in flight, and the request that it was sent with.
pub struct Redemption {
    pub(crate) redeemed: Handle,
    /// The refresh token, which is redacted where the reply repeats it.
    pub(crate) secret: Secret,
    pub(crate) holder: Holder,
    /// The host of the request.
    pub(crate) host: String,
    /// The tenant of the request.
    pub(crate) tenant: String,
    /// The client of the request.
    pub(crate) client_id: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) call: u64,
}

impl fmt::Debug for Redemption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redemption(..)")
    }
}

/// The entry of a refresh token: account, cloud and client.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) document: Box<str>,
    pub(crate) home_account_id: String,
    pub(crate) environment: String,
    pub(crate) client_id: String,
    /// The refresh token serves every client of a family.
    pub(crate) family: bool,
}

impl Holder {
    pub(crate) fn of(document: &str, facts: &Facts<'_>) -> Option<Self> {
        let text = |field| facts.text(field).map(|text| text.into_owned());
        Some(Self {
            document: document.into(),
            home_account_id: text(Field::HomeAccountId)?,
            environment: text(Field::Environment)?,
            client_id: text(Field::ClientId).unwrap_or_default(),
            family: text(Field::FamilyId).is_some_and(|family| !family.is_empty()),
        })
        .filter(|_| facts.section() == Section::RefreshToken)
    }
}
