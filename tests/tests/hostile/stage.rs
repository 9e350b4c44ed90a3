//! The stage of an attempt: a home in which every secret is a canary, and an authority that records
//! requests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shared_token_cache::policy::Access;
use shared_token_cache::{AccessToken, Builder, Error, SharedTokenCacheCredential, TokenRequestOptions};
use shared_token_cache_tests::home::{self, AUTHORITY, CLIENT, Home};
use token_endpoint::{Received, Reply, TokenEndpoint};
use tokio::runtime::Runtime;

use crate::canary::{Piece, canary, leaks};
use crate::traces;

/// The scope of every call.
pub(crate) const SCOPE: &str = "https://vault.azure.net/.default";

/// In the year 2100.
pub(crate) const EXPIRY: &str = "4102444800";

/// A home, an authority, and all outputs so far.
pub(crate) struct Stage {
    pub(crate) home: Home,
    pub(crate) endpoint: TokenEndpoint,
    pub(crate) runtime: Runtime,
    component: PathBuf,
    secrets: Secrets,
    /// The caches' content, which must be the same at the end.
    caches: RefCell<BTreeMap<PathBuf, Vec<u8>>>,
    said: RefCell<Vec<Piece>>,
    traced: usize,
}

/// The canaries by description.
struct Secrets(RefCell<BTreeMap<&'static str, String>>);

impl Secrets {
    fn get(&self, what: &'static str) -> String {
        self.0.borrow_mut().entry(what).or_insert_with(|| canary(what)).clone()
    }

    fn all(&self) -> Vec<String> {
        self.0.borrow().values().cloned().collect()
    }
}

impl Stage {
    /// A stage for the component with this name.
    pub(crate) fn new(attempt: &str) -> Self {
        traces::listen();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let secrets = Secrets(RefCell::default());
        let reply = json!({
            "token_type": "Bearer", "expires_in": 3600, "access_token": secrets.get("at-new"),
            "refresh_token": secrets.get("rt-new"), "id_token": secrets.get("id-new"), "foci": "1",
        });
        let endpoint = runtime.block_on(TokenEndpoint::start(move |_| Reply::json(200, reply.clone()))).unwrap();
        let home = Home::signed_in(0).unwrap();
        let stage = Self {
            component: component(attempt),
            traced: traces::so_far(),
            caches: RefCell::default(),
            said: RefCell::default(),
            home,
            endpoint,
            runtime,
            secrets,
        };
        stage.write(".IdentityService/msal.cache.nocae", &stage.document(2));
        stage.write(".IdentityService/other.cache.nocae", &json!({ "x": { "secret": stage.secrets.get("other") } }));
        stage.write("secret.nocae", &json!({ "x": { "secret": stage.secrets.get("file") } }));
        stage
    }

    /// The hostile component's credential for the first user.
    pub(crate) fn hostile(&self) -> Builder {
        self.for_no_account().username("user0@contoso.com")
    }

    /// The hostile component's credential without a user.
    pub(crate) fn for_no_account(&self) -> Builder {
        let builder = self.home.credential(&self.endpoint).unwrap().component(&self.component);
        builder.policy(home::policy(Access::ReadWrite))
    }

    /// Calls a credential and records all outputs.
    pub(crate) fn call(
        &self,
        credential: &SharedTokenCacheCredential,
        scopes: &[&str],
        request: TokenRequestOptions,
    ) -> Result<AccessToken, Error> {
        let outcome = self.runtime.block_on(credential.get_token_with(scopes, request));
        let outcome = outcome.map(|served| served.access_token);
        self.hear("credential", format!("{credential:?}"));
        self.hear("outcome", format!("{outcome:?}"));
        if let Err(error) = &outcome {
            self.hear("error", words(error));
        }
        outcome
    }

    /// Records an output.
    pub(crate) fn hear(&self, place: &str, text: String) {
        self.said.borrow_mut().push((place.to_owned(), text.into_bytes()));
    }

    /// The log since the stage was made.
    pub(crate) fn traces(&self) -> String {
        traces::since(self.traced)
    }

    /// The first user signs out with another tool.
    pub(crate) fn sign_out(&self) {
        let mut document = self.document(2);
        for section in ["AccessToken", "RefreshToken", "IdToken", "Account"] {
            document[section].as_object_mut().unwrap().retain(|_, entry| entry["home_account_id"] != "uid-0.utid-0");
        }
        self.write(".IdentityService/msal.cache.nocae", &document);
    }

    /// Another tool removes the first user's token for the scope of the tests.
    pub(crate) fn remove_the_token(&self) {
        let mut document = self.document(2);
        document["AccessToken"].as_object_mut().unwrap().remove("at-user0").unwrap();
        self.write(".IdentityService/msal.cache.nocae", &document);
    }

    /// Checks that a well-behaved credential gets the second user's token.
    pub(crate) fn check_that_others_are_unharmed(&self) {
        let credential = self.home.credential(&self.endpoint).unwrap().username("user1@contoso.com").build().unwrap();
        let token = self.runtime.block_on(credential.get_token(&[SCOPE])).unwrap();
        assert_eq!(token.token.expose(), self.secrets.get("at-user1"));
    }

    /// The places of leaked secrets: outputs, log, requests, and the files below the home. A
    /// changed cache counts as a leak as well.
    pub(crate) fn leaks(&self) -> Vec<String> {
        let mut pieces = self.said.borrow().clone();
        pieces.push(("traces".into(), self.traces().into_bytes()));
        let redeemable = self.secrets.get("rt-user0");
        pieces.extend(self.endpoint.requests().iter().map(|request| piece_of(request, &redeemable)));
        let caches = self.caches.borrow();
        let mut changed = Vec::new();
        for path in files(self.home.path()) {
            let content = fs::read(&path).unwrap();
            let name = path.strip_prefix(self.home.path()).unwrap().display().to_string();
            match caches.get(&path) {
                Some(before) if *before == content => {}
                Some(_) => changed.push(format!("{name} has changed")),
                None => pieces.push((name.clone(), [name.as_bytes(), b"\n", &content].concat())),
            }
        }
        changed.extend(caches.keys().filter(|path| !path.exists()).map(|path| format!("{} is gone", path.display())));
        changed.extend(leaks(&self.secrets.all(), &pieces));
        changed
    }

    fn write(&self, name: &str, document: &Value) {
        let path = self.home.path().join(name);
        let content = document.to_string().into_bytes();
        // As other tools do: a new file replaces the old one.
        let temporary = self.home.path().join("temporary");
        fs::write(&temporary, &content).unwrap();
        fs::rename(temporary, &path).unwrap();
        self.caches.borrow_mut().insert(path, content);
    }

    /// A cache with entries of every kind.
    fn document(&self, accounts: usize) -> Value {
        let vault = "https://vault.azure.net/.default";
        let token = |what: &'static str, user: usize, changes: Value| {
            let mut entry = json!({
                "credential_type": "AccessToken", "secret": self.secrets.get(what), "token_type": "Bearer",
                "home_account_id": format!("uid-{user}.utid-{user}"), "environment": AUTHORITY, "client_id": CLIENT,
                "realm": format!("utid-{user}"), "target": vault, "cached_at": "1700000000", "expires_on": EXPIRY,
                "extended_expires_on": EXPIRY,
            });
            entry.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            (what.to_owned(), entry)
        };
        let other = |kind: &str, what: &'static str, user: usize, changes: Value| {
            let (key, mut entry) = token(what, user, changes);
            let entry_of = entry.as_object_mut().unwrap();
            entry_of.retain(|name, _| {
                !["token_type", "expires_on", "extended_expires_on", "target"].contains(&name.as_str())
            });
            entry_of.insert("credential_type".into(), kind.into());
            entry_of.insert("target".into(), "".into());
            (key, entry)
        };
        let account = |user: usize| {
            let entry = json!({
                "home_account_id": format!("uid-{user}.utid-{user}"), "environment": AUTHORITY, "realm": format!("utid-{user}"),
                "local_account_id": format!("uid-{user}"), "username": format!("user{user}@contoso.com"),
                "authority_type": "MSSTS",
            });
            (format!("account-{user}"), entry)
        };
        json!({
            "AccessToken": object([
                token("at-user0", 0, json!({})),
                token("at-user0-graph", 0, json!({ "target": "https://graph.microsoft.com/.default" })),
                token("at-user0-fabrikam", 0, json!({ "realm": "fabrikam.com" })),
                token("at-user0-expired", 0, json!({ "expires_on": "1700000000" })),
                token("at-user0-bound", 0, json!({ "token_type": "pop", "key_id": "key" })),
                token("at-user0-session", 0, json!({ "ext_cache_key": "a-session" })),
                token("at-user0-broken", 0, json!({
                    "secret": format!("{}\r\nX-Admin: yes", self.secrets.get("at-user0-broken")),
                    "target": format!("{vault} a-line-break"),
                })),
                token("at-user1", 1, json!({})),
            ]),
            "RefreshToken": object([
                other("RefreshToken", "rt-user0", 0, json!({ "family_id": "1" })),
                other("RefreshToken", "rt-user0-client", 0, json!({ "client_id": "other-client" })),
                other("RefreshToken", "rt-user1", 1, json!({ "family_id": "1" })),
            ]),
            "IdToken": object([other("IdToken", "id-user0", 0, json!({})), other("IdToken", "id-user1", 1, json!({}))]),
            "Account": object((0..accounts).map(account)),
            "Stash": { "x": { "name": "stash-entry", "secret": self.secrets.get("stash") } },
        })
    }
}

