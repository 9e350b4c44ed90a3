//! Selection of the account that a credential uses.

use std::collections::{HashMap, HashSet};
use std::fmt;

use shared_token_cache_entra::tenant::{is_adfs, means_home};

use crate::candidate::{Candidate, MOST_LISTED, is_usable};
use crate::document::Document;
use crate::error::{Error, Unavailable, UnavailableReason};
use crate::options::Configuration;
use crate::record::AuthenticationRecord;
use crate::text::quoted;
use crate::types::{Authority, HomeAccountId};
use crate::unusable::{self, Unusable};

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
        if let Some(candidate) = candidates.get_mut(position) {
            candidate.learn_name(entry);
        }
    }
    candidates
}

/// The cache's content, for the selection of an account.
pub(crate) struct Holdings<'a> {
    pub(crate) document: &'a Document,
    pub(crate) authority: &'a Authority,
    pub(crate) configuration: &'a Configuration,
    /// The accounts to choose from.
    pub(crate) candidates: &'a [Candidate],
    /// The place where no cache was found.
    pub(crate) missing: Option<&'a str>,
}

/// The one account that the credential's username and tenant select.
pub(crate) fn select(holdings: &Holdings<'_>) -> Result<Candidate, Error> {
    only(holdings.candidates, holdings.configuration).unwrap_or_else(|| Err(not_found(holdings)))
}

/// The one of these accounts that the credential's username and tenant select; `None` if none
/// matches.
pub(crate) fn only(candidates: &[Candidate], configuration: &Configuration) -> Option<Result<Candidate, Error>> {
    let filters = Filters::of(configuration);
    match (matching(candidates, configuration).as_slice(), filters.is_some()) {
        ([], _) => None,
        ([account], _) => Some(Ok((*account).clone())),
        (several, false) => Some(Err(listing(
            UnavailableReason::MultipleAccounts,
            format!("the cache holds {} accounts; select one by username, tenant or both", several.len()),
            several,
        ))),
        (several, true) => Some(Err(listing(
            UnavailableReason::MultipleMatchingAccounts,
            format!("{} accounts in the cache have {filters}; select one by username and tenant", several.len()),
            several,
        ))),
    }
}

fn matching<'a>(candidates: &'a [Candidate], configuration: &Configuration) -> Vec<&'a Candidate> {
    let filters = Filters::of(configuration);
    let by_name: Vec<&Candidate> =
        candidates.iter().filter(|candidate| has_username(candidate, filters.username)).collect();
    // A guest's home is another tenant, so the tenant only selects among several accounts.
    let tenant_decides = !configuration.enable_guest_tenant_authentication || by_name.len() > 1;
    by_name.into_iter().filter(|candidate| !tenant_decides || lives_in(candidate, filters.tenant)).collect()
}

/// The error when no account can be used, with a hint.
fn not_found(holdings: &Holdings<'_>) -> Error {
    let Holdings { document, authority, configuration, candidates, missing } = holdings;
    let none = |reason, message: String| Error::unavailable(reason, message);
    let sign_in = "sign in with a tool that writes it, such as Visual Studio, Azure PowerShell or `az login`";
    if let Some(place) = missing {
        return none(UnavailableReason::NoAccounts, format!("there is no {place}; {sign_in}"));
    }
    let unusable = unusable::all(document, authority, configuration);
    let accounts: Vec<Candidate> = unusable.iter().map(|unusable| unusable.account.clone()).collect();
    let meant = matching(&accounts, configuration);
    let meant: Vec<&Unusable> = unusable.iter().filter(|unusable| meant.contains(&&unusable.account)).collect();
    // Accounts that match the filters are explained; without a match, and without any usable
    // account, all are.
    let explained = if meant.is_empty() && candidates.is_empty() { unusable.iter().collect() } else { meant };
    match explained.as_slice() {
        [account] if account.is_brokered() && candidates.is_empty() => {
            let message = unusable::explanation(&explained, document).unwrap_or_default();
            none(UnavailableReason::NoToken, message)
        }
        [] if !candidates.is_empty() => no_match(holdings),
        _ => {
            let reason = if candidates.is_empty() {
                UnavailableReason::NoAccounts
            } else {
                UnavailableReason::NoMatchingAccount
            };
            let empty = || format!("the cache holds no account; {sign_in}");
            none(reason, unusable::explanation(&explained, document).unwrap_or_else(empty))
        }
    }
}

/// The error when no account has the username and tenant, with the accounts of the cache.
fn no_match(holdings: &Holdings<'_>) -> Error {
    let Holdings { document, authority, configuration, candidates, .. } = holdings;
    let filters = Filters::of(configuration);
    let none = format!("none of the {} accounts in the cache has {filters}", candidates.len());
    let message = match filters.tenant {
        None => format!("{none}; select one of them, or sign in with the other"),
        Some(tenant) => {
            let named = candidates.iter().filter(|candidate| has_username(candidate, filters.username));
            let known: Vec<_> =
                named.take(MOST_LISTED).map(|candidate| candidate.whereabouts(document, authority)).collect();
            let instead = if means_home(tenant) {
                format!("{tenant} means any tenant, so leave the option out")
            } else {
                format!("for a token of another tenant leave the option out and use `--request-tenant {tenant}`")
            };
            let known = if known.is_empty() { String::new() } else { format!(": {}", known.join("; ")) };
            format!(
                "{none}. The option `tenant-id` selects an account by the id of the tenant that it lives in{known}; {instead}"
            )
        }
    };
    let all: Vec<&Candidate> = candidates.iter().collect();
    listing(UnavailableReason::NoMatchingAccount, message, &all)
}

/// The account of an authentication record. It needs no refresh token, because a cached access
/// token may serve.
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
                quoted(&record.username)
            ),
        )),
    }
}

/// Whether every entry of the record's account has another username: the account was renamed, or
/// the record was edited.
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

/// Whether the tenant is the account's home. AD FS has no tenants, so its account ids name none.
fn lives_in(candidate: &Candidate, tenant: Option<&str>) -> bool {
    tenant.is_none_or(|tenant| match candidate.home_account_id.home_tenant() {
        Some(home) => home.eq_ignore_ascii_case(tenant),
        None => is_adfs(tenant),
    })
}

/// The options that select an account.
#[derive(Clone, Copy)]
struct Filters<'a> {
    username: Option<&'a str>,
    tenant: Option<&'a str>,
}

impl<'a> Filters<'a> {
    fn of(configuration: &'a Configuration) -> Self {
        let tenant = configuration.tenant_id.as_ref().map(|tenant| tenant.as_str());
        Self { username: configuration.username.as_deref(), tenant }
    }

    fn is_some(self) -> bool {
        self.username.is_some() || self.tenant.is_some()
    }
}

impl fmt::Display for Filters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let username = self.username.map(|name| format!("the username {}", quoted(name)));
        let tenant = self.tenant.map(|tenant| format!("the home tenant {}", quoted(tenant)));
        let filters: Vec<_> = username.into_iter().chain(tenant).collect();
        f.write_str(&filters.join(" and "))
    }
}

fn listing(reason: UnavailableReason, message: String, accounts: &[&Candidate]) -> Error {
    let candidates = accounts.iter().map(|candidate| candidate.to_account()).collect();
    Error::CredentialUnavailable(Unavailable { reason, message, candidates })
}
