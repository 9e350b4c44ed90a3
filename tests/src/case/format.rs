//! The JSON of a case. Unknown fields are errors, so a typing mistake can't weaken a case.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// `case.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseFile {
    pub(super) about: String,
    pub(super) now: u64,
    #[serde(default)]
    pub(super) options: Options,
    #[serde(default)]
    pub(super) settings: Settings,
    #[serde(default)]
    pub(super) generate: BTreeMap<String, Generated>,
    pub(super) calls: Vec<CallFile>,
}

/// A document before the case that is too large to be stored as a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Generated {
    prefix: String,
    repeat: String,
    times: usize,
    suffix: String,
}

impl Generated {
    pub(super) fn document(&self) -> Vec<u8> {
        format!("{}{}{}", self.prefix, self.repeat.repeat(self.times), self.suffix).into_bytes()
    }
}

/// The options of the credential, by their names in the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Username of the account.
    pub username: Option<String>,
    /// Host of the authority.
    pub authority: Option<String>,
    /// Home tenant of the account.
    pub tenant_id: Option<String>,
    /// Client id.
    pub client_id: Option<String>,
    /// The authentication record.
    pub authentication_record: Option<serde_json::Value>,
    /// Which cache.
    pub cache_persistence_options: Option<CachePersistenceOptions>,
    /// Tenants that a call may name.
    pub additionally_allowed_tenants: Vec<String>,
    /// Whether tokens are requested from `tenant_id`.
    pub enable_guest_tenant_authentication: bool,
}

/// Which cache.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CachePersistenceOptions {
    /// Its name, without suffix.
    pub name: Option<String>,
    /// Whether plain text is allowed.
    pub allow_unencrypted_storage: bool,
}

/// The host's settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The authority of a credential that names none.
    pub default_authority_host: String,
    /// Whether every request goes to the configured tenant.
    pub disable_multitenant_authentication: bool,
    /// The id of the agent session.
    pub agent_session: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_authority_host: "login.microsoftonline.com".into(),
            disable_multitenant_authentication: false,
            agent_session: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallFile {
    pub(super) now: Option<u64>,
    pub(super) scopes: Vec<String>,
    pub(super) claims: Option<String>,
    pub(super) tenant_id: Option<String>,
    #[serde(default)]
    pub(super) enable_cae: bool,
    pub(super) min_validity: Option<u32>,
    /// Files of the case's folder, by document.
    #[serde(default)]
    pub(super) replaced_before: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) close_before: bool,
    pub(super) expect: Option<ExpectedToken>,
    pub(super) expect_error: Option<ExpectedError>,
}

/// A token. A case that leaves `refresh_on` out expects a token without one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedToken {
    /// The token itself.
    pub token: String,
    /// When it expires.
    pub expires_on: u64,
    /// When to replace it.
    pub refresh_on: Option<u64>,
    /// Its type.
    #[serde(default = "bearer")]
    pub token_type: String,
}

fn bearer() -> String {
    "Bearer".into()
}

/// An error. All fields but the message are compared exactly.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedError {
    /// The variant's name in the contract.
    pub kind: String,
    /// The reason's name in the contract.
    pub reason: Option<String>,
    /// Texts that the message has to contain.
    #[serde(default)]
    pub message_contains: Vec<String>,
    /// The accounts to choose from, in the cache's order.
    #[serde(default)]
    pub candidates: Vec<Candidate>,
    /// The authority's error.
    pub oauth: Option<OAuth>,
}

/// An account to choose.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The username.
    pub username: String,
    /// The home tenant.
    pub home_tenant_id: Option<String>,
}

/// An OAuth 2.0 error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// `error`.
    pub code: String,
    /// `suberror`.
    pub suberror: Option<String>,
    /// `error_description`.
    pub description: Option<String>,
    /// `error_codes`.
    #[serde(default)]
    pub error_codes: Vec<u64>,
    /// `claims`.
    pub claims: Option<String>,
    /// `correlation_id`.
    pub correlation_id: Option<String>,
}

/// An element of `traffic.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExchangeFile {
    pub(super) request: ExpectedRequest,
    pub(super) reply: ReplyFile,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedRequest {
    /// The token endpoint.
    pub url: String,
    /// The form, exact and in order.
    pub form: Vec<(String, String)>,
    /// Header fields that have to be present, among others.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// A response with a JSON `body` or any `text`, or an `error`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplyFile {
    pub(super) status: Option<u16>,
    pub(super) body: Option<Box<RawValue>>,
    pub(super) text: Option<String>,
    pub(super) error: Option<String>,
}
