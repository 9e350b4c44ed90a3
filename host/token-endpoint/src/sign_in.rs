//! Made-up sign-ins: the documents that MSAL writes for them, and the authority's answers.
//!
//! Every secret contains [`MARK`], so that leaks are easy to find in texts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use shared_token_cache_entra::{client, cloud};

/// Part of every secret.
pub const MARK: &str = "made-up-secret";

/// The scope of Key Vault.
pub const VAULT: &str = "https://vault.azure.net/.default";

/// The scope of Microsoft Graph.
pub const GRAPH: &str = "https://graph.microsoft.com/.default";

/// The Azure CLI's public client.
pub const CLIENT: &str = client::AZURE_CLI;

/// The authority of the public cloud.
pub const PUBLIC: &str = cloud::DEFAULT_HOST;

/// The `environment` field for an authority on this machine: the host without its port.
pub const LOCAL: &str = "localhost";

/// The expiry of everything that must not expire in a test: the year 2100.
pub const FAR: u64 = 4_102_444_800;

/// A sign-in: an account, a refresh token, and access tokens.
#[derive(Debug, Clone)]
pub struct SignIn {
    number: u32,
    environment: String,
    client: String,
    family: bool,
    access_tokens: Vec<Map<String, Value>>,
}

impl SignIn {
    /// User `number` of contoso.com, signed in at `environment` with the Azure CLI's client and its
    /// family.
    #[must_use]
    pub fn new(number: u32, environment: &str) -> Self {
        Self {
            number,
            environment: environment.to_owned(),
            client: CLIENT.to_owned(),
            family: true,
            access_tokens: Vec::new(),
        }
    }

    /// Uses a client that belongs to no family.
    #[must_use]
    pub fn client(mut self, client: &str) -> Self {
        client.clone_into(&mut self.client);
        self.family = false;
        self
    }

    /// Adds an access token for `scope` that does not expire.
    #[must_use]
    pub fn access_token(self, scope: &str) -> Self {
        self.access_token_with(scope, json!({}))
    }

    /// Adds an access token for `scope` with other `fields`.
    #[must_use]
    pub fn access_token_with(mut self, scope: &str, fields: Value) -> Self {
        let mut entry = object(json!({
            "credential_type": "AccessToken",
            "secret": access_token(self.number, scope),
            "home_account_id": home_account_id(self.number),
            "environment": self.environment,
            "client_id": self.client,
            "target": scope,
            "realm": tenant(self.number),
            "token_type": "Bearer",
            "cached_at": "1700000000",
            "expires_on": FAR.to_string(),
            "extended_expires_on": FAR.to_string(),
        }));
        entry.extend(object(fields));
        self.access_tokens.push(entry);
        self
    }

    fn add_to(&self, document: &mut Map<String, Value>) {
        let (home, realm) = (home_account_id(self.number), tenant(self.number));
        let (environment, client) = (&self.environment, &self.client);
        for entry in &self.access_tokens {
            let target = entry.get("target").and_then(Value::as_str).unwrap_or_default();
            let key = format!("{home}-{environment}-accesstoken-{client}-{realm}-{target}");
            put(document, "AccessToken", key, entry.clone());
        }
        let mut refresh_token_entry = object(json!({
            "credential_type": "RefreshToken",
            "secret": refresh_token(self.number),
            "home_account_id": home,
            "environment": environment,
            "client_id": client,
            "target": "",
            "last_modification_time": "1700000000",
        }));
        if self.family {
            refresh_token_entry.insert("family_id".into(), "1".into());
        }
        put(document, "RefreshToken", format!("{home}-{environment}-refreshtoken-{client}--"), refresh_token_entry);
        let account = object(json!({
            "home_account_id": home,
            "environment": environment,
            "realm": realm,
            "local_account_id": format!("uid-{:08}", self.number),
            "username": username(self.number),
            "authority_type": "MSSTS",
        }));
        put(document, "Account", format!("{home}-{environment}-{realm}"), account);
    }
}

/// The cache document of these sign-ins.
#[must_use]
pub fn document(sign_ins: &[SignIn]) -> String {
    let mut document = Map::new();
    for sign_in in sign_ins {
        sign_in.add_to(&mut document);
    }
    format!("{:#}", Value::Object(document))
}

/// The username of user `number`.
#[must_use]
pub fn username(number: u32) -> String {
    format!("user{number}@contoso.com")
}

/// The home tenant of user `number`.
#[must_use]
pub fn tenant(number: u32) -> String {
    format!("utid-{number:08}")
}

/// The access token of user `number` for `scope` that was cached at the sign-in.
#[must_use]
pub fn access_token(number: u32, scope: &str) -> String {
    let resource = scope.trim_start_matches("https://").trim_end_matches("/.default");
    format!("at-{MARK}-{number}-{}", resource.replace(' ', "+"))
}

/// The refresh token from the sign-in of user `number`.
#[must_use]
pub fn refresh_token(number: u32) -> String {
    format!("rt-{MARK}-{number}")
}

/// The access token in [`token_reply`].
#[must_use]
pub fn new_access_token(number: u32) -> String {
    format!("at-{MARK}-{number}-new")
}

/// The refresh token in [`token_reply`].
#[must_use]
pub fn new_refresh_token(number: u32) -> String {
    format!("rt-{MARK}-{number}-rotated")
}

/// An authority's answer when it redeems a refresh token of user `number`.
#[must_use]
pub fn token_reply(number: u32) -> Value {
    let client_info = json!({ "uid": format!("uid-{number:08}"), "utid": tenant(number) });
    json!({
        "token_type": "Bearer",
        "expires_in": 3600,
        "ext_expires_in": 3600,
        "expires_on": FAR,
        "access_token": new_access_token(number),
        "refresh_token": new_refresh_token(number),
        "foci": "1",
        "client_info": URL_SAFE_NO_PAD.encode(client_info.to_string()),
    })
}

fn home_account_id(number: u32) -> String {
    format!("uid-{number:08}.{}", tenant(number))
}

fn put(document: &mut Map<String, Value>, section: &str, key: String, entry: Map<String, Value>) {
    if let Some(section) = document.entry(section).or_insert_with(|| json!({})).as_object_mut() {
        section.insert(key, Value::Object(entry));
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
