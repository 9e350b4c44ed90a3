//! The Security framework's calls.

use std::sync::{Mutex, PoisonError};

use security_framework::base::{Error, Result};
use security_framework::os::macos::keychain::SecKeychain;
use security_framework::os::macos::passwords::find_generic_password;
use security_framework::passwords::{PasswordOptions, generic_password};

use super::{Passwords, Refusal};

/// The passwords in the keychains that the user's session searches.
#[derive(Debug)]
pub(crate) struct UserPasswords;

impl Passwords for UserPasswords {
    fn find(&self, service: &str, account: &str) -> std::result::Result<Vec<u8>, Refusal> {
        Ok(quietly(|| generic_password(PasswordOptions::new_generic_password(service, account)))?)
    }

    /// `security_framework::passwords::set_generic_password` would create an item that another
    /// program has just removed.
    fn update(&self, service: &str, account: &str, password: &[u8]) -> std::result::Result<(), Refusal> {
        Ok(quietly(|| {
            let (_, mut item) = find_generic_password(None, service, account)?;
            item.set_password(password)
        })?)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

/// Makes a call that fails where it would have to prompt the user.
///
/// The items belong to other programs, and macOS prompts before it gives one to a program that is
/// not on the item's access list. The prompt is a window without a timeout: on a build machine or
/// over SSH it is never seen, and a library should not open one on a desktop. The file-based
/// keychains support only this way to forbid it.
fn quietly<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    /// The setting is per process, so calls are serialized.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // A program that has turned prompts off itself finds them off afterwards.
    let _quiet =
        if SecKeychain::user_interaction_allowed()? { Some(SecKeychain::disable_user_interaction()?) } else { None };
    call()
}
