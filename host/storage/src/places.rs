use std::path::PathBuf;

use crate::platform_store::{self, SharedPlace};
use crate::{KeyringAccess, Rules, Store, azure_cli};

/// The places that hold this user's caches.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Places {
    /// The folder of the shared cache of Microsoft's developer tools.
    pub shared: Option<PathBuf>,
    /// The folder in which .NET signals changes of a keyring item.
    pub dotnet_signals: Option<PathBuf>,
    /// The Azure CLI's folder.
    pub azure_cli: Option<PathBuf>,
    /// The keyring that may hold the shared cache.
    pub keyring: KeyringAccess,
}

impl Places {
    /// The places as the tools find them: below `HOME` on Unix, below `LOCALAPPDATA` and
    /// `USERPROFILE` on Windows, and in the keyring of the session. `AZURE_CONFIG_DIR` moves the
    /// Azure CLI's folder, and `XDG_DATA_HOME` the one in which .NET signals.
    #[must_use]
    pub fn from_env() -> Self {
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let (local, home) = if cfg!(windows) { ("LOCALAPPDATA", "USERPROFILE") } else { ("HOME", "HOME") };
        let data = folder("XDG_DATA_HOME").or_else(|| folder(home).map(|base| base.join(".local/share")));
        Self {
            shared: folder(local).map(|base| base.join(FOLDER)),
            dotnet_signals: data.filter(|_| cfg!(unix)).map(|data| data.join(FOLDER)),
            azure_cli: folder("AZURE_CONFIG_DIR").or_else(|| folder(home).map(|base| base.join(".azure"))),
            keyring: KeyringAccess::Session,
        }
    }

    /// The places below a home folder, without any keyring.
    #[must_use]
    pub fn below(home: impl Into<PathBuf>) -> Self {
        let home = home.into();
        Self {
            shared: Some(home.join(FOLDER)),
            dotnet_signals: Some(home.join(".local/share").join(FOLDER)),
            azure_cli: Some(home.join(".azure")),
            keyring: KeyringAccess::None,
        }
    }

    /// The same places with this keyring.
    #[must_use]
    pub fn keyring(mut self, keyring: KeyringAccess) -> Self {
        self.keyring = keyring;
        self
    }

    /// The store of a document of the shared cache, such as `msal.cache.nocae`: a file name, never
    /// a path.
    ///
    /// # Errors
    /// When the folder is not known, with what to do about it.
    pub fn shared(&self, document: &str, rules: Rules) -> Result<Box<dyn Store>, &'static str> {
        let variable = if cfg!(windows) { "cannot find the folder of local data; set LOCALAPPDATA" } else { NO_HOME };
        let folder = self.shared.as_ref().ok_or(variable)?;
        let place = SharedPlace {
            file: folder.join(document),
            dotnet_signal: self.dotnet_signals.as_ref().map(|folder| folder.join(document)),
            keyring: &self.keyring,
            document,
        };
        Ok(platform_store::open(place, rules))
    }

    /// The store of the Azure CLI's only document, in the form that the Azure CLI used last.
    ///
    /// # Errors
    /// When the folder is not known, with what to do about it.
    pub fn azure_cli(&self, rules: Rules) -> Result<Box<dyn Store>, &'static str> {
        let folder =
            self.azure_cli.as_ref().ok_or("cannot find the Azure CLI's folder; set HOME or AZURE_CONFIG_DIR")?;
        Ok(Box::new(azure_cli::AzureCliStore::open(folder, &self.keyring, rules)))
    }
}

const FOLDER: &str = ".IdentityService";
const NO_HOME: &str = "cannot find the home folder; set HOME";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Leniency;

    const RULES: Rules = Rules {
        largest: 100,
        loose_permissions: Leniency::Refuse,
        other_owner: Leniency::Refuse,
        symlink_targets: Vec::new(),
    };

    #[test]
    fn documents_lie_where_the_tools_put_them() {
        let home = std::path::Path::new("/home/user0");
        let places = Places::below(home);
        let azure_cli = if cfg!(windows) { ".azure/msal_token_cache.bin" } else { ".azure/msal_token_cache.json" };
        for (store, path) in [
            (places.shared("msal.cache.nocae", RULES), ".IdentityService/msal.cache.nocae"),
            (places.shared("other.cae", RULES), ".IdentityService/other.cae"),
            (places.azure_cli(RULES), azure_cli),
        ] {
            assert_eq!(store.unwrap().guarded(), home.join(path));
        }
        let nowhere = Places { shared: None, azure_cli: None, ..places };
        assert!(nowhere.shared("msal.cache.nocae", RULES).is_err());
        assert!(nowhere.azure_cli(RULES).is_err());
    }
}
