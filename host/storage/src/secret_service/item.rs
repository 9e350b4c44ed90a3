//! Finds the item of a document in a keyring.
//!
//! Each of Microsoft's libraries marks its items in its own way. The schema is an ordinary
//! attribute to the daemons, but searches must not use it: GNOME Keyring finds no item by it until
//! it has been unlocked for the first time since its start.

use std::collections::HashMap;

use secret_service::{Error, Item, SecretService};
use shared_token_cache_entra::cache::DEFAULT_DOCUMENT;

use super::reason;
use crate::azure_cli;
use crate::keyring::Cache;

const SERVICE: &str = "Microsoft.Developer.IdentityService";

/// The attribute that the marks of Python and .NET share.
const CLIENT: &str = "MsalClientID";
const SCHEMA: &str = "xdg:schema";
const DOTNET_SCHEMA: &str = "msal.cache";

/// JavaScript stores all of its caches in one item, whatever their names, each overwriting the
/// last. So this item is read as the default document only; MSAL for Python does the same with that
/// account name in the Keychain of macOS.
const JAVASCRIPT: [(&str, &str); 2] = [("service", SERVICE), ("account", "MSALCache")];

/// The writer of an item, in descending order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Writer {
    AzureCli,
    /// The schema is the document's name.
    Python,
    /// The label is the document's name.
    DotNet,
    JavaScript,
}

/// An item that holds the document.
pub(super) struct Found<'a> {
    writer: Writer,
    pub(super) locked: bool,
    pub(super) item: Item<'a>,
}

