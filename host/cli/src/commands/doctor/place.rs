//! One place of a cache.

use std::collections::BTreeSet;

use shared_token_cache::policy::Source;
use shared_token_cache::{CachedAccount, Error, Examination, UnavailableReason};

use super::super::accounts::hint;
use super::finding::Finding;

pub(super) struct PlaceReport {
    pub(super) source: Source,
    pub(super) enable_cae: bool,
    /// The state of the place; `None` if the policy forbids it or the place is unknown.
    pub(super) examined: Option<Examination>,
    /// The document's content; `None` if it can't be read.
    pub(super) contents: Option<Contents>,
    pub(super) findings: Vec<Finding>,
}

/// The numbers of a document's entries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) accounts: usize,
    pub(super) usable_accounts: usize,
    pub(super) usable_refresh_tokens: u64,
    pub(super) access_tokens: u64,
    pub(super) latest_expiry: Option<u64>,
}

impl PlaceReport {
    pub(super) fn new(
        source: Source,
        enable_cae: bool,
        examined: Result<Examination, Error>,
        accounts: Result<Vec<CachedAccount>, Error>,
    ) -> Self {
        let mut findings = Vec::new();
        let examined = match examined {
            Ok(examined) => {
                look_findings(&examined, &mut findings);
                Some(examined)
            }
            Err(_) => None,
        };
        let contents = match &accounts {
            Ok(accounts) => Some(Contents::of(accounts)),
            Err(error) => {
                findings.push(problem(error));
                None
            }
        };
        if let Ok(accounts) = &accounts {
            let found = examined.as_ref().is_none_or(|examined| examined.found);
            let near = examined.as_ref().is_some_and(|examined| !examined.near.is_empty());
            account_findings(&source, Place { found, near, enable_cae }, accounts, &mut findings);
        }
        Self { source, enable_cae, examined, contents, findings }
    }

    /// Whether there is anything to report.
    pub(super) fn is_there(&self) -> bool {
        self.examined.as_ref().is_none_or(|examined| examined.found || examined.lock.is_some())
    }

    /// Whether `get-token` uses the place without further options.
    pub(super) fn is_usable(&self) -> bool {
        !self.enable_cae && self.contents.as_ref().is_some_and(|contents| contents.usable_accounts > 0)
    }
}

impl Contents {
    fn of(accounts: &[CachedAccount]) -> Self {
        Self {
            accounts: accounts.len(),
            usable_accounts: accounts.iter().filter(|account| account.usable_refresh_tokens > 0).count(),
            usable_refresh_tokens: accounts.iter().map(|account| u64::from(account.usable_refresh_tokens)).sum(),
            access_tokens: accounts.iter().map(|account| u64::from(account.access_tokens)).sum(),
            latest_expiry: accounts.iter().filter_map(|account| account.latest_expiry).max(),
        }
    }
}

fn look_findings(examined: &Examination, findings: &mut Vec<Finding>) {
    for note in examined.notes.iter().chain(&examined.near) {
        findings.push(Finding::note(&note.what, &note.next));
    }
    if let Some(lock) = &examined.lock {
        let path = lock.path.display();
        let holder = if lock.holder.is_empty() { "a program that did not sign it" } else { &lock.holder };
        findings.push(if let Some(problem) = &lock.problem {
            let (what, next) = problem.rsplit_once("; ").unwrap_or((problem, "move it away"));
            Finding::note(what, format!("{} Until then new tokens are not stored.", sentence(next)))
        } else if lock.stale {
            Finding::note(
                format!("the lock {path} was left behind by {holder}"),
                "There is nothing to do: the next write takes it over; other tools may wait until you remove it.",
            )
        } else {
            Finding::note(
                format!("the lock {path} is held by {holder}"),
                "Wait for that program; new tokens are not stored while it holds the lock.",
            )
        });
    }
}

/// The properties of the place that matter for its accounts.
#[derive(Clone, Copy)]
struct Place {
    found: bool,
    /// Whether files nearby may be the intended cache.
    near: bool,
    enable_cae: bool,
}

/// Adds findings about a document's accounts for `get-token`.
fn account_findings(source: &Source, place: Place, accounts: &[CachedAccount], findings: &mut Vec<Finding>) {
    let usable = accounts.iter().filter(|account| account.usable_refresh_tokens > 0).count();
    match (place.found, accounts.len(), usable) {
        (false, ..) if place.near => findings.push(Finding::note("there is no cache", "See the files nearby.")),
        (false, ..) => findings.push(Finding::note("there is no cache", sign_in(source))),
        (true, 0, _) => findings.push(Finding::problem("the cache holds no account", sign_in(source))),
        (true, all, 0) => {
            let hints: BTreeSet<_> = accounts.iter().filter_map(hint).map(|hint| sentence(&hint)).collect();
            let hints: Vec<_> = hints.into_iter().collect();
            findings.push(Finding::problem(format!("none of the {all} accounts can be used"), hints.join(" ")));
        }
        (true, _, 1) if place.enable_cae => {
            findings.push(Finding::note("one account to use", "`get-token` uses it with `--enable-cae` only."));
        }
        (true, _, 1) => findings.push(Finding::good("one account to use")),
        (true, _, usable) => findings.push(Finding::note(
            format!("{usable} accounts to choose from"),
            "Select one with `--username`, `--tenant-id` or both; `accounts` lists them.",
        )),
    }
}

fn sign_in(source: &Source) -> &'static str {
    match source {
        Source::AzureCli => "Sign in with `az login`.",
        Source::Shared => {
            "Sign in with a tool that writes it, such as Visual Studio or Azure PowerShell, or use `--source azure-cli`."
        }
        Source::File(_) => "Check the path, or have the program that writes it sign in.",
    }
}

/// The reason why a document can't be read, with a remedy.
fn problem(error: &Error) -> Finding {
    const ANOTHER: &str = "Choose another `--source`.";
    match error {
        Error::Denied(denial) => {
            let next = denial.hint.as_deref().map_or_else(|| ANOTHER.to_owned(), sentence);
            Finding::problem(&denial.message, next)
        }
        Error::Limit(limit) => {
            let raise = limit.field.map_or_else(String::new, |field| format!("Raise `{field}` in the policy, or: "));
            Finding::problem(&limit.message, format!("{raise}{ANOTHER}"))
        }
        Error::CredentialUnavailable(unavailable) => {
            let next = match unavailable.reason {
                UnavailableReason::CacheCorrupt => "Restore it from a backup, or sign in again.",
                UnavailableReason::CacheUnavailable => "Fix what the message names, or choose another `--source`.",
                _ => ANOTHER,
            };
            Finding::problem(&unavailable.message, next)
        }
        error => Finding::problem(error.to_string(), ANOTHER),
    }
}

/// A hint as a sentence of its own.
fn sentence(hint: &str) -> String {
    let mut letters = hint.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::finding::Severity;
    use super::*;

    #[test]
    fn a_place_without_accounts_has_a_hint_for_signing_in() {
        let mut findings = Vec::new();
        let place = Place { found: true, near: false, enable_cae: false };
        account_findings(&Source::AzureCli, place, &[], &mut findings);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Severity::Problem);
        assert!(findings[0].next.contains("az login"));
    }
}
