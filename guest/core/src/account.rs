//! Which account a credential uses.

use std::collections::{HashMap, HashSet};

use crate::document::{Document, RefreshTokenEntry};
use crate::error::{Error, Unavailable, UnavailableReason};
use crate::options::Configuration;
use crate::record::AuthenticationRecord;
use crate::types::{Account, Authority, HomeAccountId};

/// An account with a refresh token that this credential may use. Entries of several realms make one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) home_account_id: HomeAccountId,
    pub(crate) username: String,
}

impl Candidate {
    pub(crate) fn to_account(&self) -> Account {
        Account {
            username: self.username.clone(),
            home_tenant_id: self.home_account_id.home_tenant().map(str::to_owned),
        }
    }
}

/// Whether this credential may redeem a refresh token: it is of its client, or of a family of clients that share theirs.
///
/// Before January 2026 every sign-in of the Azure CLI's client came with a family; since then its own client id has to do.
pub(crate) fn is_usable(token: &RefreshTokenEntry, authority: &Authority, configuration: &Configuration) -> bool {
    authority.has_alias(&token.environment)
        && (token.family_id.is_some() || configuration.client_id.is(&token.client_id))
}

/// The accounts to choose from, in the document's order.
pub(crate) fn candidates(document: &Document, authority: &Authority, configuration: &Configuration) -> Vec<Candidate> {
    let with_token: HashSet<&HomeAccountId> = document
        .refresh_tokens()
        .iter()
        .filter(|token| is_usable(token, authority, configuration))
        .map(|token| &token.home_account_id)
        .collect();

    let mut candidates: Vec<Candidate> = Vec::new();
    let mut positions: HashMap<&HomeAccountId, usize> = HashMap::new();
    let entries = document
        .accounts()
        .iter()
        .filter(|entry| authority.has_alias(&entry.environment) && with_token.contains(&entry.home_account_id));
    for entry in entries {
        let position = *positions.entry(&entry.home_account_id).or_insert_with(|| {
            candidates.push(Candidate { home_account_id: entry.home_account_id.clone(), username: String::new() });
            candidates.len() - 1
        });
        let Some(candidate) = candidates.get_mut(position) else { continue };
        let home = entry.home_account_id.home_tenant().is_some_and(|home| home.eq_ignore_ascii_case(&entry.realm));
        // A refresh writes entries without a username, which must not hide the one that a sign-in wrote.
        if !entry.username.is_empty() && (home || candidate.username.is_empty()) {
            candidate.username = entry.username.to_string();
        }
    }
    candidates
}

/// The one account that the credential's username and tenant select. `missing` says where the cache was looked for in vain.
pub(crate) fn select(
    candidates: &[Candidate],
    missing: Option<&str>,
    configuration: &Configuration,
) -> Result<Candidate, Error> {
    if candidates.is_empty() {
        let why = match missing {
            Some(place) => format!("there is no {place}"),
            None => "the cache holds no account with a refresh token that this client may use".into(),
        };
        return Err(Error::unavailable(
            UnavailableReason::NoAccounts,
            format!("{why}; sign in with a tool that writes it, such as Visual Studio, Azure PowerShell or `az login`"),
        ));
    }
    let username = configuration.username.as_deref();
    let tenant = configuration.tenant_id.as_ref().map(|tenant| tenant.as_str());

    let by_name: Vec<&Candidate> = candidates.iter().filter(|candidate| has_username(candidate, username)).collect();
    // A guest's home is elsewhere, so there the tenant is asked only to tell several accounts apart.
    let tenant_decides = !configuration.enable_guest_tenant_authentication || by_name.len() > 1;
    let matching: Vec<&Candidate> =
        by_name.into_iter().filter(|candidate| !tenant_decides || lives_in(candidate, tenant)).collect();

    match (matching.as_slice(), username.is_some() || tenant.is_some()) {
        ([account], _) => Ok((*account).clone()),
        ([], _) => Err(Error::unavailable(
            UnavailableReason::NoMatchingAccount,
            format!(
                "none of the {} accounts in the cache has {}; sign in with that account, or ask for another",
                candidates.len(),
                filters(username, tenant)
            ),
        )),
        (_, false) => Err(ambiguous(
            UnavailableReason::MultipleAccounts,
            format!("the cache holds {} accounts; say which one by username, tenant or both", matching.len()),
            &matching,
        )),
        (_, true) => Err(ambiguous(
            UnavailableReason::MultipleMatchingAccounts,
            format!(
                "{} accounts in the cache have {}; give username and tenant to select one",
                matching.len(),
                filters(username, tenant)
            ),
            &matching,
        )),
    }
}

/// The account of an authentication record. It needs no refresh token to be found.
pub(crate) fn recorded(
    document: &Document,
    authority: &Authority,
    record: &AuthenticationRecord,
) -> Result<Candidate, Error> {
    let mut entries = document
        .accounts()
        .iter()
        .filter(|entry| entry.home_account_id == record.home_account_id && authority.has_alias(&entry.environment));
    match entries.next() {
        Some(_) => Ok(Candidate { home_account_id: record.home_account_id.clone(), username: record.username.clone() }),
        None => Err(Error::unavailable(
            UnavailableReason::NoMatchingAccount,
            format!(
                "the cache does not hold the account of the authentication record ({}); sign in again and make a new record",
                record.username
            ),
        )),
    }
}

/// Whether the cache knows the record's account by another name only: it was renamed, or the record was tampered with.
pub(crate) fn is_renamed(document: &Document, record: &AuthenticationRecord) -> bool {
    let mut names = document
        .accounts()
        .iter()
        .filter(|entry| entry.home_account_id == record.home_account_id && !entry.username.is_empty())
        .map(|entry| entry.username.to_lowercase())
        .peekable();
    names.peek().is_some() && !names.any(|name| name == record.username.to_lowercase())
}

fn has_username(candidate: &Candidate, username: Option<&str>) -> bool {
    username.is_none_or(|username| {
        candidate.username.eq_ignore_ascii_case(username)
            || candidate.username.to_lowercase() == username.to_lowercase()
    })
}

fn lives_in(candidate: &Candidate, tenant: Option<&str>) -> bool {
    tenant.is_none_or(|tenant| {
        candidate.home_account_id.home_tenant().is_some_and(|home| home.eq_ignore_ascii_case(tenant))
    })
}

fn filters(username: Option<&str>, tenant: Option<&str>) -> String {
    match (username, tenant) {
        (Some(username), Some(tenant)) => format!("username {username} and home tenant {tenant}"),
        (Some(username), None) => format!("username {username}"),
        (None, Some(tenant)) => format!("home tenant {tenant}"),
        (None, None) => "a usable refresh token".into(),
    }
}

fn ambiguous(reason: UnavailableReason, message: String, matching: &[&Candidate]) -> Error {
    let candidates = matching.iter().map(|candidate| candidate.to_account()).collect();
    Error::CredentialUnavailable(Unavailable { reason, message, candidates })
}
