//! azure-identity's `AuthenticationRecord` in JSON: the account that an application signed in with.

use std::borrow::Cow;

use crate::document::{Object, json};
use crate::error::Error;
use crate::types::{Authority, ClientId, HomeAccountId, TenantId};

/// The only version of the format.
const VERSION: &str = "1.0";

/// The account, application and tenant of an earlier sign-in. It holds no secret.
#[derive(Debug, Clone)]
pub(crate) struct AuthenticationRecord {
    pub(crate) authority: Authority,
    pub(crate) client_id: ClientId,
    pub(crate) home_account_id: HomeAccountId,
    pub(crate) tenant_id: TenantId,
    pub(crate) username: String,
}

impl AuthenticationRecord {
    /// Reads `authority`, `clientId`, `homeAccountId`, `tenantId`, `username` and `version`, which
    /// is `"1.0"`. Other fields are ignored.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let object = Object::parse(text).map_err(|error| {
            invalid(&format!("it is not a JSON object: line {}, column {}", error.line(), error.column()))
        })?;
        let field = |name: &str| {
            let value = object.get(name).and_then(json::text).map(Cow::into_owned);
            value.ok_or_else(|| invalid(&format!("it has no text {name:?}")))
        };
        match object.get("version").and_then(json::text) {
            Some(version) if version == VERSION => {}
            Some(version) => {
                return Err(invalid(&format!("its version is {version:?}; this program knows {VERSION:?}")));
            }
            None => return Err(invalid("it has no text \"version\"")),
        }
        let home_account_id = HomeAccountId::new(&field("homeAccountId")?);
        Ok(Self {
            authority: Authority::parse(&field("authority")?)?,
            client_id: ClientId::parse(&field("clientId")?)?,
            home_account_id: home_account_id.ok_or_else(|| invalid("its \"homeAccountId\" is empty"))?,
            tenant_id: TenantId::parse(&field("tenantId")?)?,
            username: field("username")?,
        })
    }
}

fn invalid(why: &str) -> Error {
    Error::InvalidArgument(format!(
        "cannot use the authentication record: {why}; make a new one by signing in with azure-identity"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"authority":"login.microsoftonline.com","clientId":"04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "homeAccountId":"uid.utid","tenantId":"utid","username":"user0@contoso.com","version":"1.0"}"#;

    #[test]
    fn a_record_of_azure_identity_is_read() {
        let record = AuthenticationRecord::parse(GOOD).unwrap();
        assert_eq!(record.authority.environment(), "login.microsoftonline.com");
        assert_eq!(record.home_account_id.as_str(), "uid.utid");
        assert_eq!((record.tenant_id.as_str(), record.username.as_str()), ("utid", "user0@contoso.com"));
        assert!(AuthenticationRecord::parse(&GOOD.replace("\"username\"", "\"new\":[{}],\"username\"")).is_ok());
    }

    #[test]
    fn anything_else_is_an_invalid_argument() {
        for (from, to) in [
            ("\"1.0\"", "\"1.1\""),
            ("\"1.0\"", "1.0"),
            ("\"version\"", "\"versions\""),
            ("\"homeAccountId\"", "\"home\""),
            ("\"uid.utid\"", "\"\""),
            ("\"uid.utid\"", "null"),
            ("\"utid\"", "\"a/b\""),
            ("login.microsoftonline.com", "http://login.microsoftonline.com"),
            ("{", "["),
        ] {
            let record = AuthenticationRecord::parse(&GOOD.replacen(from, to, 1));
            assert!(matches!(record, Err(Error::InvalidArgument(_))), "{from} → {to}: {record:?}");
        }
    }
}
