//! One call, as the improvements see it.

use serde_json::Value;
use shared_token_cache_entra::client::AZURE_CLI;
use shared_token_cache_entra::cloud;
use shared_token_cache_entra::tenant::ORGANIZATIONS;

use super::change::HIDDEN;
use super::document::{Document, text_of};
use super::record::Record;
use super::situation::{Call, Content, Given, Ran, Reply};

/// One call: ours with its outcome, and the input of the reference.
#[derive(Debug, Clone)]
pub(crate) struct Case<'a> {
    /// The input of ours.
    pub(crate) original: &'a Given,
    /// The outcome of ours.
    pub(crate) ours: &'a Ran,
    /// The call of the same credential before it.
    pub(crate) earlier: Option<&'a Earlier>,
    /// The authentication record in the input of ours.
    pub(crate) record: Option<Record>,
    /// The input of the reference: at first the same.
    pub(crate) given: Given,
    /// Invalid entries that the reference does not get: their sections and keys.
    pub(crate) skipped: Vec<(&'static str, String)>,
    /// Refresh tokens that the reference does not get, because the authority refused them for ours.
    pub(crate) hidden: Vec<String>,
    /// The cached token that is the fallback of ours.
    pub(crate) fallback: Option<String>,
    /// Id tokens that the reference gets, each with the one that it replaces.
    pub(crate) stand_ins: Vec<(String, String)>,
}

/// A finished call.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    /// The arguments.
    pub(crate) call: Call,
    /// The outcome of ours.
    pub(crate) ours: Ran,
}

/// The tenant of a call's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// The account's home tenant, through `organizations`.
    Home,
    /// A named tenant.
    Named(String),
    /// A tenant that the options forbid.
    NotAllowed,
}

impl<'a> Case<'a> {
    /// A case in which both sides have the same input.
    pub(crate) fn new(original: &'a Given, ours: &'a Ran, earlier: Option<&'a Earlier>) -> Self {
        Self {
            original,
            ours,
            earlier,
            record: Record::of(&original.options),
            given: original.clone(),
            skipped: Vec::new(),
            hidden: Vec::new(),
            fallback: None,
            stand_ins: Vec::new(),
        }
    }

    /// The client of the call.
    pub(crate) fn client(&self) -> &str {
        self.record.as_ref().map_or(AZURE_CLI, |record| &record.client_id)
    }

    /// The host of the authority.
    pub(crate) fn authority(&self) -> String {
        let options = &self.original.options;
        let recorded = self.record.as_ref().map(|record| record.authority.as_str());
        let configured = recorded.or(options.authority.as_deref()).or(options.default_authority.as_deref());
        host_of(configured.unwrap_or(cloud::DEFAULT_HOST))
    }

    /// The document in the input of ours.
    pub(crate) fn document(&self) -> Document {
        self.original.content.document()
    }

    /// The document in the input of the reference, to be changed.
    pub(crate) fn document_mut(&mut self) -> Option<&mut Document> {
        match &mut self.given.content {
            Content::Document(document) => Some(document),
            Content::Missing | Content::Other(_) => None,
        }
    }

    /// Moves entries to an account that no call selects. They stay in place, as they still affect
    /// writes.
    pub(crate) fn hide(&mut self, section: &str, which: impl Fn(&Self, &Value) -> bool) {
        let mut document = self.given.content.document();
        document.each(section, |fields| {
            let entry = Value::Object(fields.clone());
            let home = text_of(&entry, "home_account_id");
            if !home.starts_with(HIDDEN) && which(self, &entry) {
                fields.insert("home_account_id".into(), format!("{HIDDEN}{home}").into());
            }
        });
        if let Some(given) = self.document_mut() {
            *given = document;
        }
    }

    /// Whether an environment belongs to the authority's cloud.
    pub(crate) fn is_alias(&self, environment: &str) -> bool {
        cloud::is_same(&self.authority(), environment)
    }

