use std::process::ExitCode;

use serde_json::{Value, json};
use shared_token_cache::policy::Source;
use shared_token_cache::{CachedAccount, Error, Hindrance};

use super::arguments::{Accounts, ListForm};
use super::credential;
use super::output::{self, Failure, clean, print_line};
use super::terminal::{HEADING, HINT, Line, aligned};

/// Prints the accounts of every source: the usable ones, and the others with the reason. A source
/// that can't be read does not affect the others.
pub(super) async fn run(arguments: Accounts) -> Result<ExitCode, Failure> {
    let credential = credential::builder(arguments.sign_in)?.build()?;
    let accounts = readable(credential.accounts(false).await)?;
    match arguments.output {
        ListForm::Json => {
            let accounts: Vec<_> = accounts.iter().map(|(source, account)| to_json(source, account)).collect();
            output::print_json(&json!({ "accounts": accounts }))?;
        }
        ListForm::Text => {
            print_table(&accounts)?;
            if !accounts.iter().any(|(_, cached)| is_usable(cached)) {
                super::complain("no account with a usable sign-in");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn readable(
    sources: Vec<(Source, Result<Vec<CachedAccount>, Error>)>,
) -> Result<Vec<(Source, CachedAccount)>, Failure> {
    let mut all = Vec::new();
    let mut read = false;
    let mut problems = Vec::new();
    for (source, found) in sources {
        match found {
            Ok(accounts) => {
                read = true;
                all.extend(accounts.into_iter().map(|account| (source.clone(), account)));
            }
            Err(error) => problems.push((source, error)),
        }
    }
    match problems.into_iter().next() {
        Some((_, error)) if !read => return Err(error.into()),
        Some((source, error)) => super::complain(&format!("{source} is left out: {error}")),
        None => {}
    }
    Ok(all)
}

fn is_usable(cached: &CachedAccount) -> bool {
    cached.usable_refresh_tokens > 0
}

/// One row per account, with hints below the unusable ones.
fn print_table(accounts: &[(Source, CachedAccount)]) -> Result<(), Failure> {
    if accounts.is_empty() {
        return Ok(());
    }
    let heading = ["ACCOUNT", "HOME TENANT", "CLOUD", "SOURCE", "USABLE"].map(str::to_owned);
    let rows = accounts.iter().map(|(source, cached)| row(source, cached));
    let mut lines = aligned(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()).into_iter();
    print_line(&Line::default().styled(HEADING, &lines.next().unwrap_or_default()))?;
    for (line, (_, cached)) in lines.zip(accounts) {
        print_line(&Line::new(&line))?;
        if let Some(hint) = hint(cached) {
            print_line(&Line::new("  ").styled(HINT, "hint:").text(&format!(" {hint}")))?;
        }
    }
    Ok(())
}

fn row(source: &Source, cached: &CachedAccount) -> [String; 5] {
    let account = match &cached.hindrance {
        Some(Hindrance::Application(client_id)) => format!("(application {})", clean(client_id)),
        _ => output::name(&cached.account),
    };
    let tenant = cached.account.home_tenant_id.as_deref().map_or_else(|| "unknown".to_owned(), clean);
    let usable = match &cached.hindrance {
        _ if is_usable(cached) => "yes".to_owned(),
        Some(hindrance) => format!("no: {}", hindrance.as_str()),
        None => "no".to_owned(),
    };
    [account, tenant, clean(&cached.environment), clean(&source.to_string()), usable]
}

/// The reason why an account can't be used, with a remedy.
pub(super) fn hint(cached: &CachedAccount) -> Option<String> {
    if is_usable(cached) {
        return None;
    }
    Some(match &cached.hindrance {
        Some(Hindrance::OtherCloud) => {
            format!("it belongs to another cloud; select that with `--authority {}`", clean(&cached.environment))
        }
        Some(Hindrance::OtherClient(ids)) => {
            let ids: Vec<_> = ids.iter().map(|id| clean(id)).collect();
            format!(
                "its refresh token belongs to another client; select that with `--client-id {}`",
                ids.join("` or `--client-id ")
            )
        }
        Some(Hindrance::Broker) => {
            "the account broker of the operating system holds its sign-in: cached access tokens are served until they expire, and \
             `az account get-access-token` renews them; or use AzureCliCredential, or sign in without the broker (`az config set \
             core.enable_broker_on_windows=false`, macOS: `core.enable_broker_on_mac`), which conditional access may forbid"
                .into()
        }
        Some(Hindrance::Application(_)) => {
            "it is the sign-in of a service principal or a managed identity, which has no user; use a credential for applications, \
             such as ClientSecretCredential or AzureCliCredential"
                .into()
        }
        _ => {
            "the cache holds no refresh token of it; sign in again with the tool that wrote it".into()
        }
    })
}

fn to_json(source: &Source, cached: &CachedAccount) -> Value {
    json!({
        "username": cached.account.username,
        "home_tenant_id": cached.account.home_tenant_id,
        "environment": cached.environment,
        "tenants": cached.tenants,
        "source": source.to_string(),
        "usable": is_usable(cached),
        "reason": cached.hindrance.as_ref().map(Hindrance::as_str),
        "client_ids": client_ids(cached),
        "hint": hint(cached),
    })
}

/// The clients of an account's refresh tokens, or the application itself, if that is the reason.
fn client_ids(cached: &CachedAccount) -> Vec<&str> {
    match &cached.hindrance {
        Some(Hindrance::OtherClient(ids)) => ids.iter().map(String::as_str).collect(),
        Some(Hindrance::Application(id)) => vec![id],
        _ => Vec::new(),
    }
}
