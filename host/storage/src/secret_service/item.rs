//! Which of a keyring's items is the one of a document.
//!
//! Each of Microsoft's libraries marks its items in its own way. The schema is an attribute like others to the daemons, but one that a
//! search should not ask for: GNOME Keyring finds no item by it as long as it has not been unlocked since it started.

use std::collections::HashMap;

use secret_service::{Error, Item, SecretService};

use super::reason;

const SERVICE: &str = "Microsoft.Developer.IdentityService";

/// The document that is Python's, .NET's and JavaScript's default one.
const DEFAULT_DOCUMENT: &str = "msal.cache.nocae";

/// The attribute that the marks of Python and .NET share.
const CLIENT: &str = "MsalClientID";
const SCHEMA: &str = "xdg:schema";
const DOTNET_SCHEMA: &str = "msal.cache";

/// JavaScript keeps all of its caches in one item, whatever their names are, each overwriting the last. So it is taken for the one
/// that is in use unless somebody asks for another one; MSAL for Python does the same with that account name in the Keychain of macOS.
const JAVASCRIPT: [(&str, &str); 2] = [("service", SERVICE), ("account", "MSALCache")];

/// Whose item it is. The first one of several is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Writer {
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

/// The item of a document; the one that MSAL would find among several.
pub(super) async fn find<'a>(service: &'a SecretService<'_>, document: &str) -> Result<Option<Found<'a>>, Error> {
    let mut found = Vec::new();
    for search in searches(document) {
        let items = service.search_items(search).await?;
        let unlocked = items.unlocked.into_iter().map(|item| (false, item));
        for (locked, item) in unlocked.chain(items.locked.into_iter().map(|item| (true, item))) {
            match marks(&item).await {
                Ok((attributes, label)) => {
                    let writer = writer(&attributes, &label, document);
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

fn searches(document: &str) -> impl Iterator<Item = HashMap<&'static str, &'static str>> {
    let javascript = (document == DEFAULT_DOCUMENT).then(|| HashMap::from(JAVASCRIPT));
    std::iter::once(HashMap::from([(CLIENT, SERVICE)])).chain(javascript)
}

async fn marks(item: &Item<'_>) -> Result<(HashMap<String, String>, String), Error> {
    Ok((item.get_attributes().await?, item.get_label().await?))
}

/// Who wrote an item with these marks, if it holds the document. An item of GNOME Keyring that was never unlocked has hashes in place
/// of its attributes, and so holds none that could be named.
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
            // What the user has renamed.
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
    fn the_item_that_python_would_find_comes_first() {
        assert!(Writer::Python < Writer::DotNet && Writer::DotNet < Writer::JavaScript);
    }
}
