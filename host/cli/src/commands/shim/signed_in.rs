//! The sign-ins of the Azure CLI: its `azureProfile.json`.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use shared_token_cache_storage::files;

use super::cloud::Cloud;

/// The largest profile that is read. An entry has some 500 bytes.
const LARGEST: u64 = 16 << 20;

/// The Azure CLI's message without a sign-in. SDKs recognise it by `az login`.
pub(super) const NOT_SIGNED_IN: &str = "Please run 'az login' to setup account.";

/// A subscription, and the sign-in by which it was found.
#[derive(Debug)]
pub(super) struct Subscription {
    /// The entry, unchanged.
    pub(super) entry: Value,
    pub(super) id: String,
    pub(super) tenant: String,
    pub(super) username: String,
    /// `None` for a cloud that is not built into the Azure CLI.
    pub(super) cloud: Option<&'static Cloud>,
    /// Whether the account is a user, and not a service principal or a managed identity.
    pub(super) is_user: bool,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    subscriptions: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    #[serde(default)]
    name: String,
    tenant_id: String,
    #[serde(default)]
    is_default: bool,
    #[serde(default)]
    environment_name: Option<String>,
    user: User,
}

#[derive(Deserialize)]
struct User {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The subscription with this name or id, or the default one. Errors are in the Azure CLI's words.
pub(super) fn subscription(wanted: Option<&str>) -> Result<Subscription, String> {
    let path = path().ok_or_else(|| NOT_SIGNED_IN.to_owned())?;
    let active = active_cloud(path.parent());
    let text = match files::read_input(&path, LARGEST) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(NOT_SIGNED_IN.to_owned()),
        Err(error) => return Err(format!("cannot read {}: {error}. {NOT_SIGNED_IN}", path.display())),
    };
    select(&text, wanted, &active).map_err(|error| match error {
        Wrong::Damaged(why) => format!("cannot read {}: {why}. {NOT_SIGNED_IN}", path.display()),
        Wrong::Said(what) => what,
    })
}

fn path() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let folder = folder("AZURE_CONFIG_DIR").or_else(|| Some(folder(home)?.join(".azure")))?;
    Some(folder.join("azureProfile.json"))
}

#[derive(Debug)]
enum Wrong {
    Damaged(serde_json::Error),
    Said(String),
}

/// The cloud of `az cloud set`. The Azure CLI knows the subscriptions of this cloud only.
fn active_cloud(folder: Option<&Path>) -> String {
    let environment = std::env::var("AZURE_CLOUD_NAME").ok().filter(|name| !name.is_empty());
    let configured = || {
        let text = files::read_input(&folder?.join("config"), LARGEST).ok()?;
        setting(&String::from_utf8_lossy(&text), "cloud", "name")
    };
    environment.or_else(configured).unwrap_or_else(|| Cloud::public().name().to_owned())
}

/// A value of the Azure CLI's configuration, an INI file.
fn setting(text: &str, section: &str, name: &str) -> Option<String> {
    let mut current = "";
    let mut found = None;
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            current = heading;
        } else if let Some((key, value)) = line.split_once(['=', ':'])
            && current == section
            && key.trim().eq_ignore_ascii_case(name)
        {
            found = Some(value.trim().to_owned());
        }
    }
    found
}

