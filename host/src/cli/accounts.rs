use std::process::ExitCode;

use serde_json::json;

use super::arguments::{Accounts, ListForm};
use super::credential;
use super::output::{self, Failure, print};

pub(super) async fn run(arguments: Accounts) -> Result<ExitCode, Failure> {
    let (source, accounts) = credential::builder(arguments.sign_in)?.build()?.accounts().await?;
    match arguments.output {
        ListForm::Json => {
            print(&json!({ "source": source.to_string(), "accounts": output::accounts(&accounts) }).to_string())?;
        }
        ListForm::Text if accounts.is_empty() => super::complain("no account with a usable sign-in"),
        ListForm::Text => {
            for account in &accounts {
                print(&output::line(account))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
