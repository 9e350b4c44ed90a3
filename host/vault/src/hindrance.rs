//! Reasons why a credential cannot use an account of a document.

use std::collections::BTreeMap;

use shared_token_cache_entra::account::home_tenant;
use shared_token_cache_entra::schema::{BROKER, Section};

use crate::facts::Facts;
use crate::index::Field;
use crate::session::Session;

/// The reason why a credential cannot use an account of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hindrance {
    /// The account is of another cloud than the credential's authority.
    OtherCloud,
    /// The account's refresh tokens belong to these clients and to no family, and the credential is
    /// another client.
    OtherClient(Vec<String>),
    /// The operating system's account broker holds the sign-in: there are access tokens, but no
    /// refresh token.
    Broker,
    /// The account has no refresh token: the user signed out.
    NoRefreshToken,
    /// Not an account: an application, such as a service principal, with access tokens of its own.
    Application(String),
}

impl Hindrance {
    /// The kind of hindrance in a word, for programs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::OtherCloud => "other-cloud",
            Self::OtherClient(_) => "other-client",
            Self::Broker => "broker",
            Self::NoRefreshToken => "no-refresh-token",
            Self::Application(_) => "application",
        }
    }
}

/// An application's access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The client id.
    pub client_id: String,
    /// The cloud.
    pub environment: String,
    /// The tenants of the tokens.
    pub tenants: Vec<String>,
    /// The number of tokens.
    pub access_tokens: u32,
    /// The latest expiry, in seconds since the Unix epoch.
    pub latest_expiry: Option<u64>,
}

impl Session {
    /// The reason why the credential cannot use an account that the component listed as unusable,
    /// in one of its two caches.
    #[must_use]
    pub fn hindrance(
        &self,
        enable_cae: bool,
        username: &str,
        home_tenant_id: Option<&str>,
        environment: &str,
    ) -> Option<Hindrance> {
        let credential = self.vault.credential();
        if !credential.is_cloud(environment) {
            return Some(Hindrance::OtherCloud);
        }
        let document = self.document(&credential.document_name(enable_cae))?;
        let in_cloud = |environment: &str| credential.is_cloud(environment);
        let is_meant = |facts: &Facts<'_>| {
            let id = facts.text(Field::HomeAccountId).unwrap_or_default();
            home_tenant(&id) == home_tenant_id
                && in_cloud(&facts.text(Field::Environment).unwrap_or_default())
                && document.accounts_index().username(&id, in_cloud) == Some(username)
        };
        let mut clients: Vec<String> = Vec::new();
        for facts in document.tokens().filter(|facts| facts.section() == Section::RefreshToken && is_meant(facts)) {
            let client = facts.text(Field::ClientId).unwrap_or_default().into_owned();
            if !clients.contains(&client) {
                clients.push(client);
            }
        }
        let brokered = |facts: &Facts<'_>| facts.text(Field::AccountSource).is_some_and(|source| source == BROKER);
        Some(if !clients.is_empty() {
            Hindrance::OtherClient(clients)
        } else if document.account_entries().any(|facts| is_meant(&facts) && brokered(&facts)) {
            Hindrance::Broker
        } else {
            Hindrance::NoRefreshToken
        })
    }

    /// The applications that have access tokens in one of the credential's two caches, and that the
    /// policy allows.
    #[must_use]
    pub fn applications(&self, enable_cae: bool) -> Vec<Application> {
        let credential = self.vault.credential();
        let mut found: BTreeMap<(String, String), Application> = BTreeMap::new();
        let document = self.document(&credential.document_name(enable_cae));
        let tokens = document.into_iter().flat_map(|document| document.tokens());
        for facts in tokens.filter(|facts| facts.section() == Section::AccessToken) {
            let text = |field| facts.text(field).unwrap_or_default().into_owned();
            let client_id = text(Field::ClientId);
            let no_account = text(Field::HomeAccountId).is_empty() && !client_id.is_empty();
            let policy = &credential.policy;
            if !no_account || policy.check_client(&client_id).and(policy.check_account("", "")).is_err() {
                continue;
            }
            let (environment, realm) = (text(Field::Environment), text(Field::Realm));
            let application = found.entry((client_id.clone(), environment.clone())).or_insert(Application {
                client_id,
                environment,
                tenants: Vec::new(),
                access_tokens: 0,
                latest_expiry: None,
            });
            application.access_tokens += 1;
            application.latest_expiry = application.latest_expiry.max(facts.seconds(Field::ExpiresOn));
            if !realm.is_empty() && !application.tenants.contains(&realm) {
                application.tenants.push(realm);
            }
        }
        found.into_values().collect()
    }
}
