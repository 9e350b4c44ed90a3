//! Authentication records, and their client's entries in the cache.

use serde_json::{Map, Value, json};

use super::cache::{Account, Caches, put};
use super::calls::CHALLENGE;
use super::{CLIENT, CLOUDS, NOW, OTHER_CLIENT, PUBLIC, Random, SCOPES, TENANTS, replies};
use crate::differential::document::Document;
use crate::differential::situation::{Call, Discovery, Options, Reply};

/// The authority's ids of the tenants that are named by a domain.
const IDS: [(&str, &str); 2] =
    [("contoso.com", "cccccccc-0000-0000-0000-000000000003"), ("fabrikam.com", "ffffffff-0000-0000-0000-000000000004")];

/// The subject of a record.
struct Recorded {
    account: Account,
    authority: String,
    client: String,
    tenant: String,
}

/// Gives the credential a record.
pub(super) fn add(random: &mut Random, cloud: &[&str], caches: &mut Caches, options: &mut Options, odd: bool) {
    let recorded = recorded(random, cloud, &caches.accounts, odd);
    if random.chance(88) {
        access_tokens(random, &mut caches.document, &recorded, odd);
    }
    if random.chance(45) {
        refresh_tokens(random, &mut caches.document, &recorded);
    }
    random.shuffle(&mut caches.document);
    app_metadata(random, &mut caches.document, &recorded, cloud);

    // Together with a record, this option is the tenant of the request.
    if !odd || random.chance(80) {
        options.home_tenant = random.chance(10).then(|| (*random.pick(&TENANTS)).to_owned());
    }
    let mut record = Map::new();
    for (field, value) in [
        ("authority", recorded.authority.as_str()),
        ("clientId", &recorded.client),
        ("homeAccountId", &recorded.account.home_account_id),
        ("tenantId", &recorded.tenant),
        ("username", &recorded.account.username),
        ("version", "1.0"),
    ] {
        record.insert(field.to_owned(), value.into());
    }
    if odd {
        oddity(random, &mut record, &recorded.client);
        match random.number(25) {
            0..=1 => caches.document.each("Account", |fields| drop(fields.remove("username"))),
            2..=3 => options.authority = Some("http://login.microsoftonline.com".into()),
            _ => {}
        }
    }
    options.record = Some(Value::Object(record).to_string());
}

fn recorded(random: &mut Random, cloud: &[&str], accounts: &[Account], odd: bool) -> Recorded {
    let stranger = Account {
        home_account_id: "uid-of-a-stranger.contoso".into(),
        username: "stranger@contoso.com".into(),
        environment: PUBLIC.into(),
    };
    let account = match accounts {
        [_, ..] if !random.chance(7) => random.pick(accounts).clone(),
        _ => stranger,
    };
    let client = random.weighted(&[(65, CLIENT), (30, ""), (5, "00000000-aaaa-bbbb-cccc-00000000000f")]);
    // Refresh tokens of the other clients are numbered.
    let client = if client.is_empty() { format!("{OTHER_CLIENT}0") } else { (*client).to_owned() };
    let tenant = match random.number(100) {
        0..=74 => account.home_tenant().to_owned(),
        75..=84 => (*random.pick(&TENANTS)).to_owned(),
        85..=92 => "organizations".into(),
        93..=96 if odd => account.home_tenant().to_uppercase(),
        97..=98 if odd => "nowhere.example".into(),
        _ => "common".into(),
    };
    let host = cloud.first().copied().unwrap_or_default();
    let authority = match random.number(100) {
        0..=5 => random.pick(cloud),
        6..=8 if odd => random.pick(&CLOUDS).first().unwrap_or(&PUBLIC),
        _ if random.chance(60) => &account.environment.as_str(),
        _ => &host,
    };
    Recorded { authority: (*authority).to_owned(), account, client, tenant }
}

/// Records that a caller may have stored, though they are of little use.
fn oddity(random: &mut Random, record: &mut Map<String, Value>, client: &str) {
    let mut set = |field: &str, value: Value| drop(record.insert(field.to_owned(), value));
    match random.number(48) {
        0..=1 => set("username", json!("nobody@contoso.com")),
        2..=3 => set("username", json!("USER0@CONTOSO.COM")),
        4 => set("username", json!("")),
        5 => set("version", random.pick(&[json!("1.1"), json!("2.0"), json!(1.0), Value::Null]).clone()),
        6 => drop(record.remove(*random.pick(&["authority", "clientId", "homeAccountId", "tenantId", "username"]))),
        7 => set("homeAccountId", random.pick(&[json!(""), json!("uid-0"), json!("uid-0.contoso.more")]).clone()),
        8 => set("tenantId", random.pick(&[json!(""), json!("a/b")]).clone()),
        9 => set("clientId", random.pick(&[json!(""), json!("a client")]).clone()),
        10..=20 => set("clientId", client.to_uppercase().into()),
        21..=23 => set("authority", json!("https://login.microsoftonline.com/")),
        24 => set("authority", json!("Login.MicrosoftOnline.com")),
        25 => set("authority", random.pick(&[json!("http://login.microsoftonline.com"), json!("")]).clone()),
        26 => set("futureField", json!([1])),
        _ => {}
    }
}

