//! The Azure CLI's cache: a plain file, an encrypted file, or an item of a keyring.
//!
//! Its setting `core.encrypt_token_cache` decides. A change of the setting leaves the former
//! document behind, with the sign-in of that time. So the most recently written or touched file
//! names the document that the Azure CLI uses.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::examine::{Examination, ExaminationNote};
use crate::{FileStore, KeyringAccess, Read, ReadError, Rules, Store, WriteError};

/// The name that all of its files share, before the extension.
const STEM: &str = "msal_token_cache";

const SERVICE_PRINCIPALS: &str = "holds service principals, which Azure CLI up to 2.91 keeps in the same item as its token cache, so that one \
                                  replaces the other; run `az login` as a user";

/// How the keyrings identify the item.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    /// The names of the coming release that encrypts by default (Azure/azure-cli#33849).
    Named,
    /// The placeholders of the releases up to 2.91, copied from an example of msal-extensions.
    /// Other programs may have copied them too, so the item counts only together with the Azure
    /// CLI's signal file.
    Placeholder,
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
impl Item {
    /// The Secret Service's schema.
    #[cfg(target_os = "linux")]
    pub(crate) fn schema(self) -> &'static str {
        match self {
            Self::Named => "Microsoft Azure CLI",
            Self::Placeholder => "my_schema_name",
        }
    }

    /// The Secret Service's attributes.
    #[cfg(target_os = "linux")]
    pub(crate) fn attributes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Named => &[("type", "Token cache")],
            Self::Placeholder => &[("my_attr1", "foo"), ("my_attr2", "bar")],
        }
    }

    /// The Keychain's service.
    #[cfg(any(target_os = "macos", test))]
    pub(crate) fn service(self) -> &'static str {
        match self {
            Self::Named => "Microsoft Azure CLI",
            Self::Placeholder => "my_service_name",
        }
    }

    /// The Keychain's account.
    #[cfg(any(target_os = "macos", test))]
    pub(crate) fn account(self) -> &'static str {
        match self {
            Self::Named => "Token cache",
            Self::Placeholder => "my_account_name",
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Named => "`Token cache` of `Microsoft Azure CLI`",
            Self::Placeholder => "`my_schema_name` of the Azure CLI",
        })
    }
}

/// The files in which the Azure CLI may keep its document or signal a change of it.
pub(crate) fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    Form::ALL.into_iter().map(|form| form.file(folder))
}

/// The forms in which the Azure CLI stores its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// Encrypted by Windows.
    #[cfg(windows)]
    Encrypted,
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    Keyring(Item),
}

impl Form {
    /// The forms of this platform. Of two files with the same time, the later form in this list
    /// wins.
    #[cfg(windows)]
    const ALL: [Self; 2] = [Self::Plain, Self::Encrypted];
    #[cfg(not(any(windows, target_os = "linux", target_os = "macos")))]
    const ALL: [Self; 1] = [Self::Plain];
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    const ALL: [Self; 3] = [Self::Plain, Self::Keyring(Item::Placeholder), Self::Keyring(Item::Named)];

    /// The form that the Azure CLI writes by default.
    #[cfg(windows)]
    const DEFAULT: Self = Self::Encrypted;
    #[cfg(not(windows))]
    const DEFAULT: Self = Self::Plain;

    /// The file that holds the document, or signals a change of the item.
    fn file(self, folder: &Path) -> PathBuf {
        folder.join(STEM).with_extension(OsStr::new(match self {
            Self::Plain => "json",
            #[cfg(windows)]
            Self::Encrypted => "bin",
            #[cfg(any(target_os = "linux", target_os = "macos"))]
            Self::Keyring(Item::Placeholder) => "bin",
            #[cfg(any(target_os = "linux", target_os = "macos"))]
            Self::Keyring(Item::Named) => "sig",
        }))
    }

    /// When the file was last written or touched; `None` if it is missing.
    fn used(self, folder: &Path) -> Option<SystemTime> {
        let metadata = std::fs::metadata(self.file(folder)).ok()?;
        // The document of a Windows user has the same name as the signal file. In a folder that
        // both systems share, a file with content is that document, and not a signal.
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        if self == Self::Keyring(Item::Placeholder) && metadata.len() > 0 {
            return None;
        }
        metadata.modified().ok()
    }

    /// The form that the Azure CLI used last.
    fn last_used(folder: &Path) -> Self {
        let used = Self::ALL.into_iter().filter_map(|form| Some((form.used(folder)?, form)));
        used.max_by_key(|(time, _)| *time).map_or(Self::DEFAULT, |(_, form)| form)
    }

    fn open(self, folder: &Path, keyring: &KeyringAccess, rules: Rules) -> Box<dyn Store> {
        let file = self.file(folder);
        match self {
            Self::Plain => Box::new(FileStore::new(file, rules)),
            #[cfg(windows)]
            Self::Encrypted => {
                let _ = keyring;
                Box::new(FileStore::encrypted(file, rules))
            }
            #[cfg(any(target_os = "linux", target_os = "macos"))]
            Self::Keyring(item) => in_keyring(item, file, keyring, rules),
        }
    }
}