/// Finds the item of a cache; among several, the one that MSAL would find.
pub(super) async fn find<'a>(service: &'a SecretService<'_>, cache: &Cache) -> Result<Option<Found<'a>>, Error> {
    let mut found = Vec::new();
    for search in searches(cache) {
        let items = service.search_items(search).await?;
        let unlocked = items.unlocked.into_iter().map(|item| (false, item));
        for (locked, item) in unlocked.chain(items.locked.into_iter().map(|item| (true, item))) {
            match marks(&item).await {
                Ok((attributes, label)) => {
                    let writer = match cache {
                        Cache::Shared(document) => writer(&attributes, &label, document),
                        Cache::AzureCli(item) => is_azure_cli(&attributes, *item).then_some(Writer::AzureCli),
                    };
                    found.extend(writer.map(|writer| Found { writer, locked, item }));
                }
                // Deleted since the search.
                Err(error) if reason::is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found.into_iter().min_by_key(|found| (found.writer, found.locked)))
}

fn searches(cache: &Cache) -> Vec<HashMap<&'static str, &'static str>> {
    match cache {
        Cache::Shared(document) if document == DEFAULT_DOCUMENT => {
            vec![HashMap::from([(CLIENT, SERVICE)]), HashMap::from(JAVASCRIPT)]
        }
        Cache::Shared(_) => vec![HashMap::from([(CLIENT, SERVICE)])],
        Cache::AzureCli(item) => vec![item.attributes().iter().copied().collect()],
    }
}

/// Whether an item is the Azure CLI's. The search was by its attributes, which other programs may
/// use too, so the schema decides.
fn is_azure_cli(attributes: &HashMap<String, String>, item: azure_cli::Item) -> bool {
    attributes.get(SCHEMA).is_some_and(|schema| schema == item.schema())
}

async fn marks(item: &Item<'_>) -> Result<(HashMap<String, String>, String), Error> {
    Ok((item.get_attributes().await?, item.get_label().await?))
}

/// The writer of an item that holds the document. GNOME Keyring has only hashes of the attributes
/// of an item that was never unlocked, so such an item never matches.
fn writer(attributes: &HashMap<String, String>, label: &str, document: &str) -> Option<Writer> {
    let has = |name: &str, value: &str| attributes.get(name).is_some_and(|found| found == value);
    let schema = attributes.get(SCHEMA).map(String::as_str);
    if has(CLIENT, SERVICE) {
        return match schema {
            Some(schema) if schema == document => Some(Writer::Python),
            Some(DOTNET_SCHEMA) | None if label == document => Some(Writer::DotNet),
            _ => None,
        };
    }
    let javascript = document == DEFAULT_DOCUMENT && JAVASCRIPT.iter().all(|(name, value)| has(name, value));
    javascript.then_some(Writer::JavaScript)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_taken_for_its_own_document_only() {
        const CAE: &str = "msal.cache.cae";
        const NAMED: &str = "contoso.nocae";
        let python = |schema| vec![(CLIENT, SERVICE), (SCHEMA, schema)];
        let dotnet = || vec![(CLIENT, SERVICE), (SERVICE, "1.0.0.0"), (SCHEMA, DOTNET_SCHEMA)];
        let javascript =
            |account| vec![("service", SERVICE), ("account", account), (SCHEMA, "org.freedesktop.Secret.Generic")];
        let hashed = || vec![("gkr:compat:hashed:MsalClientID", "00"), (SCHEMA, "org.freedesktop.Secret.Generic")];
        for (attributes, label, document, expected) in [
            (python(DEFAULT_DOCUMENT), "MSALCache", DEFAULT_DOCUMENT, Some(Writer::Python)),
            (python(CAE), "MSALCache", CAE, Some(Writer::Python)),
            (python(CAE), "MSALCache", DEFAULT_DOCUMENT, None),
            (python(NAMED), "MSALCache", DEFAULT_DOCUMENT, None),
            // An item that the user has renamed.
            (python(CAE), DEFAULT_DOCUMENT, DEFAULT_DOCUMENT, None),
            (dotnet(), DEFAULT_DOCUMENT, DEFAULT_DOCUMENT, Some(Writer::DotNet)),
            (dotnet(), CAE, CAE, Some(Writer::DotNet)),
            (dotnet(), CAE, DEFAULT_DOCUMENT, None),
            (dotnet(), "", DEFAULT_DOCUMENT, None),
            (vec![(CLIENT, SERVICE)], NAMED, NAMED, Some(Writer::DotNet)),
            (javascript("MSALCache"), "", DEFAULT_DOCUMENT, Some(Writer::JavaScript)),
            (javascript("MSALCache"), "", CAE, None),
            (javascript("MSALCache"), NAMED, NAMED, None),
            (javascript("somebody"), "", DEFAULT_DOCUMENT, None),
            (hashed(), "", DEFAULT_DOCUMENT, None),
            (vec![(CLIENT, "another"), (SCHEMA, DEFAULT_DOCUMENT)], DEFAULT_DOCUMENT, DEFAULT_DOCUMENT, None),
        ] {
            let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(writer(&attributes, label, document), expected, "{attributes:?}, label {label:?}, {document}");
        }
    }

    #[test]
    fn an_item_is_the_azure_clis_by_its_schema() {
        use azure_cli::Item::{Named, Placeholder};
        for (schema, item, expected) in [
            (Some("Microsoft Azure CLI"), Named, true),
            (Some("my_schema_name"), Placeholder, true),
            (Some("my_schema_name"), Named, false),
            // An item of another program, with an attribute as general as `type`.
            (Some("org.freedesktop.Secret.Generic"), Named, false),
            (None, Named, false),
            (None, Placeholder, false),
        ] {
            let mut attributes: HashMap<String, String> =
                item.attributes().iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            attributes.extend(schema.map(|schema| (SCHEMA.to_owned(), schema.to_owned())));
            assert_eq!(is_azure_cli(&attributes, item), expected, "{schema:?} {item:?}");
        }
    }

    #[test]
    fn the_item_that_python_would_find_comes_first() {
        assert!(Writer::Python < Writer::DotNet && Writer::DotNet < Writer::JavaScript);
    }
}
