//! Caches as large as real ones.

use serde_json::{Map, Value, json};
use shared_token_cache_tests::home::{AUTHORITY, CLIENT, document, now};

/// The use of the tokens.
pub(crate) const SCOPE: &str = "https://management.azure.com/.default";

/// A scope of its own for each number; `0` is for [`SCOPE`].
pub(crate) fn scope(number: usize) -> String {
    if number == 0 { SCOPE.to_owned() } else { format!("https://resource{number}.contoso.com/.default") }
}

/// A cache in which every account has an access token of some 2 kB for each of so many scopes, and a refresh token of 1.2 kB, as real
/// ones are.
pub(crate) fn with_access_tokens(accounts: usize, scopes: usize) -> String {
    let mut document = document(accounts);
    let expires_on = (now() + 86_400).to_string();
    let numbers = (0..accounts).flat_map(|account| (0..scopes).map(move |scope| (account, scope)));
    let tokens: Map<_, _> = numbers
        .map(|(number, target)| {
            let (home, realm) = (format!("uid-{number:08}.utid-{number:08}"), format!("utid-{number:08}"));
            let target = scope(target);
            let key = format!("{home}-{AUTHORITY}-accesstoken-{CLIENT}-{realm}-{target}");
            let entry = json!({
                "credential_type": "AccessToken", "secret": format!("at{number}-{}", "a".repeat(2_000)),
                "home_account_id": home, "environment": AUTHORITY, "client_id": CLIENT, "target": target,
                "realm": realm, "token_type": "Bearer", "cached_at": "1700000000", "expires_on": expires_on,
                "extended_expires_on": expires_on,
            });
            (key, entry)
        })
        .collect();
    if let Some(document) = document.as_object_mut() {
        document.insert("AccessToken".into(), tokens.into());
        let refresh_tokens = document.get_mut("RefreshToken").and_then(Value::as_object_mut);
        for (_, entry) in refresh_tokens.into_iter().flatten() {
            if let Some(entry) = entry.as_object_mut() {
                entry.insert("secret".into(), format!("rt-{}", "r".repeat(1_200)).into());
            }
        }
    }
    document.to_string()
}
