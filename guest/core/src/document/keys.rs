//! Keys of cache entries, as MSAL builds them.

/// Key of an access token: `msal/token_cache.py`, `key_makers`. `extended` is its extended cache
/// key.
pub(crate) fn access_token_key(
    home: &str,
    environment: &str,
    client_id: &str,
    realm: &str,
    target: &str,
    extended: Option<&str>,
) -> String {
    let key = match extended {
        None => format!("{home}-{environment}-accesstoken-{client_id}-{realm}-{target}"),
        Some(extended) => format!("{home}-{environment}-atext-{client_id}-{realm}-{target}-{extended}"),
    };
    key.to_lowercase()
}

/// Key of an id token; the empty target leaves a dash at the end.
pub(crate) fn id_token_key(home: &str, environment: &str, client_id: &str, realm: &str) -> String {
    format!("{home}-{environment}-idtoken-{client_id}-{realm}-").to_lowercase()
}

/// Key of a client's metadata, the one key that MSAL for Python does not lower-case.
pub(crate) fn app_metadata_key(environment: &str, client_id: &str) -> String {
    format!("appmetadata-{environment}-{client_id}")
}
