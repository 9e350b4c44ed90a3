use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;

/// A fake of the Security framework: passwords and refusals by account.
#[derive(Debug, Default)]
struct Fake(Mutex<BTreeMap<&'static str, Result<Vec<u8>, i32>>>);

impl Fake {
    fn with(items: &[(&'static str, Result<&str, i32>)]) -> Self {
        Self(Mutex::new(items.iter().map(|(account, item)| (*account, item.map(Into::into))).collect()))
    }

    fn refuse(code: i32) -> Refusal {
        Refusal { code, message: "made-up words".into() }
    }
}

impl Passwords for Fake {
    fn find(&self, service: &str, account: &str) -> Result<Vec<u8>, Refusal> {
        let known = ["Microsoft.Developer.IdentityService", "Microsoft Azure CLI", "my_service_name"];
        assert!(known.contains(&service), "{service}");
        self.0.lock().unwrap().get(account).cloned().unwrap_or(Err(ITEM_NOT_FOUND)).map_err(Self::refuse)
    }

    fn update(&self, service: &str, account: &str, password: &[u8]) -> Result<(), Refusal> {
        self.find(service, account)?;
        self.0.lock().unwrap().iter_mut().filter(|(name, _)| **name == account).for_each(|(_, item)| {
            *item = Ok(password.to_vec());
        });
        Ok(())
    }
}

fn shared(document: &str) -> Cache {
    Cache::Shared(document.to_owned())
}

fn read(
    document: &str,
    items: &[(&'static str, Result<&str, i32>)],
) -> Result<Option<(String, Vec<u8>)>, KeyringError> {
    Ok(Keychain::new(Fake::with(items), &shared(document)).read()?.map(|item| (item.id, item.document.to_vec())))
}

fn found(account: &str, document: &str) -> Result<Option<(String, Vec<u8>)>, KeyringError> {
    Ok(Some((account.into(), document.into())))
}

#[test]
fn the_default_document_is_pythons_item_before_that_of_dotnet() {
    let (python, dotnet) = (("MSALCache", Ok("{\"a\":1}")), ("msal.cache.nocae", Ok("e30=")));
    assert_eq!(read("msal.cache.nocae", &[python, dotnet]), found("MSALCache", "{\"a\":1}"));
    assert_eq!(read("msal.cache.nocae", &[dotnet]), found("msal.cache.nocae", "{}"));
    assert_eq!(read("msal.cache.nocae", &[]), Ok(None));
}

#[test]
fn another_document_is_never_the_default_one() {
    let (default, cae) = (("MSALCache", Ok("{}")), ("msal.cache.cae", Ok("{\"b\":1}")));
    assert_eq!(read("msal.cache.cae", &[default, cae]), found("msal.cache.cae", "{\"b\":1}"));
    assert_eq!(read("msal.cache.cae", &[default]), Ok(None));
}

#[test]
fn an_item_that_is_refused_does_not_hide_the_other() {
    let refused = ("MSALCache", Err(INTERACTION_NOT_ALLOWED));
    assert_eq!(read("msal.cache.nocae", &[refused, ("msal.cache.nocae", Ok("{}"))]), found("msal.cache.nocae", "{}"));
    assert!(matches!(read("msal.cache.nocae", &[refused]), Err(KeyringError::Locked(_))));
}

#[test]
fn a_write_goes_to_the_item_that_was_read_in_the_same_form() {
    let items = [("MSALCache", Err(AUTH_FAILED)), ("msal.cache.nocae", Ok("e30="))];
    let keychain = Keychain::new(Fake::with(&items), &shared("msal.cache.nocae"));
    let item = keychain.read().unwrap().unwrap();
    keychain.write(&item, b"{\"a\":1}").unwrap();
    assert_eq!(keychain.passwords.0.lock().unwrap()["msal.cache.nocae"], Ok(b"eyJhIjoxfQ==".to_vec()));

    let gone = Keychain::new(Fake::default(), &shared("msal.cache.nocae"));
    assert!(matches!(gone.write(&item, b"{}"), Err(KeyringError::Failed(_))), "an item that was removed stays removed");
}

#[test]
fn the_azure_cli_has_items_of_its_own() {
    use crate::azure_cli::Item::{Named, Placeholder};
    for (item, account, service) in
        [(Named, "Token cache", "Microsoft Azure CLI"), (Placeholder, "my_account_name", "my_service_name")]
    {
        let items = [(account, Ok("{}")), ("MSALCache", Ok("{\"a\":1}"))];
        let keychain = Keychain::new(Fake::with(&items), &Cache::AzureCli(item));
        assert_eq!(keychain.read().unwrap().unwrap().id, account);
        assert_eq!(keychain.place(), format!("item `{account}` of `{service}` in the Keychain"));
        assert!(Keychain::new(Fake::default(), &Cache::AzureCli(item)).read().unwrap().is_none());
    }
}

#[test]
fn refusals_say_what_to_do() {
    for (code, part) in [
        (INTERACTION_NOT_ALLOWED, "security unlock-keychain"),
        (INTERACTION_REQUIRED, "Access Control"),
        (AUTH_FAILED, "Access Control"),
        (USER_CANCELED, "Access Control"),
        (NO_DEFAULT_KEYCHAIN, "no Keychain"),
        (NOT_AVAILABLE, "no Keychain"),
        (-36, "failed on its item `other.nocae`"),
    ] {
        let shown = read("other.nocae", &[("other.nocae", Err(code))]).unwrap_err().to_string();
        assert!(
            shown.contains(part) && shown.contains("made-up words") && shown.contains(&code.to_string()),
            "{shown}"
        );
    }
}

/// Only this can be tested without leaving traces: a keychain file for the test would need a change
/// of the user's search list.
#[cfg(target_os = "macos")]
#[test]
fn a_document_that_does_not_exist_is_not_found() {
    let keychain = Keychain::of_the_user(&shared("made-up-document-of-shared-token-cache"));
    match keychain.read() {
        Ok(item) => assert!(item.is_none()),
        // A build machine may have no keychain.
        Err(error) => assert!(matches!(error, KeyringError::Missing(_)), "{error}"),
    }
}
