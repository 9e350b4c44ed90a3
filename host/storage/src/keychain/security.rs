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

    /// `security_framework::passwords::set_generic_password` would add an item where somebody has just removed it.
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

/// Makes a call that fails where it would have to ask the user.
///
/// The items belong to other programs, and macOS asks before it gives one to a program that is not on the item's access list. The
/// question is a window that waits for ever: on a build machine or over SSH nobody sees it, and on a desktop nobody expects it from a
/// library. Of the ways to forbid it, this is the one that the file-based keychains heed.
fn quietly<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    /// Whether questions are allowed is a state of the process, so calls take turns.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // A program that has forbidden questions itself finds them forbidden afterwards.
    let _quiet =
        if SecKeychain::user_interaction_allowed()? { Some(SecKeychain::disable_user_interaction()?) } else { None };
    call()
}