fn select(text: &[u8], wanted: Option<&str>, active: &str) -> Result<Subscription, Wrong> {
    // The Azure CLI writes a byte order mark.
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let file: File = serde_json::from_slice(text).map_err(Wrong::Damaged)?;
    let entries = file.subscriptions.into_iter().flatten();
    let entries = entries.filter_map(|value| Some((Entry::deserialize(&value).ok()?, value)));
    let entries = entries.filter(|(entry, _)| {
        entry.environment_name.as_deref().unwrap_or(Cloud::public().name()).eq_ignore_ascii_case(active)
    });
    let fits = |entry: &Entry| match wanted {
        Some(wanted) => [&entry.id, &entry.name].iter().any(|name| name.eq_ignore_ascii_case(wanted)),
        None => entry.is_default,
    };
    let mut found = entries.filter(|(entry, _)| fits(entry));
    let first = found.next();
    let (entry, value) = match (first, wanted) {
        (Some(first), _) => first,
        (None, None) => return Err(Wrong::Said(NOT_SIGNED_IN.to_owned())),
        (None, Some(wanted)) => {
            let what = format!(
                "Subscription '{wanted}' not found. Check the spelling and casing and try again, or run 'az login'."
            );
            return Err(Wrong::Said(what));
        }
    };
    if let Some(wanted) = wanted.filter(|_| found.next().is_some()) {
        let what = format!("Multiple subscriptions with the name '{wanted}' found. Specify the subscription ID.");
        return Err(Wrong::Said(what));
    }
    let cloud = match &entry.environment_name {
        Some(name) => Cloud::named(name),
        None => Some(Cloud::public()),
    };
    Ok(Subscription {
        is_user: entry.user.kind == "user",
        username: entry.user.name,
        tenant: entry.tenant_id,
        id: entry.id,
        entry: value,
        cloud,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\u{feff}{\"subscriptions\": [
        {\"id\": \"1\", \"name\": \"One\", \"tenantId\": \"t1\", \"user\": {\"name\": \"u\", \"type\": \"user\"}, \"environmentName\": \"AzureCloud\"},
        {\"id\": \"2\", \"name\": \"Two\", \"tenantId\": \"t2\", \"user\": {\"name\": \"u\", \"type\": \"user\"}, \"isDefault\": true},
        {\"id\": \"3\", \"name\": \"two\", \"tenantId\": \"t3\", \"user\": {\"name\": \"s\", \"type\": \"servicePrincipal\"}},
        {\"id\": \"4\", \"name\": \"Stack\", \"tenantId\": \"t4\", \"user\": {\"name\": \"u\", \"type\": \"user\"}, \"environmentName\": \"Stack\"},
        {\"id\": 5}]}";

    #[test]
    fn a_subscription_is_selected_by_name_or_id_or_is_the_default() {
        for (wanted, tenant) in [(None, "t2"), (Some("one"), "t1"), (Some("1"), "t1"), (Some("3"), "t3")] {
            assert_eq!(select(TEXT.as_bytes(), wanted, "AzureCloud").unwrap().tenant, tenant, "{wanted:?}");
        }
        assert!(!select(TEXT.as_bytes(), Some("3"), "AzureCloud").unwrap().is_user);
        let stack = select(TEXT.as_bytes(), Some("STACK"), "stack").unwrap();
        assert!(stack.tenant == "t4" && stack.cloud.is_none());
        assert!(select(TEXT.as_bytes(), Some("4"), "AzureCloud").is_err(), "of another cloud than the active one");
        assert!(select(TEXT.as_bytes(), None, "AzureUSGovernment").is_err());
    }

    #[test]
    fn the_configuration_is_an_ini_file() {
        let text = "[core]\noutput = table\n\n[cloud]\n# name = x\nname = AzureUSGovernment\n[other]\nname: y\n";
        assert_eq!(setting(text, "cloud", "name").as_deref(), Some("AzureUSGovernment"));
        assert_eq!(setting(text, "other", "name").as_deref(), Some("y"));
        assert_eq!(setting(text, "cloud", "output"), None);
    }

    #[test]
    fn a_missing_subscription_is_reported_in_the_azure_cli_s_words() {
        for (text, wanted, part) in [
            (TEXT, Some("six"), "'six' not found"),
            (TEXT, Some("two"), "Multiple subscriptions"),
            ("{}", None, "az login"),
            ("{\"subscriptions\": []}", None, "az login"),
            ("{\"subscriptions\": null}", None, "az login"),
        ] {
            match select(text.as_bytes(), wanted, "AzureCloud") {
                Err(Wrong::Said(what)) => assert!(what.contains(part), "{what}"),
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(select(b"[", None, "AzureCloud"), Err(Wrong::Damaged(_))));
    }
}
