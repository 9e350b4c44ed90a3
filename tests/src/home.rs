//! A temporary home in which made-up users are signed in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shared_token_cache::policy::{
    Access, AllowedAccount, AllowedClient, AllowedComponent, AllowedScope, AllowedTenant, CacheGrant, CacheName,
    LogLevel, LogRules, Policy, Source,
};
use shared_token_cache::{Builder, Places, SharedTokenCacheCredential, TransportOptions};
use shared_token_cache_entra::{client, cloud};
use tempfile::TempDir;
use token_endpoint::TokenEndpoint;

/// The authority whose tokens the caches hold.
pub const AUTHORITY: &str = cloud::DEFAULT_HOST;

/// The Azure CLI's public client.
pub const CLIENT: &str = client::AZURE_CLI;

/// A home folder with a shared cache.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// A home with `accounts` users, each with a family refresh token and no access token.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn signed_in(accounts: usize) -> io::Result<Self> {
        let home = Self { folder: tempfile::tempdir()? };
        fs::create_dir(home.folder.path().join(".IdentityService"))?;
        home.write(&document(accounts).to_string())?;
        Ok(home)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The shared cache's document.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join(".IdentityService/msal.cache.nocae")
    }

    /// The cache as it is now.
    ///
    /// # Errors
    /// When it is not there, or not JSON.
    pub fn read(&self) -> io::Result<Value> {
        Ok(serde_json::from_slice(&fs::read(self.cache())?)?)
    }

    /// Replaces the cache with a document, as other programs do.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, document: &str) -> io::Result<()> {
        let mut temporary = tempfile::NamedTempFile::new_in(self.folder.path())?;
        io::Write::write_all(&mut temporary, document.as_bytes())?;
        temporary.persist(self.cache())?;
        Ok(())
    }

    /// A credential on this home that may use its cache and send requests to `endpoint` under the
    /// name [`AUTHORITY`].
    ///
    /// # Errors
    /// When the endpoint's CA can't be written.
    pub fn credential(&self, endpoint: &TokenEndpoint) -> io::Result<Builder> {
        Ok(self.builder().transport(self.transport(endpoint)?))
    }

    /// A credential on this home.
    pub fn builder(&self) -> Builder {
        SharedTokenCacheCredential::builder()
            .policy(policy(Access::ReadWrite))
            .sources([Source::Shared])
            .places(Places::below(self.folder.path()))
    }

    /// Routes requests for [`AUTHORITY`] to `endpoint`, with short pauses between retries.
    ///
    /// # Errors
    /// When the endpoint's CA can't be written.
    pub fn transport(&self, endpoint: &TokenEndpoint) -> io::Result<TransportOptions> {
        let ca_file = self.folder.path().join("ca.pem");
        fs::write(&ca_file, endpoint.ca_pem())?;
        let mut transport = TransportOptions::default();
        transport.ca_file = Some(ca_file);
        transport.proxy_from_env = false;
        transport.resolve = vec![(AUTHORITY.to_owned(), endpoint.address())];
        transport.retry_delay = std::time::Duration::from_millis(1);
        Ok(transport)
    }
}

/// A policy that allows any scope, tenant, account, client, component and log line, and no cache
/// and no authority.
#[must_use]
pub fn anything() -> Policy {
    let mut log = LogRules::default();
    log.component = LogLevel::Debug;
    Policy::default()
        .allow_scope(AllowedScope::ANY)
        .allow_tenant(AllowedTenant::ANY)
        .allow_account(AllowedAccount::ANY)
        .allow_client(AllowedClient::ANY)
        .allow_component(AllowedComponent::ANY)
        .with_log(log)
}

/// A policy for the shared cache and [`AUTHORITY`], with no limits on accounts, scopes and tenants.
#[must_use]
pub fn policy(access: Access) -> Policy {
    let cache = CacheGrant::new(Source::Shared, access).with_name(CacheName::default());
    let policy = anything().allow_cache(cache);
    match AUTHORITY.parse() {
        Ok(authority) => policy.allow_authority(authority),
        Err(_) => policy,
    }
}

/// The document that MSAL writes when `accounts` users sign in.
#[must_use]
pub fn document(accounts: usize) -> Value {
    let numbers = 0..accounts;
    let home = |number: usize| format!("uid-{number:08}.utid-{number:08}");
    let account = |number| {
        let realm = format!("utid-{number:08}");
        let key = format!("{}-{AUTHORITY}-{realm}", home(number));
        let entry = json!({
            "home_account_id": home(number), "environment": AUTHORITY, "realm": realm,
            "local_account_id": format!("uid-{number:08}"), "username": format!("user{number}@contoso.com"),
            "authority_type": "MSSTS",
        });
        (key, entry)
    };
    let refresh_token = |number| {
        let key = format!("{}-{AUTHORITY}-refreshtoken-{CLIENT}--", home(number));
        let entry = json!({
            "credential_type": "RefreshToken", "secret": format!("rt-{number}"), "home_account_id": home(number),
            "environment": AUTHORITY, "client_id": CLIENT, "target": "", "family_id": "1",
            "last_modification_time": "1700000000",
        });
        (key, entry)
    };
    json!({
        "AccessToken": {},
        "RefreshToken": numbers.clone().map(refresh_token).collect::<serde_json::Map<_, _>>(),
        "Account": numbers.map(account).collect::<serde_json::Map<_, _>>(),
    })
}

/// Seconds since the Unix epoch.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
