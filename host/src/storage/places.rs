use std::ffi::OsString;
use std::path::PathBuf;

use crate::policy::Source;

/// The folders that hold this user's caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The folder of the cache that Microsoft's developer tools share.
    pub shared: Option<PathBuf>,
    /// The Azure CLI's folder.
    pub azure_cli: Option<PathBuf>,
}

impl Places {
    /// The folders as the tools find them: below `HOME` on Unix, below `LOCALAPPDATA` and `USERPROFILE` on Windows. The Azure
    /// CLI's is moved by `AZURE_CONFIG_DIR`.
    #[must_use]
    pub fn from_env() -> Self {
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let (local, home) = if cfg!(windows) { ("LOCALAPPDATA", "USERPROFILE") } else { ("HOME", "HOME") };
        Self {
            shared: folder(local).map(|base| base.join(".IdentityService")),
            azure_cli: folder("AZURE_CONFIG_DIR").or_else(|| folder(home).map(|base| base.join(".azure"))),
        }
    }

    /// The folders below a home folder.
    #[must_use]
    pub fn below(home: impl Into<PathBuf>) -> Self {
        let home = home.into();
        Self { shared: Some(home.join(".IdentityService")), azure_cli: Some(home.join(".azure")) }
    }

    /// Where a document of a source lies. `document` is a name that a policy has granted, so never a path.
    pub(crate) fn locate(&self, source: &Source, document: &str) -> Result<PathBuf, &'static str> {
        match source {
            Source::File(path) => Ok(path.clone()),
            Source::Shared => match &self.shared {
                Some(folder) => Ok(folder.join(OsString::from(document))),
                None => Err("the home folder is not known; set HOME"),
            },
            // One file serves every name: the Azure CLI keeps no second cache.
            Source::AzureCli => match &self.azure_cli {
                Some(folder) => Ok(folder.join(AZURE_CLI_FILE)),
                None => Err("the Azure CLI's folder is not known; set HOME or AZURE_CONFIG_DIR"),
            },
        }
    }
}

/// The Azure CLI encrypts its cache on Windows.
const AZURE_CLI_FILE: &str = if cfg!(windows) { "msal_token_cache.bin" } else { "msal_token_cache.json" };

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn documents_lie_where_the_tools_put_them() {
        let places = Places::below("/home/user0");
        for (source, document, path) in [
            (Source::Shared, "msal.cache.nocae", "/home/user0/.IdentityService/msal.cache.nocae"),
            (Source::Shared, "other.cae", "/home/user0/.IdentityService/other.cae"),
            (Source::AzureCli, "msal.cache.nocae", "/home/user0/.azure/msal_token_cache.json"),
            (Source::File("/x/y.json".into()), "msal.cache.cae", "/x/y.json"),
        ] {
            assert_eq!(places.locate(&source, document), Ok(PathBuf::from(path)));
        }
        let nowhere = Places { shared: None, azure_cli: None };
        assert!(nowhere.locate(&Source::Shared, "msal.cache.nocae").is_err());
        assert!(nowhere.locate(&Source::AzureCli, "msal.cache.nocae").is_err());
    }
}
