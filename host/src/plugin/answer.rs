//! What a component says, held to a size that its caller can print.

use super::wit::credential as wit;
use crate::error::{CachedAccount, Error};

/// All texts of an answer. Ten thousand accounts have some two megabytes.
const LARGEST_ANSWER: usize = 4 << 20;

/// The component's own error, or the one that it says too much.
pub(super) fn error(error: wit::Error) -> Result<Error, Error> {
    let mut size = Size::default();
    match &error {
        wit::Error::InvalidArgument(text) | wit::Error::Denied(text) | wit::Error::Unreachable(text) => size.add(text),
        wit::Error::CredentialUnavailable(wit::Unavailable { reason: _, message, candidates }) => {
            size.add(message);
            candidates.iter().for_each(|account| size.add_account(account));
        }
        wit::Error::ClientAuthentication(wit::AuthenticationFailure { reason: _, message, oauth }) => {
            size.add(message);
            if let Some(oauth) = oauth {
                let wit::OauthError { code, suberror, description, error_codes, claims, correlation_id } = oauth;
                let optional = [suberror, description, claims, correlation_id];
                [code].into_iter().chain(optional.into_iter().flatten()).for_each(|text| size.add(text));
                size.0 += size_of_val(error_codes.as_slice());
            }
        }
    }
    size.check()?;
    Ok(error.into())
}

/// Accounts, unless they are more than anybody has.
pub(super) fn accounts(accounts: Vec<wit::CachedAccount>) -> Result<Vec<CachedAccount>, Error> {
    let mut size = Size::default();
    for cached in &accounts {
        size.add_account(&cached.account);
        size.add(&cached.environment);
        cached.tenants.iter().for_each(|tenant| size.add(tenant));
    }
    size.check()?;
    Ok(accounts.into_iter().map(Into::into).collect())
}

#[derive(Default)]
struct Size(usize);

impl Size {
    fn add(&mut self, text: &str) {
        // An empty text takes room as well.
        self.0 += size_of::<String>() + text.len();
    }

    fn add_account(&mut self, account: &wit::Account) {
        self.add(&account.username);
        self.add(account.home_tenant_id.as_deref().unwrap_or_default());
    }

    fn check(&self) -> Result<(), Error> {
        if self.0 > LARGEST_ANSWER {
            return Err(Error::Limit(format!("the component returned more than {} MiB", LARGEST_ANSWER >> 20)));
        }
        Ok(())
    }
}
