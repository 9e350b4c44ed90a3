//! What both sides are given, and what came of it.

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
    /// Whether the second call finds the cache as the reference left it.
    pub(crate) handover: bool,
}

/// Options of the credential and settings of the host.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Options {
    /// Username of the account.
    pub(crate) username: Option<String>,
    /// The authentication record, as text: it may be no record at all.
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

/// A call, and what the authority answers to each refresh token during it.
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
    /// Whether Continuous Access Evaluation is asked for.
    pub(crate) enable_cae: bool,
    /// Answers by refresh token.
    pub(crate) replies: BTreeMap<String, Reply>,
    /// The answer to any other refresh token.
    pub(crate) default_reply: Reply,
    /// The answer to questions for metadata.
    pub(crate) discovery: Discovery,
}

/// What authorities say about themselves. Nobody but MSAL asks, which the reference uses with an authentication record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Discovery {
    /// The HTTP status code; 0 breaks the connection instead.
    pub(crate) status: u16,
    /// Whether every host is known to be an authority, not only those of Microsoft's clouds.
    pub(crate) any_authority: bool,
    /// Whether there is a tenant of every name.
    pub(crate) any_tenant: bool,
    /// Whether a tenant's endpoints have its id in them, by whatever name it was asked for.
    pub(crate) tenants_by_id: bool,
}

impl Default for Discovery {
    /// As Microsoft Entra ID does it.
    fn default() -> Self {
        Self { status: 200, any_authority: false, any_tenant: false, tenants_by_id: true }
    }
}

/// An answer of the authority.
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
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json; charset=utf-8".into(), body: body.to_string() }
    }

    /// The body as JSON; `null` when it is not.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// One call with all that bears on it: what the reference is asked.
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

/// What is in the cache's place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// Nothing.
    Missing,
    /// A document.
    Document(Document),
    /// Text that is no JSON object, the empty text included.
    Other(String),
}

impl Content {
    /// Reads what is there.
    pub(crate) fn of(text: Option<&str>) -> Self {
        match text {
            None => Self::Missing,
            Some(text) => Document::parse(text).map_or_else(|| Self::Other(text.to_owned()), Self::Document),
        }
    }

    /// The text to put there.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Document(document) => Some(document.text()),
            Self::Other(text) => Some(text.clone()),
        }
    }

    /// The document, if it is one. A byte order mark does no harm.
    pub(crate) fn document(&self) -> Document {
        match self.clone().unmarked() {
            Self::Document(document) => document,
            Self::Missing | Self::Other(_) => Document::default(),
        }
    }

    /// The same without a byte order mark.
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

/// What came of a call on one side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ran {
    /// Token or error.
    pub(crate) outcome: Outcome,
    /// The forms that were posted.
    pub(crate) requests: Vec<Request>,
    /// The cache that was left behind.
    pub(crate) document: Option<String>,
}

/// A form that was posted.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub(crate) struct Request {
    /// Where to.
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
        /// When to replace it.
        refresh_on: Option<u64>,
        /// Its type.
        token_type: Option<String>,
    },
    /// An error.
    Error {
        /// The reason by its name in the contract; for an exception that has none there, its class after `raised `.
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
