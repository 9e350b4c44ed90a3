//! Origins of the options that select an account.

use std::ffi::OsString;

use shared_token_cache::{Error, UnavailableReason};

use super::arguments::GetToken;

/// The flags and variables that set the options, for a message.
#[derive(Debug)]
pub(super) struct Filters(Vec<String>);

impl Filters {
    pub(super) fn of(arguments: &GetToken) -> Self {
        let tenant = origin("--tenant-id", "AZURE_TENANT_ID", arguments.tenant_id.as_deref());
        let username = origin("--username", "AZURE_USERNAME", arguments.username.as_deref());
        Self(username.into_iter().chain(tenant).collect())
    }

    /// Adds them to the error of a call that found no account, or several.
    pub(super) fn name_in(&self, mut error: Error) -> Error {
        if let Error::CredentialUnavailable(unavailable) = &mut error
            && matches!(
                unavailable.reason,
                UnavailableReason::NoMatchingAccount | UnavailableReason::MultipleMatchingAccounts
            )
            && !self.0.is_empty()
        {
            unavailable.message += &format!(" (what selects the account: {})", self.0.join(", "));
        }
        error
    }
}

/// The flag that set an option, else its environment variable; `None` if neither did.
fn origin(flag: &str, variable: &str, value: Option<&str>) -> Option<String> {
    let value = value.filter(|value| !value.is_empty())?;
    Some(if is_given(flag) {
        format!("`{flag} {value}`")
    } else {
        format!("the environment variable {variable}, which is {value:?}")
    })
}

/// Whether a flag is on the command line.
pub(super) fn is_given(flag: &str) -> bool {
    is_given_among(flag, std::env::args_os())
}

/// Whether a flag is among these arguments.
pub(super) fn is_given_among(flag: &str, mut arguments: impl Iterator<Item = OsString>) -> bool {
    arguments.any(|argument| argument.to_str().is_some_and(|argument| argument.split('=').next() == Some(flag)))
}
