//! Parses the credential's options of a case.

use std::sync::Arc;

use serde_json::Value;
use shared_token_cache_core::{CachePersistenceOptions, Options};
use shared_token_cache_entra::agent_session::AgentSession;
use shared_token_cache_policy::{CacheName, Policy};
use shared_token_cache_vault::{Credential, Record};

pub(crate) fn authority(case: &Value) -> String {
    text(&case["settings"]["default_authority_host"]).unwrap_or_else(|| "login.microsoftonline.com".into())
}

pub(crate) fn agent_session_key(case: &Value) -> Option<String> {
    let session: AgentSession = text(&case["settings"]["agent_session"])?.parse().unwrap();
    Some(session.cache_key())
}

pub(crate) fn options(options: &Value) -> Options {
    Options {
        username: text(&options["username"]),
        authority: text(&options["authority"]),
        tenant_id: text(&options["tenant_id"]),
        client_id: text(&options["client_id"]),
        authentication_record: Some(&options["authentication_record"])
            .filter(|record| !record.is_null())
            .map(Value::to_string),
        cache_persistence_options: options["cache_persistence_options"].as_object().map(|cache| {
            CachePersistenceOptions {
                name: cache.get("name").and_then(text),
                allow_unencrypted_storage: cache.get("allow_unencrypted_storage").is_some_and(|value| value == true),
            }
        }),
        additionally_allowed_tenants: serde_json::from_value(options["additionally_allowed_tenants"].clone())
            .unwrap_or_default(),
        enable_guest_tenant_authentication: options["enable_guest_tenant_authentication"] == true,
    }
}

/// The host has the credential's options as well as the component.
pub(crate) fn credential(case: &Value) -> Credential {
    let given = options(&case["options"]);
    let record = &case["options"]["authentication_record"];
    let of_record = |name: &str| text(&record[name]);
    Credential {
        cache_name: given.cache_persistence_options.and_then(|cache| cache.name).unwrap_or_else(|| "msal.cache".into()),
        authority: of_record("authority").or(given.authority).unwrap_or_else(|| authority(case)),
        client_id: of_record("clientId")
            .or(given.client_id)
            .unwrap_or_else(|| "04b07795-8ddb-461a-bbee-02f9e1bf7b46".into()),
        username: given.username,
        tenant_id: given.tenant_id,
        record: of_record("homeAccountId")
            .zip(of_record("tenantId"))
            .map(|(home_account_id, tenant_id)| Record { home_account_id, tenant_id }),
        additionally_allowed_tenants: given.additionally_allowed_tenants,
        enable_guest_tenant_authentication: given.enable_guest_tenant_authentication,
        disable_multitenant_authentication: case["settings"]["disable_multitenant_authentication"] == true,
        agent_session_key: agent_session_key(case),
        policy: Arc::new(Policy::for_current_user(CacheName::default())),
    }
}

/// Collects every secret that could not occur in a harmless text by chance.
pub(crate) fn collect(value: &Value, secrets: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text)
                        if ["secret", "access_token", "refresh_token", "id_token"].contains(&name.as_str()) =>
                    {
                        secrets.extend(Some(text.clone()).filter(|text| text.len() >= 5));
                    }
                    _ => collect(value, secrets),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, secrets)),
        _ => {}
    }
}

pub(crate) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
