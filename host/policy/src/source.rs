use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::InvalidValue;

/// The source of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// The cache that Microsoft's developer tools share: `~/.IdentityService` on Unix,
    /// `%LOCALAPPDATA%\.IdentityService` on Windows.
    Shared,
    /// The Azure CLI's token cache, in `~/.azure` or the folder in `AZURE_CONFIG_DIR`.
    AzureCli,
    /// This file.
    File(PathBuf),
}

impl FromStr for Source {
    type Err = InvalidValue;

    /// Accepts `shared`, `azure-cli` or `file:PATH`.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match (text, text.strip_prefix("file:")) {
            ("shared", _) => Ok(Self::Shared),
            ("azure-cli", _) => Ok(Self::AzureCli),
            (_, Some(path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => {
                let what = format!("{text:?} is not a source");
                Err(InvalidValue::new(what, "choose `shared`, `azure-cli` or `file:PATH`"))
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared => f.write_str("shared"),
            Self::AzureCli => f.write_str("azure-cli"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_one_of_three() {
        for text in ["shared", "azure-cli", "file:/x"] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
        for text in ["", "file:", "Shared", "keyring"] {
            let said = String::from(text.parse::<Source>().unwrap_err());
            assert!(said.starts_with(&format!("{text:?} is not a source; choose ")), "{said}");
        }
    }
}