/// Access tokens of the record's client, for the record's tenant and others.
fn access_tokens(random: &mut Random, document: &mut Document, recorded: &Recorded, odd: bool) {
    for number in 0..*random.weighted(&[(80, 1), (20, 2)]) {
        let id = IDS.iter().find(|(domain, _)| *domain == recorded.tenant).map(|(_, id)| *id);
        let realm = match (id, random.number(100)) {
            (Some(id), 0..=49) => id.to_owned(),
            (_, 0..=91) => recorded.tenant.clone(),
            (_, 92..=95) => recorded.account.home_tenant().to_owned(),
            _ => (*random.pick(&["organizations", "common", TENANTS[0]])).to_owned(),
        };
        let ahead =
            *random.weighted(&[(30, 3600_i64), (50, 86_400), (5, 301), (4, 300), (3, 299), (4, -1), (4, -90_000)]);
        let expires_on = NOW.saturating_add_signed(ahead);
        let mut scopes = vec![SCOPES[0]];
        if random.chance(50) {
            scopes.push(SCOPES[1]);
        }
        if random.chance(60) {
            // MSAL caches a token for the scopes that it requested.
            scopes.extend(["offline_access", "openid", "profile"]);
        }
        scopes.sort_unstable();
        let environment =
            if random.chance(30) { recorded.account.environment.clone() } else { recorded.authority.clone() };
        let mut entry = Map::new();
        for (field, value) in [
            ("credential_type", "AccessToken".to_owned()),
            ("secret", format!("at-{number}-on-record-of-{}", recorded.account.home_account_id)),
            ("home_account_id", recorded.account.home_account_id.clone()),
            ("environment", environment),
            ("client_id", recorded.client.clone()),
            ("target", scopes.join(" ")),
            ("realm", realm),
            ("token_type", "Bearer".to_owned()),
            ("cached_at", expires_on.saturating_sub(86_400).min(NOW).to_string()),
            ("expires_on", expires_on.to_string()),
            ("extended_expires_on", expires_on.to_string()),
        ] {
            entry.insert(field.into(), value.into());
        }
        if random.chance(if odd { 75 } else { 15 }) {
            let behind = odd && random.chance(75);
            let refresh_on = if behind { NOW - random.number(3) * 60 } else { NOW + 60 + random.number(2) * 600 };
            entry.insert("refresh_on".into(), refresh_on.to_string().into());
        }
        put(document, "AccessToken", entry.into());
    }
}

/// Refresh tokens of the record's client and of others, with and without a family.
fn refresh_tokens(random: &mut Random, document: &mut Document, recorded: &Recorded) {
    for number in 0..=random.number(3) {
        let own = random.chance(50);
        let client = if own { recorded.client.clone() } else { format!("{OTHER_CLIENT}{}", 4 + number) };
        let home = &recorded.account.home_account_id;
        let mut entry = json!({
            "credential_type": "RefreshToken",
            "secret": format!("rt-{number}-on-record-of-{home}"),
            "home_account_id": home,
            "environment": recorded.account.environment,
            "client_id": client,
            "target": if random.chance(30) { SCOPES[1] } else { "" },
            "last_modification_time": (NOW - random.number(4) * 1000).to_string(),
        });
        if let (Some(entry), true) = (entry.as_object_mut(), random.chance(if own { 50 } else { 85 })) {
            entry.insert("family_id".into(), (*random.weighted(&[(90, "1"), (10, "2")])).into());
        }
        put(document, "RefreshToken", entry);
    }
}

/// The metadata of the record's client: none, its family, or no family.
fn app_metadata(random: &mut Random, document: &mut Document, recorded: &Recorded, cloud: &[&str]) {
    let environment = if random.chance(85) { &recorded.authority.as_str() } else { random.pick(cloud) };
    let mut metadata = json!({ "client_id": recorded.client, "environment": environment });
    let family = *random.weighted(&[(40, None), (25, Some(Some("1"))), (25, Some(None)), (5, Some(Some("2")))]);
    let Some(family) = family else { return };
    if let (Some(metadata), Some(family)) = (metadata.as_object_mut(), family) {
        metadata.insert("family_id".into(), family.into());
    }
    put(document, "AppMetadata", metadata);
}

/// Two calls while the authority fails and cached tokens are still valid, or to one that no longer
/// trusts the account.
pub(super) fn outage(random: &mut Random, first: &mut Call, second: &mut Call) {
    let in_trouble = random.chance(65);
    let busy = Reply::json(503, &json!({ "error": "temporarily_unavailable" }));
    for reply in first.replies.values_mut() {
        *reply = if in_trouble { busy.clone() } else { replies::refusal(random) };
    }
    // By this time, tokens are due for renewal.
    first.now += 700;
    first.scopes = vec![SCOPES[0].to_owned()];
    first.claims = (!in_trouble).then(|| CHALLENGE.to_owned());
    first.tenant_id = None;
    *second = Call { now: first.now + random.number(35), ..first.clone() };
}

/// Sometimes a refusal says, in one of several forms, that the client is not in the family of the
/// refresh token.
pub(super) fn mismatch(random: &mut Random, reply: &mut Reply) {
    let Value::Object(mut body) = reply.value() else { return };
    if body.contains_key("error") && reply.status == 400 && random.chance(25) {
        match random.number(3) {
            0 => drop(body.insert("suberror".into(), json!("client_mismatch"))),
            _ => drop(body.insert("error_additional_info".into(), json!(["client_mismatch"]))),
        }
        reply.body = Value::Object(body).to_string();
    }
}

/// The authority's responses to MSAL's metadata requests.
pub(super) fn discovery(random: &mut Random) -> Discovery {
    Discovery { status: *random.weighted(&[(94, 200), (3, 503), (3, 0)]), ..Discovery::default() }
}
