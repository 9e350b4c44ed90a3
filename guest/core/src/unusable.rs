//! Accounts of the cache that the credential can't use, with the reason and a hint for each.

use std::collections::{HashMap, HashSet};

use crate::candidate::{Candidate, MOST_LISTED, is_usable};
use crate::document::Document;
use crate::options::Configuration;
use crate::text::quoted;
use crate::types::{Authority, HomeAccountId};

/// An account without a refresh token that the credential may redeem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub(crate) account: Candidate,
    why: Why,
}

/// The reason why an account can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// The account is of another cloud.
    Cloud(String),
    /// Its refresh tokens are of other clients, and of no family.
    Clients(Vec<String>),
    /// The operating system's account broker holds the sign-in.
    Broker,
    /// It has no refresh token.
    SignedOut,
}

impl Unusable {
    pub(crate) fn is_brokered(&self) -> bool {
        self.why == Why::Broker
    }

    /// The account, the reason and a remedy, as a sentence.
    fn in_words(&self) -> String {
        let name = quoted(&self.account.username);
        match &self.why {
            // An authority is compared without its port, as in MSAL's environments.
            Why::Cloud(host) if host.contains(':') => format!(
                "the account {name} is cached under {}, which has a port, so no authority matches it; sign in again",
                quoted(host)
            ),
            Why::Cloud(host) => {
                format!("the account {name} belongs to the cloud {}; select that with `--authority`", quoted(host))
            }
            Why::Clients(ids) => {
                let ids: Vec<_> = ids.iter().take(MOST_LISTED).map(|id| quoted(id)).collect();
                format!(
                    "the refresh token of {name} belongs to the client {}; select that with `--client-id`",
                    ids.join(" or ")
                )
            }
            Why::Broker => brokered(&name),
            Why::SignedOut => {
                format!(
                    "the cache holds no refresh token of the account {name}; sign in again with the tool that wrote it"
                )
            }
        }
    }
}

/// The hint for a sign-in that a broker holds. `name` is already quoted.
pub(crate) fn brokered(name: &str) -> String {
    format!(
        "the account broker of the operating system holds the sign-in of {name}, so the cache has access tokens of an hour or so \
         and no refresh token to renew them. Let the Azure CLI renew the token (`az account get-access-token --resource \
         RESOURCE`), which is then read from its cache; or use a credential that runs `az` (AzureCliCredential); or sign in \
         without the broker, which conditional access may forbid: `az config set core.enable_broker_on_windows=false` (macOS: \
         `core.enable_broker_on_mac`), `az account clear`, `az login`"
    )
}

/// All unusable accounts in the document's order. An account that is usable in this cloud is not
/// listed, even if other clouds hold entries of it.
pub(crate) fn all(document: &Document, authority: &Authority, configuration: &Configuration) -> Vec<Unusable> {
    let mut usable: HashSet<&HomeAccountId> = HashSet::new();
    let mut clients: HashMap<&HomeAccountId, Vec<String>> = HashMap::new();
    for token in document.refresh_tokens().iter().filter(|token| authority.has_alias(&token.environment)) {
        if is_usable(token, authority, configuration) {
            usable.insert(&token.home_account_id);
        } else {
            let clients = clients.entry(&token.home_account_id).or_default();
            if !clients.iter().any(|known| **known == *token.client_id) {
                clients.push(token.client_id.to_string());
            }
        }
    }

    let mut found: Vec<Unusable> = Vec::new();
    let mut positions: HashMap<&HomeAccountId, usize> = HashMap::new();
    for entry in document.accounts().iter().filter(|entry| !usable.contains(&entry.home_account_id)) {
        let id = &entry.home_account_id;
        let position = *positions.entry(id).or_insert_with(|| {
            let account = Candidate { home_account_id: id.clone(), username: String::new() };
            found.push(Unusable { account, why: Why::Cloud(entry.environment.to_string()) });
            found.len() - 1
        });
        let Some(known) = found.get_mut(position) else { continue };
        known.account.learn_name(entry);
        if !authority.has_alias(&entry.environment) {
            continue;
        }
        known.why = match (clients.get(id), entry.brokered || known.is_brokered()) {
            (Some(clients), _) => Why::Clients(clients.clone()),
            (None, true) => Why::Broker,
            (None, false) => Why::SignedOut,
        };
    }
    found
}

/// A message about unusable accounts and applications; `None` when there are neither.
pub(crate) fn explanation(unusable: &[&Unusable], document: &Document) -> Option<String> {
    let mut sentences: Vec<String> = unusable.iter().take(MOST_LISTED).map(|unusable| unusable.in_words()).collect();
    if unusable.len() > MOST_LISTED {
        sentences.push(format!("{} more accounts can't be used either", unusable.len() - MOST_LISTED));
    }
    let applications = document.applications();
    if unusable.is_empty() && !applications.is_empty() {
        let ids: Vec<_> = applications.iter().take(MOST_LISTED).map(|id| quoted(id)).collect();
        sentences.push(format!(
            "the cache holds no account, only access tokens of the application {}: that is the sign-in of a service principal \
             or a managed identity, which has no user; use a credential for applications, such as ClientSecretCredential or \
             AzureCliCredential, or sign in as a user (`az login`)",
            ids.join(", ")
        ));
    }
    (!sentences.is_empty()).then(|| sentences.join(". "))
}
