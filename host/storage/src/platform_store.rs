//! The shared cache of Microsoft's developer tools, as each platform stores it.

use std::path::PathBuf;

use crate::{FileStore, KeyringAccess, Rules, Store};

/// The possible places of a document of the shared cache.
#[cfg_attr(
    not(any(target_os = "linux", target_os = "macos")),
    expect(dead_code, reason = "only Linux and macOS have keyrings that hold caches")
)]
pub(crate) struct SharedPlace<'a> {
    /// The file, or the signal file of the keyring item. Where a keyring can't be used, the tools
    /// on Linux store the document itself in it.
    pub(crate) file: PathBuf,
    /// The signal file of .NET. Where a keyring can't be used, .NET stores the document itself in
    /// it.
    pub(crate) dotnet_signal: Option<PathBuf>,
    pub(crate) keyring: &'a KeyringAccess,
    pub(crate) document: &'a str,
}

#[cfg(windows)]
pub(crate) fn open(place: SharedPlace<'_>, rules: Rules) -> Box<dyn Store> {
    Box::new(FileStore::encrypted(place.file, rules))
}

#[cfg(target_os = "macos")]
pub(crate) fn open(place: SharedPlace<'_>, rules: Rules) -> Box<dyn Store> {
    use crate::keychain::Keychain;
    use crate::keyring::Cache;
    use crate::keyring_store::KeyringStore;
    match place.keyring {
        KeyringAccess::None => Box::new(FileStore::new(place.file, rules)),
        KeyringAccess::Session | KeyringAccess::Bus(_) => {
            let keychain = Keychain::of_the_user(&Cache::Shared(place.document.to_owned()));
            Box::new(KeyringStore::new(keychain, place.file, place.dotnet_signal, rules))
        }
    }
}

#[cfg(target_os = "linux")]
pub(crate) fn open(place: SharedPlace<'_>, rules: Rules) -> Box<dyn Store> {
    use crate::keyring::Cache;
    use crate::keyring_store::KeyringStore;
    use crate::secret_service::SecretService;
    let path = plain_file(&place);
    // .NET's file serves only as long as that of the other tools holds no document.
    let moves = path != place.file;
    let file = FileStore::new(path, rules.clone()).that_may_move(moves);
    match place.keyring {
        KeyringAccess::None => Box::new(file),
        KeyringAccess::Session | KeyringAccess::Bus(_) => {
            let service = SecretService::new(place.keyring, Cache::Shared(place.document.to_owned()));
            let keyring = KeyringStore::new(service, place.file, place.dotnet_signal, rules);
            Box::new(crate::keyring_or_file::KeyringOrFile::new(keyring, file))
        }
    }
}

/// The file that may hold the document: .NET's, if only that one is more than a signal.
#[cfg(target_os = "linux")]
fn plain_file(place: &SharedPlace<'_>) -> PathBuf {
    use crate::keyring_or_file::may_hold_document;
    let dotnet = place.dotnet_signal.as_ref().filter(|file| may_hold_document(file) && !may_hold_document(&place.file));
    dotnet.unwrap_or(&place.file).clone()
}

#[cfg(not(any(windows, target_os = "macos", target_os = "linux")))]
pub(crate) fn open(place: SharedPlace<'_>, rules: Rules) -> Box<dyn Store> {
    Box::new(FileStore::new(place.file, rules))
}
