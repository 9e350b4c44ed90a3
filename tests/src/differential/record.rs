//! Authentication records.

use serde_json::{Map, Value};

use super::document::text_of;
use super::situation::Options;

/// The fields of an authentication record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Host of the authority.
    pub(crate) authority: String,
    /// The client that signed in.
    pub(crate) client_id: String,
    /// The account.
    pub(crate) home_account_id: String,
    /// The tenant of requests.
    pub(crate) tenant_id: String,
    /// The account's username at the sign-in.
    pub(crate) username: String,
}

impl Record {
    /// The record in the options; `None` if there is none, or its text is invalid.
    pub(crate) fn of(options: &Options) -> Option<Self> {
        let record = fields(options)?;
        let record = Value::Object(record);
        let [authority, client_id, home_account_id, tenant_id, username] =
            ["authority", "clientId", "homeAccountId", "tenantId", "username"]
                .map(|field| text_of(&record, field).to_owned());
        Some(Self { authority, client_id, home_account_id, tenant_id, username })
    }
}

/// Sets a field of the record in the options.
pub(crate) fn set(options: &mut Options, field: &str, value: &str) {
    if let Some(mut record) = fields(options) {
        record.insert(field.to_owned(), value.into());
        options.record = Some(Value::Object(record).to_string());
    }
}

fn fields(options: &Options) -> Option<Map<String, Value>> {
    serde_json::from_str(options.record.as_deref()?).ok()
}
