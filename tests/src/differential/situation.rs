//! The input of both sides, and the outcome.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::document::Document;
use crate::case::{Candidate, OAuth};

/// A situation: a credential, its caches, and one or two calls.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Situation {
    /// The credential's options and the host's settings.
    pub(crate) options: Options,
    /// The cache without Continuous Access Evaluation; `None` when there is none.
    pub(crate) without_cae: Option<String>,
    /// The cache with it.
    pub(crate) with_cae: Option<String>,
    /// The calls.
    pub(crate) calls: Vec<Call>,
    /// Whether the second call uses the cache that the reference wrote.
    pub(crate) handover: bool,
}

/// Options of the credential and settings of the host.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Options {
    /// Username of the account.
    pub(crate) username: Option<String>,
    /// The authentication record, as text that may be invalid.
    pub(crate) record: Option<String>,
    /// Host of the authority.
    pub(crate) authority: Option<String>,
    /// Home tenant of the account.
    pub(crate) home_tenant: Option<String>,
    /// Tenants that a call may name.
    pub(crate) allowed_tenants: Vec<String>,
    /// `AZURE_IDENTITY_DISABLE_MULTITENANTAUTH`.
    pub(crate) disable_multitenant: bool,
    /// `AZURE_AUTHORITY_HOST`.
    pub(crate) default_authority: Option<String>,
}

/// A call, and the authority's response to each refresh token during it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Call {
    /// The time.
    pub(crate) now: u64,
    /// The scopes.
    pub(crate) scopes: Vec<String>,
    /// The claims.
    pub(crate) claims: Option<String>,
    /// The tenant.
    pub(crate) tenant_id: Option<String>,
    /// Whether the call enables Continuous Access Evaluation.
    pub(crate) enable_cae: bool,
    /// Responses by refresh token.
    pub(crate) replies: BTreeMap<String, Reply>,
    /// The response to any other refresh token.
    pub(crate) default_reply: Reply,
    /// The response to metadata requests.
    pub(crate) discovery: Discovery,
}

/// The authority's metadata. Only MSAL requests it, which the reference uses with an authentication
/// record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Discovery {
    /// The HTTP status code; 0 breaks the connection instead.
    pub(crate) status: u16,
    /// Whether every host is a known authority, not only those of Microsoft's clouds.
    pub(crate) any_authority: bool,
    /// Whether a tenant of any name exists.
    pub(crate) any_tenant: bool,
    /// Whether a tenant's endpoints contain its id, whatever name was requested.
    pub(crate) tenants_by_id: bool,
}

impl Default for Discovery {
    /// The behaviour of Microsoft Entra ID.
    fn default() -> Self {
        Self { status: 200, any_authority: false, any_tenant: false, tenants_by_id: true }
    }
}

/// A response of the authority.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Reply {
    /// The HTTP status code; 0 breaks the connection instead.
    pub(crate) status: u16,
    /// The type of the body.
    pub(crate) content_type: String,
    /// The body.
    pub(crate) body: String,
}

impl Reply {
    /// A JSON response.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json; charset=utf-8".into(), body: body.to_string() }
    }

    /// The body as JSON; `null` if it is not JSON.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// One call with its whole input, as sent to the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Given {
    /// Options and settings.
    #[serde(flatten)]
    pub(crate) options: Options,
    /// The call.
    #[serde(flatten)]
    pub(crate) call: Call,
    /// The cache that the call uses.
    #[serde(rename = "document", serialize_with = "as_text")]
    pub(crate) content: Content,
}

/// The content of the cache file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// No file.
    Missing,
    /// A document.
    Document(Document),
    /// Text that is not a JSON object, or is empty.
    Other(String),
}

impl Content {
    /// Reads the file.
    pub(crate) fn of(text: Option<&str>) -> Self {
        match text {
            None => Self::Missing,
            Some(text) => Document::parse(text).map_or_else(|| Self::Other(text.to_owned()), Self::Document),
        }
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Document(document) => Some(document.text()),
            Self::Other(text) => Some(text.clone()),
        }
    }

    /// The document, if there is one; a byte order mark is skipped.
    pub(crate) fn document(&self) -> Document {
        match self.clone().unmarked() {
            Self::Document(document) => document,
            Self::Missing | Self::Other(_) => Document::default(),
        }
    }

    /// The text without a byte order mark.
    pub(crate) fn unmarked(self) -> Self {
        match &self {
            Self::Other(text) => text.strip_prefix('\u{feff}').map(|rest| Self::of(Some(rest))).unwrap_or(self),
            Self::Missing | Self::Document(_) => self,
        }
    }
}

fn as_text<S: serde::Serializer>(content: &Content, serializer: S) -> Result<S::Ok, S::Error> {
    content.text().serialize(serializer)
}

/// The outcome of a call on one side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ran {
    /// Token or error.
    pub(crate) outcome: Outcome,
    /// The posted forms.
    pub(crate) requests: Vec<Request>,
    /// The cache after the call.
    pub(crate) document: Option<String>,
}

/// A posted form.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub(crate) struct Request {
    /// The URL.
    pub(crate) url: String,
    /// Its fields.
    pub(crate) form: BTreeMap<String, String>,
}

impl Request {
    /// A field of the form.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.form.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// Token or error.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// A token.
    Token {
        /// The token itself.
        token: String,
        /// When it expires.
        expires_on: u64,
        /// When to refresh it.
        refresh_on: Option<u64>,
        /// Its type.
        token_type: Option<String>,
    },
    /// An error.
    Error {
        /// The reason's name in the contract; for an exception without one, `raised ` and its
        /// class.
        name: String,
        /// The text.
        message: String,
        /// Details of an OAuth 2.0 error. The reference has them in the text, if at all.
        oauth: Option<OAuth>,
        /// The accounts to choose from. The reference has none.
        candidates: Vec<Candidate>,
    },
}

impl Outcome {
    /// The error's name; empty for a token.
    pub(crate) fn error(&self) -> &str {
        match self {
            Self::Token { .. } => "",
            Self::Error { name, .. } => name,
        }
    }

    /// The token; empty for an error.
    pub(crate) fn token(&self) -> &str {
        match self {
            Self::Token { token, .. } => token,
            Self::Error { .. } => "",
        }
    }
}
