//! Oddities in caches and calls, all of which were seen in practice.

use serde_json::{Map, Value, json};

use super::{NOW, OTHER_CLIENT, Random, TENANTS};
use crate::differential::document::{Document, Section, seconds};
use crate::differential::situation::{Call, Options};

/// Makes some entries and sections odd.
pub(super) fn document(random: &mut Random, document: &mut Document) {
    for name in ["Account", "RefreshToken", "AccessToken"] {
        let Some(entries) = document.entries_mut(name) else { continue };
        for (key, entry) in entries.iter_mut() {
            if random.chance(8) {
                *key = key.to_uppercase();
            }
            if let Some(fields) = entry.as_object_mut().filter(|_| random.chance(15)) {
                any(random, fields);
                if name == "AccessToken" {
                    access_token(random, fields);
                }
            }
            if random.chance(1) {
                *entry = random.pick(&[Value::Null, json!([]), json!("text"), json!(7)]).clone();
            }
        }
    }
    if random.chance(12) {
        document.each("RefreshToken", in_two_places);
    }
    if random.chance(6) {
        let name = *random.pick(&["Account", "RefreshToken", "AccessToken", "IdToken", "AppMetadata"]);
        let value = random.pick(&[Value::Null, json!([1]), json!("text")]).clone();
        document.sections.retain(|(other, _)| other != name);
        document.sections.push((name.into(), Section::Other(value)));
    }
}

/// An oddity of any entry.
fn any(random: &mut Random, fields: &mut Map<String, Value>) {
    let value = random.pick(&[Value::Null, json!(7), json!([]), json!("")]).clone();
    let field = |name: &str| name.to_owned();
    match random.number(13) {
        0 => drop(fields.remove("credential_type")),
        1 => drop(fields.insert(field("secret"), value)),
        2 => drop(fields.insert(field("home_account_id"), value)),
        3 | 11 => drop(fields.insert(field("environment"), (*random.pick(&ENVIRONMENTS)).into())),
        4 => drop(fields.insert(field("username"), value)),
        5 => drop(fields.insert(field("family_id"), value)),
        6 => drop(fields.insert(field("environment"), value)),
        7 => drop(fields.remove("environment")),
        8 => {
            let client = fields.get("client_id").and_then(Value::as_str).map(str::to_uppercase);
            fields.extend(client.map(|client| (field("client_id"), client.into())));
        }
        9 => drop(fields.insert(field("future_field"), json!({ "kept": true }))),
        10 => drop(fields.insert(field("realm"), value)),
        _ => in_two_places(fields),
    }
}

/// A secret that other entries of the account may have as well.
fn in_two_places(fields: &mut Map<String, Value>) {
    let home = fields.get("home_account_id").and_then(Value::as_str).unwrap_or_default();
    let secret = format!("rt-in-two-places-of-{home}");
    fields.insert("secret".into(), secret.into());
}

/// Environments that are invalid in an entry.
const ENVIRONMENTS: [&str; 5] = [
    "Login.MicrosoftOnline.com",
    "LOGIN.WINDOWS.NET",
    "login.chinacloudapi.cn",
    "login.contoso.com",
    "login.example.com",
];

/// An oddity of an access token.
fn access_token(random: &mut Random, fields: &mut Map<String, Value>) {
    let expires_on = seconds(&Value::Object(fields.clone()), "expires_on").unwrap_or_default();
    let value = random.pick(&[Value::Null, json!("soon"), json!(true), json!("")]).clone();
    let mut set = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    match random.number(15) {
        0 | 13 => {
            set("token_type", random.pick(&[json!("pop"), json!("ssh-cert"), Value::Null, json!("bearer")]).clone())
        }
        1 => set("key_id", json!("key")),
        2 => set("ext_cache_key", random.pick(&[json!("extra"), Value::Null]).clone()),
        3 => set("user_assertion_hash", json!("hash")),
        4 => set("expires_on", json!(expires_on)),
        5 => set("expires_on", value),
        6 => set("expires_on", format!("{expires_on}.5").into()),
        7 => set("refresh_on", value),
        8 => set("refresh_on", json!(NOW + 600)),
        9 | 14 => set("cached_at", (NOW + random.number(3) * 100).to_string().into()),
        10 => set("cached_at", value),
        11 => set("target", value),
        12 => set("client_id", OTHER_CLIENT.into()),
        _ => set("realm", json!(TENANTS[0])),
    }
}

/// Options that a caller may give, though they match nothing as they are.
pub(super) fn options(random: &mut Random, options: &mut Options) {
    match random.number(14) {
        0 => options.username = options.username.as_ref().map(|name| name.to_uppercase()),
        1 => options.username = Some("nobody@contoso.com".into()),
        2 | 9 => options.home_tenant = options.home_tenant.as_ref().map(|tenant| tenant.to_uppercase()),
        3 => options.home_tenant = Some((*random.pick(&["fabrikam", "nowhere.example", "", "a/b"])).to_owned()),
        4 => options.allowed_tenants = vec![TENANTS[0].to_owned()],
        5 => options.allowed_tenants = vec![TENANTS[2].to_uppercase()],
        6 => options.allowed_tenants = vec!["*".into()],
        7 => options.disable_multitenant = true,
        8 if random.chance(20) => options.authority = Some("http://login.microsoftonline.com".into()),
        _ => {}
    }
}

/// An oddity of a call.
pub(super) fn call(random: &mut Random, call: &mut Call) {
    match random.number(24) {
        0 | 11 => call.scopes.iter_mut().for_each(|scope| *scope = scope.to_uppercase()),
        1 => call.scopes = vec![call.scopes.join("  ")],
        2 => call.scopes.reverse(),
        3 => {
            call.scopes =
                random.pick(&[vec![], vec![String::new()], vec!["a\"b".into()], vec!["\u{e9}".into()]]).clone()
        }
        4 => call.claims = Some((*random.pick(&["{", "[]", "  ", "\t", "7"])).to_owned()),
        5..=8 => call.tenant_id = Some((*random.pick(&TENANTS)).to_owned()),
        9 => call.tenant_id = Some((*random.pick(&["a/b", "", "organizations", "adfs"])).to_owned()),
        10 => {
            call.claims = Some(r#"{"access_token": null}"#.into());
            call.enable_cae = true;
        }
        _ => {}
    }
}

/// Other contents of the cache file.
pub(super) fn content(random: &mut Random, document: Document, odd: bool) -> Option<String> {
    if !odd && random.chance(97) {
        return Some(document.text());
    }
    match random.number(60) {
        0 => None,
        1 => Some(String::new()),
        2 => Some((*random.pick(&["[]", "oops", "null", " ", "{\"Account\": {", "7"])).to_owned()),
        3 => Some(format!("\u{feff}{}", document.text())),
        4 => Some("{}".into()),
        _ => Some(document.text()),
    }
}
