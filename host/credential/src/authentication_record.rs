use std::fmt;

use serde::{Deserialize, Serialize};

/// The only version of the JSON form.
const VERSION: &str = "1.0";

/// An account that an application remembers, in the JSON form of the Azure Identity libraries. It
/// holds no secret. `Debug` shortens the account's id nevertheless.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthenticationRecord {
    /// Host of the authority, such as `login.microsoftonline.com`.
    pub authority: String,
    /// Client (application) id of the application that signed in.
    pub client_id: String,
    /// The account's id, `<uid>.<utid>`.
    pub home_account_id: String,
    /// The tenant for token requests.
    pub tenant_id: String,
    /// The username.
    pub username: String,
}

/// The reason why a text is not a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It is not JSON, or a field is missing.
    #[error("cannot read the authentication record: {0}")]
    Json(#[from] serde_json::Error),
    /// The record has a version that this crate does not support.
    #[error("the authentication record has the version {0:?}, and this program reads {VERSION:?}")]
    Version(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    authority: String,
    client_id: String,
    home_account_id: String,
    tenant_id: String,
    username: String,
    version: String,
}

impl AuthenticationRecord {
    /// Parses the JSON form.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn from_json(text: &str) -> Result<Self, RecordError> {
        let Form { authority, client_id, home_account_id, tenant_id, username, version } = serde_json::from_str(text)?;
        if version != VERSION {
            return Err(RecordError::Version(version));
        }
        Ok(Self { authority, client_id, home_account_id, tenant_id, username })
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { authority, client_id, home_account_id, tenant_id, username } = self.clone();
        let form = Form { authority, client_id, home_account_id, tenant_id, username, version: VERSION.to_owned() };
        // Serializing six strings does not fail.
        serde_json::to_string(&form).unwrap_or_default()
    }
}

impl fmt::Debug for AuthenticationRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id: String = self.home_account_id.chars().take(3).collect();
        f.debug_struct("AuthenticationRecord")
            .field("authority", &self.authority)
            .field("client_id", &self.client_id)
            .field("home_account_id", &format!("{id}…"))
            .field("tenant_id", &self.tenant_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The JSON form of azure-identity 1.27.0 for Python.
    const PYTHON: &str = r#"{"authority": "login.microsoftonline.com", "clientId": "client", "homeAccountId": "uid.utid", "tenantId": "utid", "username": "user0@contoso.com", "version": "1.0"}"#;

    #[test]
    fn a_record_survives_a_round_trip() {
        let record = AuthenticationRecord::from_json(PYTHON).unwrap();
        assert_eq!((record.client_id.as_str(), record.home_account_id.as_str()), ("client", "uid.utid"));
        assert_eq!(AuthenticationRecord::from_json(&record.to_json()).unwrap(), record);
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&record.to_json()), value(PYTHON));
    }

    #[test]
    fn another_version_and_missing_fields_are_errors() {
        assert!(matches!(
            AuthenticationRecord::from_json(&PYTHON.replace("1.0", "2.0")),
            Err(RecordError::Version(version)) if version == "2.0"
        ));
        for text in ["", "[]", "{}", &PYTHON.replace("\"tenantId\"", "\"tenant\"")] {
            assert!(matches!(AuthenticationRecord::from_json(text), Err(RecordError::Json(_))), "{text}");
        }
    }

    #[test]
    fn a_record_does_not_print_the_account() {
        let record = AuthenticationRecord::from_json(PYTHON).unwrap();
        assert!(!format!("{record:?}").contains("uid.utid"));
    }
}