/// The component that makes this attempt.
pub(crate) fn component(attempt: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/component/hostile/{attempt}.wasm"))
}

/// An error with its causes.
pub(crate) fn words(error: &Error) -> String {
    let mut words = format!("{error:?}\n{error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        words.push_str(&format!("\n{cause}"));
        source = cause.source();
    }
    words
}

/// A request without the one secret that it may contain, in the one place where it may.
fn piece_of(request: &Received, redeemable: &str) -> Piece {
    let mut lines = vec![request.host.clone(), request.path.clone(), format!("{:?}", request.headers)];
    let path = "/organizations/oauth2/v2.0/token";
    let expected =
        request.path.strip_prefix(path).is_some_and(|query| ["", "?client_session=session-1"].contains(&query))
            && request.host == AUTHORITY;
    let others =
        request.form.iter().filter(|(name, value)| !(expected && name == "refresh_token" && value == redeemable));
    lines.extend(others.map(|(name, value)| format!("{name}={value}")));
    ("a request".to_owned(), lines.join("\n").into_bytes())
}

fn object(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(entries.into_iter().collect())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_planted_secret_is_found_wherever_it_comes_out() {
    type Plant = fn(&Stage, &str);
    let plant: [(&str, Plant); 7] = [
        ("nothing", |_, _| {}),
        ("error", |stage, secret| stage.hear("error", format!("no token: {secret}"))),
        ("traces", |_, secret| tracing::trace!(target: "anybody", field = secret, "said")),
        ("traces", |_, secret| drop(tracing::trace_span!("work", secret))),
        (".IdentityService/left.tmp", |stage, secret| {
            fs::write(stage.home.path().join(".IdentityService/left.tmp"), secret).unwrap();
        }),
        (".IdentityService/msal.cache.nocae has changed", |stage, secret| stage.home.write(secret).unwrap()),
        ("secret.nocae is gone", |stage, _| fs::remove_file(stage.home.path().join("secret.nocae")).unwrap()),
    ];
    for (place, plant) in plant {
        let stage = Stage::new("spin");
        plant(&stage, &stage.secrets.get("rt-user0"));
        let found = stage.leaks();
        if place == "nothing" {
            assert!(found.is_empty(), "{found:?}");
        } else {
            assert!(matches!(found.as_slice(), [one] if one.ends_with(place)), "{place}: {found:?}");
        }
    }
}

#[test]
fn a_refresh_token_may_be_in_one_field_of_one_request_only() {
    let (own, other) = (canary("rt"), canary("rt"));
    let request = |host: &str, path: &str, field: &str, value: &str| Received {
        method: "POST".into(),
        host: host.into(),
        path: path.into(),
        headers: Vec::new(),
        form: vec![(field.into(), value.into())],
    };
    let path = "/organizations/oauth2/v2.0/token";
    for (request, leaky) in [
        (request(AUTHORITY, path, "refresh_token", &own), false),
        (request(AUTHORITY, path, "refresh_token", &other), true),
        (request(AUTHORITY, path, "scope", &own), true),
        (request(AUTHORITY, "/common/oauth2/v2.0/token", "refresh_token", &own), true),
        (request("evil.example", path, "refresh_token", &own), true),
        (request(AUTHORITY, &format!("{path}?{own}"), "x", "x"), true),
    ] {
        let found = leaks(&[own.clone(), other.clone()], &[piece_of(&request, &own)]);
        assert_eq!(!found.is_empty(), leaky, "{request:?}");
    }
}