#[cfg(target_os = "linux")]
fn in_keyring(item: Item, signal: PathBuf, access: &KeyringAccess, rules: Rules) -> Box<dyn Store> {
    let service = crate::secret_service::SecretService::new(access, crate::keyring::Cache::AzureCli(item));
    Box::new(crate::keyring_store::KeyringStore::new(service, signal, None, rules))
}

#[cfg(target_os = "macos")]
fn in_keyring(item: Item, signal: PathBuf, access: &KeyringAccess, rules: Rules) -> Box<dyn Store> {
    use crate::keyring::{Cache, Closed};
    use crate::keyring_store::KeyringStore;
    match access {
        KeyringAccess::None => Box::new(KeyringStore::new(Closed, signal, None, rules)),
        KeyringAccess::Session | KeyringAccess::Bus(_) => {
            let keychain = crate::keychain::Keychain::of_the_user(&Cache::AzureCli(item));
            Box::new(KeyringStore::new(keychain, signal, None, rules))
        }
    }
}

/// The Azure CLI's cache, in the form that was used last when the store was opened.
#[derive(Debug)]
pub(crate) struct AzureCliStore {
    folder: PathBuf,
    form: Form,
    store: Box<dyn Store>,
}

impl AzureCliStore {
    pub(crate) fn open(folder: &Path, keyring: &KeyringAccess, rules: Rules) -> Self {
        let form = Form::last_used(folder);
        Self { folder: folder.to_owned(), form, store: form.open(folder, keyring, rules) }
    }

    /// Whether the Azure CLI keeps its service principals, a JSON list, in the same item as its
    /// token cache.
    fn shares_its_item(&self) -> bool {
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        return self.form == Form::Keyring(Item::Placeholder);
        #[cfg(not(any(target_os = "linux", target_os = "macos")))]
        return false;
    }

    /// The plain file of an earlier sign-in, if one exists beside the document that the Azure CLI
    /// uses now.
    fn stale(&self) -> Option<PathBuf> {
        let plain = Form::Plain.file(&self.folder);
        (self.form != Form::Plain && plain.exists()).then_some(plain)
    }

    /// Explains why the document cannot be read, for a user who sees a file that holds one.
    fn refused(&self, error: ReadError) -> ReadError {
        if matches!(error, ReadError::TooLarge(_) | ReadError::Busy(_)) {
            return error;
        }
        let newer = self.guarded().display();
        let Some(stale) = self.stale() else {
            return match error {
                // The user has signed in, so the error says where the sign-in should be.
                ReadError::NotFound(place) if self.form != Form::DEFAULT => {
                    ReadError::NotFound(format!("{place}, although {newer} is the signal of one"))
                }
                ReadError::Keyring(why) => {
                    ReadError::Unusable(format!("{newer} shows that the Azure CLI encrypts its sign-ins, and {why}"))
                }
                error => error,
            };
        };
        let stale = stale.display();
        ReadError::Unusable(format!(
            "{newer} shows that the Azure CLI now encrypts its sign-ins, and {error}; {stale} is older and may be \
             another user's, so it is not used: delete it, or name it with `--source file:{stale}`"
        ))
    }
}

impl Store for AzureCliStore {
    fn guarded(&self) -> &Path {
        self.store.guarded()
    }

    fn is_at(&self, known: &str) -> bool {
        self.store.is_at(known)
    }

    /// The Azure CLI may use another form from now on.
    fn may_move(&self) -> bool {
        true
    }

    fn mark(&self) -> Option<String> {
        self.store.mark()
    }

    fn read(&self, known: Option<&str>) -> Result<Read, ReadError> {
        let read = self.store.read(known).map_err(|error| self.refused(error))?;
        if let Read::Document(document) = &read
            && self.shares_its_item()
            && document.content.trim_ascii_start().starts_with(b"[")
        {
            let place = &document.place;
            return Err(ReadError::Unusable(format!("the {place} {SERVICE_PRINCIPALS}")));
        }
        Ok(read)
    }

    fn replace(&self, expected: &str, content: &[u8]) -> Result<String, WriteError> {
        // A write would make an abandoned document the most recently used one.
        if Form::last_used(&self.folder) != self.form {
            return Err(WriteError::Conflict);
        }
        self.store.replace(expected, content)
    }

    fn examine(&self) -> Examination {
        let mut examination = self.store.examine();
        if let Some(stale) = self.stale() {
            let stale = stale.display();
            let what = format!("{stale} is older than {}, so it is not used", self.guarded().display());
            let next = format!("Delete it, or use it with `--source file:{stale}`.");
            examination.notes.push(ExaminationNote { what, next });
        }
        examination
    }
}

#[cfg(test)]
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod tests;
