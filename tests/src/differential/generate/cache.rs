//! Caches.

use serde_json::{Map, Value, json};

use super::{CLIENT, CLOUDS, NOW, OTHER_CLIENT, Random, SCOPES, TENANTS, odd};
use crate::differential::document::{Document, Section, key_of};

/// An account of the cache.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) home_account_id: String,
    pub(super) username: String,
    pub(super) environment: String,
}

impl Account {
    pub(super) fn home_tenant(&self) -> &str {
        self.home_account_id.rsplit('.').next().unwrap_or_default()
    }
}

/// A document with its accounts.
pub(super) struct Caches {
    pub(super) accounts: Vec<Account>,
    pub(super) document: Document,
}

/// A cache of 0 to 12 accounts, most of them of one cloud.
pub(super) fn caches(random: &mut Random, cloud: &[&str], odd: bool) -> Caches {
    let count = match random.number(100) {
        0..=3 => 0,
        4..=44 => 1,
        45..=69 => 2,
        70..=89 => 3 + random.number(3),
        _ => 6 + random.number(7),
    };
    let mut accounts = Vec::new();
    let mut document = Document::default();
    for number in 0..count {
        let account = account(random, number, cloud, odd);
        for realm in realms(random, &account, odd) {
            put(&mut document, "Account", account_entry(&account, &realm));
        }
        refresh_tokens(random, &mut document, &account, odd);
        access_tokens(random, &mut document, &account, odd);
        accounts.push(account);
    }
    if odd {
        odd::document(random, &mut document);
    }
    random.shuffle(&mut document);
    if random.chance(30) {
        let metadata =
            json!({ "client_id": CLIENT, "environment": cloud.first(), "family_id": "1", "future_field": [1] });
        put(&mut document, "AppMetadata", metadata);
    }
    if random.chance(10) {
        document.sections.push(("FutureSection".into(), Section::Other(json!({ "entry": { "number": 1.5 } }))));
    }
    Caches { accounts, document }
}

fn account(random: &mut Random, number: u64, cloud: &[&str], odd: bool) -> Account {
    let tenant = *random.pick(&TENANTS);
    let tenant = tenant.strip_suffix(".com").unwrap_or(tenant);
    let home_account_id = match random.number(100) {
        0..=2 if odd => format!("adfs-subject-{number}"),
        3..=4 if odd => format!("uid-{number}.{tenant}.more"),
        _ => format!("uid-{number}.{tenant}"),
    };
    let cloud = if random.chance(8) { random.pick(&CLOUDS) } else { &cloud };
    let environment = if random.chance(50) { cloud.first() } else { Some(random.pick(cloud)) };
    // Sometimes one person has accounts in two tenants.
    let name = if random.chance(5) { 0 } else { number };
    Account {
        home_account_id,
        username: format!("user{name}@contoso.com"),
        environment: environment.copied().unwrap_or_default().to_owned(),
    }
}

fn realms(random: &mut Random, account: &Account, odd: bool) -> Vec<String> {
    let mut realms = vec![account.home_tenant().to_owned()];
    if random.chance(10) {
        realms.push("organizations".into());
    }
    if odd && random.chance(10) {
        realms.push((*random.pick(&TENANTS)).to_owned());
    }
    realms
}

fn account_entry(account: &Account, realm: &str) -> Value {
    json!({
        "home_account_id": account.home_account_id,
        "environment": account.environment,
        "realm": realm,
        "local_account_id": account.home_account_id.split('.').next(),
        "username": account.username,
        "authority_type": "MSSTS",
    })
}

fn refresh_tokens(random: &mut Random, document: &mut Document, account: &Account, odd: bool) {
    let several = 2 + random.number(2);
    let count = *random.weighted(&[(6, 0), (80, 1), (if odd { 34 } else { 0 }, several)]);
    for number in 0..count {
        let own = random.chance(65);
        let family = random.chance(if own && odd {
            60
        } else if odd {
            80
        } else {
            100
        });
        let mut entry = Map::new();
        entry.insert("credential_type".into(), "RefreshToken".into());
        entry.insert("secret".into(), format!("rt-{number}-of-{}", account.home_account_id).into());
        entry.insert("home_account_id".into(), account.home_account_id.clone().into());
        entry.insert("environment".into(), account.environment.clone().into());
        let client = if own { CLIENT.to_owned() } else { format!("{OTHER_CLIENT}{number}") };
        entry.insert("client_id".into(), client.into());
        entry.insert("target".into(), if random.chance(30) { SCOPES[0] } else { "" }.into());
        if random.chance(80) {
            entry.insert("last_modification_time".into(), (NOW - random.number(4) * 1000).to_string().into());
        }
        if family {
            entry.insert("family_id".into(), "1".into());
        }
        put(document, "RefreshToken", entry.into());
    }
}

fn access_tokens(random: &mut Random, document: &mut Document, account: &Account, odd: bool) {
    for number in 0..*random.weighted(&[(15, 0), (55, 1), (20, 2), (10, 3)]) {
        let own = random.chance(if odd { 80 } else { 100 });
        let realm = match random.number(100) {
            0..=49 => account.home_tenant().to_owned(),
            50..=79 => "organizations".into(),
            80..=87 if odd => (*random.pick(&TENANTS)).to_owned(),
            _ => "common".into(),
        };
        let ahead = *random.weighted(&[
            (4, -1_i64),
            (2, 0),
            (2, 1),
            (3, 299),
            (3, 300),
            (5, 301),
            (45, 3600),
            (25, 86_400),
            (6, -90_000),
        ]);
        let expires_on = NOW.saturating_add_signed(ahead);
        let target = target(random);
        let mut entry = Map::new();
        for (field, value) in [
            ("credential_type", "AccessToken".to_owned()),
            ("secret", format!("at-{number}-of-{}", account.home_account_id)),
            ("home_account_id", account.home_account_id.clone()),
            ("environment", account.environment.clone()),
            ("client_id", if own { CLIENT } else { OTHER_CLIENT }.to_owned()),
            ("target", target),
            ("realm", realm),
            ("token_type", "Bearer".to_owned()),
            ("cached_at", expires_on.saturating_sub(86_400).min(NOW).to_string()),
            ("expires_on", expires_on.to_string()),
            ("extended_expires_on", expires_on.to_string()),
        ] {
            entry.insert(field.into(), value.into());
        }
        if random.chance(20) {
            let behind = odd && random.chance(40);
            let refresh_on = if behind { NOW - random.number(2) * 60 } else { NOW + 60 + random.number(2) * 600 };
            entry.insert("refresh_on".into(), refresh_on.to_string().into());
        }
        put(document, "AccessToken", entry.into());
    }
}

/// The scopes of a token: one, or one among others.
fn target(random: &mut Random) -> String {
    let mut scopes = vec![*random.weighted(&[(60, SCOPES[0]), (30, SCOPES[1]), (5, SCOPES[2]), (5, SCOPES[3])])];
    if random.chance(25) {
        scopes.extend(["openid", "profile"]);
    }
    scopes.sort_unstable();
    scopes.join(" ")
}

/// Adds an entry under MSAL's key, unless that key exists, ignoring case.
pub(super) fn put(document: &mut Document, section: &str, entry: Value) {
    let key = key_of(section, "", &entry);
    if document.entries(section).iter().all(|(other, _)| !other.eq_ignore_ascii_case(&key)) {
        document.push(section, key, entry);
    }
}
