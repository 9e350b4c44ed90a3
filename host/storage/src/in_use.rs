//! Files that have a purpose already, so that no other output may be written to them.

use std::path::{Path, PathBuf};

use shared_token_cache_entra::cache::{CAE, NOCAE};

use crate::{Places, azure_cli, lock};

/// Paths, each with the purpose of its file. The file need not exist yet.
#[derive(Debug, Clone, Default)]
pub struct FilesInUse(Vec<(PathBuf, String)>);

impl FilesInUse {
    /// Adds a file; `purpose` completes the sentence "it is …".
    pub fn add(&mut self, path: impl Into<PathBuf>, purpose: impl Into<String>) {
        self.0.push((path.into(), purpose.into()));
    }

    /// Adds a cache file and its lock.
    pub fn add_cache(&mut self, path: &Path) {
        self.add(path, format!("the cache {}", path.display()));
        self.add(lock::path_of(path), format!("the lock of the cache {}", path.display()));
    }

    /// Adds the documents of a shared cache: files, or signals of a keyring.
    pub fn add_shared(&mut self, places: &Places, name: &str) {
        for folder in places.shared.iter().chain(&places.dotnet_signals) {
            for suffix in ["", NOCAE, CAE] {
                self.add_cache(&folder.join(format!("{name}{suffix}")));
            }
        }
    }

    /// Adds the Azure CLI's documents in each of their forms.
    pub fn add_azure_cli(&mut self, places: &Places) {
        for path in places.azure_cli.iter().flat_map(|folder| azure_cli::files(folder)) {
            self.add_cache(&path);
        }
    }

    /// The purpose of the file at this path, compared after resolving links and `..`.
    #[must_use]
    pub fn purpose(&self, path: &Path) -> Option<&str> {
        self.0.iter().find(|(used, _)| are_one(used, path)).map(|(_, purpose)| purpose.as_str())
    }
}

/// Whether two paths name one regular file, or one place where a file may be created.
fn are_one(one: &Path, other: &Path) -> bool {
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(first), Ok(second)) => first.is_file() && second.is_file() && is_one_file((one, &first), (other, &second)),
        (Err(_), Err(_)) => resolved(one) == resolved(other),
        _ => false,
    }
}

#[cfg(unix)]
fn is_one_file((_, first): (&Path, &std::fs::Metadata), (_, second): (&Path, &std::fs::Metadata)) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (first.dev(), first.ino()) == (second.dev(), second.ino())
}

#[cfg(not(unix))]
fn is_one_file((one, _): (&Path, &std::fs::Metadata), (other, _): (&Path, &std::fs::Metadata)) -> bool {
    matches!((std::fs::canonicalize(one), std::fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// The path of a file that does not exist, with links and `..` resolved as far as its folders
/// exist.
fn resolved(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut missing = Vec::new();
    let mut there = whole.as_path();
    loop {
        if let Ok(real) = std::fs::canonicalize(there) {
            return missing.iter().rev().fold(real, |path, name| path.join(name));
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                there = parent;
            }
            _ => return whole,
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_in_use_is_recognised_by_every_path_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("cache"), "{}").unwrap();
        fs::write(at("other"), "{}").unwrap();
        fs::hard_link(at("cache"), at("second")).unwrap();
        symlink(at("cache"), at("link")).unwrap();
        fs::create_dir(at("real")).unwrap();
        symlink(at("real"), at("detour")).unwrap();
        let mut used = FilesInUse::default();
        used.add_cache(&at("cache"));
        used.add_cache(&at("real/missing"));
        used.add("/dev/null", "nothing");
        for (name, in_use) in [
            ("cache", true),
            ("second", true),
            ("link", true),
            ("real/../cache", true),
            ("cache.lockfile", true),
            ("detour/missing", true),
            ("detour/missing.lockfile", true),
            ("other", false),
            ("real/other", false),
            ("detour", false),
        ] {
            assert_eq!(used.purpose(&at(name)).is_some(), in_use, "{name}");
        }
        assert_eq!(used.purpose(Path::new("/dev/null")), None, "a device takes whatever is written");
    }

    #[test]
    fn the_documents_of_every_tool_are_in_use_with_their_locks() {
        let places = Places::below("/nonexistent/user0");
        let mut used = FilesInUse::default();
        used.add_shared(&places, "msal.cache");
        used.add_azure_cli(&places);
        for name in [
            ".IdentityService/msal.cache.nocae",
            ".IdentityService/msal.cache.cae",
            ".IdentityService/msal.cache.nocae.lockfile",
            ".local/share/.IdentityService/msal.cache.cae",
            ".azure/msal_token_cache.json",
            ".azure/msal_token_cache.json.lockfile",
        ] {
            assert!(used.purpose(&Path::new("/nonexistent/user0").join(name)).is_some(), "{name}");
        }
        assert_eq!(used.purpose(Path::new("/nonexistent/user0/.azure/token")), None);
    }
}
