//! A made-up home with a made-up sign-in, and the authority that goes with it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shared_token_cache_entra::cache;
use shared_token_cache_entra::client::AZURE_CLI;
use shared_token_cache_entra::cloud::DEFAULT_HOST;
use tempfile::TempDir;
use token_endpoint::{Received, Reply};

pub(super) const USER0: &str = "user0@contoso.com";
pub(super) const USER1: &str = "user1@fabrikam.com";

/// A home folder that is deleted when dropped.
pub(super) struct Home {
    folder: TempDir,
}

impl Home {
    /// A home in which user0 is signed in, with an access token for Key Vault.
    pub(super) fn new() -> io::Result<Self> {
        let home = Self { folder: tempfile::tempdir()? };
        make_home(home.path())?;
        Ok(home)
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn write_ca(&self, pem: &str) -> io::Result<PathBuf> {
        let path = self.folder.path().join("ca.pem");
        fs::write(&path, pem)?;
        Ok(path)
    }

    pub(super) fn sign_in_user1(&self) -> io::Result<()> {
        self.sign_in(USER1, 1, DEFAULT_HOST)
    }

    /// Adds a sign-in with an authority that no policy grants.
    pub(super) fn sign_in_elsewhere(&self) -> io::Result<()> {
        self.sign_in("user2@contoso.com", 2, "login.contoso.com")
    }

    /// The content of the cache, on one line.
    pub(super) fn summary(&self) -> io::Result<String> {
        let document = self.read()?;
        let count = document.get("AccessToken").and_then(Value::as_object).map_or(0, serde_json::Map::len);
        let refresh_token =
            document.get("RefreshToken").and_then(Value::as_object).and_then(|section| section.values().next());
        let secret = refresh_token.and_then(|entry| entry.get("secret")?.as_str()).unwrap_or_default();
        Ok(format!("{count} access token{}, refresh token {secret}", if count == 1 { "" } else { "s" }))
    }

    fn sign_in(&self, username: &str, number: u32, environment: &str) -> io::Result<()> {
        let mut document = self.read()?;
        add_account(&mut document, username, number, environment);
        self.write(&document)
    }

    fn read(&self) -> io::Result<Value> {
        Ok(serde_json::from_slice(&fs::read(self.document())?)?)
    }

    /// Replaces the document by a rename, as the tools do.
    fn write(&self, document: &Value) -> io::Result<()> {
        in_place(document, self.path())?.persist(self.document())?;
        Ok(())
    }

    fn document(&self) -> PathBuf {
        document_in(self.path())
    }
}

/// Creates a home in which user0 is signed in, with an access token for Key Vault. The folder may
/// exist and is kept; an existing cache is not replaced. Returns the path of the new cache.
pub(super) fn make_home(folder: &Path) -> io::Result<PathBuf> {
    let cache = document_in(folder);
    fs::create_dir_all(cache.parent().unwrap_or(folder))?;
    let mut document = json!({});
    add_account(&mut document, USER0, 0, DEFAULT_HOST);
    in_place(&document, folder)?.persist_noclobber(&cache)?;
    Ok(cache)
}

fn document_in(home: &Path) -> PathBuf {
    home.join(".IdentityService").join(cache::document(cache::DEFAULT_NAME, false))
}

/// A temporary file with the document, readable by its owner only.
fn in_place(document: &Value, folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(serde_json::to_string_pretty(document)?.as_bytes())?;
    Ok(temporary)
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Adds the entries that MSAL writes at a sign-in.
fn add_account(document: &mut Value, username: &str, number: u32, environment: &str) {
    let home = format!("uid-{number:08}.utid-{number:08}");
    let realm = format!("utid-{number:08}");
    let target = super::VAULT;
    put(
        document,
        "AccessToken",
        format!("{home}-{environment}-accesstoken-{AZURE_CLI}-{realm}-{target}"),
        json!({
            "credential_type": "AccessToken",
            "secret": format!("at-{number}-vault-cached"),
            "home_account_id": home,
            "environment": environment,
            "client_id": AZURE_CLI,
            "target": target,
            "realm": realm,
            "token_type": "Bearer",
            "cached_at": now().to_string(),
            "expires_on": (now() + 3600).to_string(),
            "extended_expires_on": (now() + 3600).to_string(),
        }),
    );
    put(
        document,
        "RefreshToken",
        format!("{home}-{environment}-refreshtoken-{AZURE_CLI}--"),
        json!({
            "credential_type": "RefreshToken",
            "secret": format!("rt-{number}-from-sign-in"),
            "home_account_id": home,
            "environment": environment,
            "client_id": AZURE_CLI,
            "target": "",
            "family_id": "1",
            "last_modification_time": now().to_string(),
        }),
    );
    put(
        document,
        "Account",
        format!("{home}-{environment}-{realm}"),
        json!({
            "home_account_id": home,
            "environment": environment,
            "realm": realm,
            "local_account_id": format!("uid-{number:08}"),
            "username": username,
            "authority_type": "MSSTS",
        }),
    );
}

fn put(document: &mut Value, section: &str, key: String, entry: Value) {
    if let Some(document) = document.as_object_mut() {
        let section = document.entry(section).or_insert_with(|| json!({}));
        if let Some(section) = section.as_object_mut() {
            section.insert(key, entry);
        }
    }
}

/// The authority's response: a new access token and a new refresh token for the one of the sign-in.
pub(super) fn respond(request: &Received) -> Reply {
    match request.field("refresh_token") {
        Some("rt-0-from-sign-in") => Reply::json(
            200,
            json!({
                "token_type": "Bearer",
                "scope": request.field("scope"),
                "expires_in": 3600,
                "ext_expires_in": 3600,
                "access_token": "at-0-graph-new",
                "refresh_token": "rt-0-rotated",
                "foci": "1",
            }),
        ),
        _ => Reply::json(
            400,
            json!({ "error": "invalid_grant", "error_description": "AADSTS70000: this refresh token is not known." }),
        ),
    }
}
