//! The Keychain of macOS.

use std::fmt::Debug;

use shared_token_cache_entra::cache::DEFAULT_DOCUMENT;

use crate::keyring::{Cache, Item, Keyring};
use crate::{KeyringError, encoding};

#[cfg(target_os = "macos")]
mod security;

/// The service of the items of the tools that share a cache.
const SERVICE: &str = "Microsoft.Developer.IdentityService";

// From `SecBase.h`.
const USER_CANCELED: i32 = -128;
const NOT_AVAILABLE: i32 = -25291;
const AUTH_FAILED: i32 = -25293;
const NO_SUCH_KEYCHAIN: i32 = -25294;
const ITEM_NOT_FOUND: i32 = -25300;
const NO_DEFAULT_KEYCHAIN: i32 = -25307;
const INTERACTION_NOT_ALLOWED: i32 = -25308;
const INTERACTION_REQUIRED: i32 = -25315;

/// Generic passwords of one service, as the operating system offers them. No call prompts the user.
pub(crate) trait Passwords: Debug + Send + Sync {
    /// The password of an account.
    fn find(&self, service: &str, account: &str) -> Result<Vec<u8>, Refusal>;

    /// Changes only the password of an existing item, which so keeps its access list.
    fn update(&self, service: &str, account: &str, password: &[u8]) -> Result<(), Refusal>;
}

/// Why the operating system refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Its `OSStatus`.
    pub(crate) code: i32,
    /// Its message.
    pub(crate) message: String,
}

/// The Keychain item of a cache.
#[derive(Debug)]
pub(crate) struct Keychain<P> {
    passwords: P,
    service: &'static str,
    accounts: Vec<String>,
}

#[cfg(target_os = "macos")]
impl Keychain<security::UserPasswords> {
    pub(crate) fn of_the_user(cache: &Cache) -> Self {
        Self::new(security::UserPasswords, cache)
    }
}

impl<P: Passwords> Keychain<P> {
    fn new(passwords: P, cache: &Cache) -> Self {
        // azure-identity for Python gives the default document an account name of its own, .NET
        // does not. JavaScript keeps every document under Python's name, which is the default
        // document for the other tools; so that item is read as the default document only.
        let (service, accounts) = match cache {
            Cache::Shared(document) if document == DEFAULT_DOCUMENT => {
                (SERVICE, vec!["MSALCache".to_owned(), document.clone()])
            }
            Cache::Shared(document) => (SERVICE, vec![document.clone()]),
            Cache::AzureCli(item) => (item.service(), vec![item.account().to_owned()]),
        };
        Self { passwords, service, accounts }
    }

    fn explain(&self, account: &str, refusal: Refusal) -> KeyringError {
        explain(self.service, account, refusal)
    }
}

impl<P: Passwords> Keyring for Keychain<P> {
    fn read(&self) -> Result<Option<Item>, KeyringError> {
        let mut refused = None;
        for account in &self.accounts {
            match self.passwords.find(self.service, account) {
                Ok(content) => {
                    let (document, base64) = encoding::decode(content);
                    return Ok(Some(Item { id: account.clone(), document, base64 }));
                }
                Err(refusal) if refusal.code == ITEM_NOT_FOUND => {}
                // An item that this program may not use must not hide one that it may use.
                Err(refusal) => refused = refused.or(Some(self.explain(account, refusal))),
            }
        }
        refused.map_or(Ok(None), Err)
    }

    fn write(&self, item: &Item, document: &[u8]) -> Result<(), KeyringError> {
        let content = encoding::encode(document, item.base64);
        self.passwords.update(self.service, &item.id, &content).map_err(|refusal| self.explain(&item.id, refusal))
    }

    fn place(&self) -> String {
        let accounts: Vec<_> = self.accounts.iter().map(|account| format!("`{account}`")).collect();
        format!("item {} of `{}` in the Keychain", accounts.join(" or "), self.service)
    }
}

fn explain(service: &str, account: &str, refusal: Refusal) -> KeyringError {
    let Refusal { code, message } = refusal;
    match code {
        INTERACTION_NOT_ALLOWED | INTERACTION_REQUIRED | AUTH_FAILED | USER_CANCELED => KeyringError::Locked(format!(
            "the Keychain does not release its item `{account}` of `{service}` without a prompt ({message}, {code}); \
             unlock it with `security unlock-keychain`, or add this program to the item's Access Control in Keychain Access"
        )),
        NOT_AVAILABLE | NO_SUCH_KEYCHAIN | NO_DEFAULT_KEYCHAIN => {
            KeyringError::Missing(format!("this session has no Keychain ({message}, {code})"))
        }
        _ => KeyringError::Failed(format!(
            "the Keychain failed on its item `{account}` of `{service}`: {message} ({code})"
        )),
    }
}

#[cfg(test)]
mod tests;
