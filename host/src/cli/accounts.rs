use std::process::ExitCode;

use serde_json::{Value, json};
use shared_token_cache::policy::Source;
use shared_token_cache::{CachedAccount, Error};

use super::arguments::{Accounts, ListForm};
use super::credential;
use super::output::{self, Failure, print};

/// Prints the accounts to choose from, of every source. A source that can't be read costs the others nothing.
pub(super) async fn run(arguments: Accounts) -> Result<ExitCode, Failure> {
    let credential = credential::builder(arguments.sign_in)?.build()?;
    let accounts = usable(credential.accounts(false).await)?;
    match arguments.output {
        ListForm::Json => {
            let accounts: Vec<_> = accounts.iter().map(|(source, account)| to_json(source, account)).collect();
            output::print_json(&json!({ "accounts": accounts }))?;
        }
        ListForm::Text if accounts.is_empty() => super::complain("no account with a usable sign-in"),
        ListForm::Text => {
            for (source, cached) in &accounts {
                let account = output::line(&cached.account);
                print(&format!("{account}, {}, from {source}", cached.environment))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn usable(sources: Vec<(Source, Result<Vec<CachedAccount>, Error>)>) -> Result<Vec<(Source, CachedAccount)>, Failure> {
    let mut usable = Vec::new();
    let mut read = false;
    let mut problems = Vec::new();
    for (source, found) in sources {
        match found {
            Ok(accounts) => {
                read = true;
                let accounts = accounts.into_iter().filter(|account| account.usable_refresh_tokens > 0);
                usable.extend(accounts.map(|account| (source.clone(), account)));
            }
            Err(error) => problems.push((source, error)),
        }
    }
    match problems.into_iter().next() {
        Some((_, error)) if !read => return Err(error.into()),
        Some((source, error)) => super::complain(&format!("{source} is left out: {error}")),
        None => {}
    }
    Ok(usable)
}

fn to_json(source: &Source, cached: &CachedAccount) -> Value {
    json!({
        "username": cached.account.username,
        "home_tenant_id": cached.account.home_tenant_id,
        "environment": cached.environment,
        "tenants": cached.tenants,
        "source": source.to_string(),
    })
}