    /// Whether the credential may redeem a refresh token.
    pub(crate) fn is_usable(&self, entry: &Value) -> bool {
        self.is_alias(text_of(entry, "environment"))
            && (!text_of(entry, "family_id").is_empty() || is_of(entry, self.client()))
    }

    /// The tenant of the call.
    pub(crate) fn tenant(&self) -> Tenant {
        self.tenant_of(&self.original.call)
    }

    /// The tenant of a call of the credential.
    pub(crate) fn tenant_of(&self, call: &Call) -> Tenant {
        let options = &self.original.options;
        let recorded = self.record.as_ref().map(|record| options.home_tenant.as_ref().unwrap_or(&record.tenant_id));
        let configured = recorded.map_or(ORGANIZATIONS, String::as_str);
        let asked = call.tenant_id.as_deref().filter(|tenant| !tenant.is_empty()).unwrap_or(configured);
        let allowed = &options.allowed_tenants;
        let is_allowed = (allowed.is_empty() && configured == ORGANIZATIONS)
            || allowed.iter().any(|tenant| tenant == "*" || tenant.eq_ignore_ascii_case(asked));
        if asked == configured || options.disable_multitenant {
            recorded.map_or(Tenant::Home, |tenant| Tenant::Named(tenant.clone()))
        } else if is_allowed {
            Tenant::Named(asked.to_owned())
        } else {
            Tenant::NotAllowed
        }
    }

    /// The scopes of the call, one by one.
    pub(crate) fn scopes(&self) -> Vec<&str> {
        self.original.call.scopes.iter().flat_map(|scope| scope.split_whitespace()).collect()
    }

    /// The authority's response to a refresh token.
    pub(crate) fn reply_to(&self, refresh_token: &str) -> &Reply {
        let call = &self.original.call;
        call.replies.get(refresh_token).unwrap_or(&call.default_reply)
    }

    /// The response to the last request of ours; `None` if it sent none.
    pub(crate) fn last_reply(&self) -> Option<&Reply> {
        self.ours.requests.last().map(|request| self.reply_to(request.field("refresh_token")))
    }

    /// The owner of a refresh token.
    pub(crate) fn owner_of(&self, refresh_token: &str) -> String {
        let document = self.document();
        let mut entries = document.entries("RefreshToken").iter();
        let entry = entries.find(|(_, entry)| text_of(entry, "secret") == refresh_token);
        entry.map(|(_, entry)| text_of(entry, "home_account_id").to_owned()).unwrap_or_default()
    }
}

/// Whether an entry belongs to a client.
pub(crate) fn is_of(entry: &Value, client: &str) -> bool {
    text_of(entry, "client_id").eq_ignore_ascii_case(client)
}

/// Whether an access token is bound to a key, a user assertion or an extended cache key.
pub(crate) fn is_bound(entry: &Value) -> bool {
    is_bound_to_a_key(entry) || has(entry, "ext_cache_key")
}

/// Whether an access token is bound to a key or a user assertion.
pub(crate) fn is_bound_to_a_key(entry: &Value) -> bool {
    has(entry, "key_id") || has(entry, "user_assertion_hash")
}

fn has(entry: &Value, field: &str) -> bool {
    entry.get(field).is_some_and(|value| !value.is_null())
}

/// Whether an access token is a bearer token; a token without a type is one.
pub(crate) fn is_bearer(entry: &Value) -> bool {
    let kind = entry.get("token_type").filter(|kind| !kind.is_null());
    kind.is_none_or(|kind| kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")))
}

/// The home tenant in a home account id with exactly one dot.
pub(crate) fn home_tenant(home_account_id: &str) -> Option<&str> {
    home_account_id.split_once('.').map(|(_, tenant)| tenant).filter(|tenant| !tenant.contains('.'))
}

/// The host of an authority, in lower case.
pub(crate) fn host_of(authority: &str) -> String {
    let lower = authority.to_lowercase();
    lower.strip_prefix("https://").unwrap_or(&lower).trim_end_matches([' ', '/']).to_owned()
}
