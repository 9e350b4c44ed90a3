//! Suggestions where no document was found: files nearby, recognised by their names and never
//! opened. A user who has signed in should learn where the sign-in is, instead of being asked to
//! sign in again.

use std::path::{Path, PathBuf};

use shared_token_cache_entra::cache::{CAE, NOCAE};

use crate::{ExaminationNote, Places, Rules};

const CLI_STEM: &str = "msal_token_cache";

impl Places {
    /// Files near a document of the shared cache, such as `msal.cache.nocae`. The cache's other
    /// document is examined under `rules`, and ignored without rules.
    #[must_use]
    pub fn near_shared(&self, document: &str, rules: Option<Rules>) -> Vec<ExaminationNote> {
        let Some((name, other)) = other(document) else { return Vec::new() };
        let examined = rules.and_then(|rules| self.shared(&other, rules).ok()).map(|store| store.examine());
        let there = examined.filter(|examined| examined.found);
        let mut notes: Vec<ExaminationNote> =
            there.into_iter().map(|there| other_document(&there.place, &other)).collect();
        let folders = self.shared.iter().chain(&self.dotnet_signals);
        for bare in folders.map(|folder| folder.join(name)).filter(|bare| is_file(bare)) {
            let bare = bare.display();
            let what = format!("{bare} exists, without the suffix that tools give their caches today");
            notes.push(ExaminationNote { what, next: format!("To use it, pass `--source file:{bare}`.") });
        }
        notes
    }

    /// Files near the Azure CLI's document.
    #[must_use]
    pub fn near_azure_cli(&self) -> Vec<ExaminationNote> {
        self.azure_cli.as_deref().map(near_azure_cli).unwrap_or_default()
    }
}

/// Files near a file that a source names.
#[must_use]
pub fn near_file(path: &Path) -> Vec<ExaminationNote> {
    let (Some(folder), Some(stem)) = (path.parent(), path.file_stem()) else { return Vec::new() };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut names: Vec<PathBuf> = vec![folder.join(stem)];
    names.extend(
        ["json", "bin", NOCAE, CAE]
            .map(|extension| folder.join(stem).with_extension(extension.trim_start_matches('.'))),
    );
    names.retain(|near| near != path && is_file(near));
    let named = |near: PathBuf| ExaminationNote {
        what: format!("{} has nearly the same name", near.display()),
        next: format!("To use it, pass `--source file:{}`.", near.display()),
    };
    names.into_iter().map(named).collect()
}

/// The note for the other document of a shared cache.
fn other_document(place: &str, other: &str) -> ExaminationNote {
    let (kind, next) = if other.ends_with(CAE) {
        ("with", "To use it, pass `--enable-cae`.")
    } else {
        ("without", "To use it, leave `--enable-cae` out.")
    };
    let what = format!("the {place} exists, the cache of tokens {kind} Continuous Access Evaluation");
    ExaminationNote { what, next: next.to_owned() }
}

/// The name of a document's cache, and the name of the cache's other document.
pub fn other(document: &str) -> Option<(&str, String)> {
    match (document.strip_suffix(NOCAE), document.strip_suffix(CAE)) {
        (Some(name), _) => Some((name, format!("{name}{CAE}"))),
        (_, Some(name)) => Some((name, format!("{name}{NOCAE}"))),
        _ => None,
    }
}

fn near_azure_cli(folder: &Path) -> Vec<ExaminationNote> {
    let mut notes = Vec::new();
    let mut near = |name: &str, what: &str, next: &str| {
        let path = folder.join(name);
        if is_file(&path) {
            notes.push(ExaminationNote { what: format!("{} {what}", path.display()), next: next.to_owned() });
        }
    };
    // An empty one is a signal file.
    let windows_cache = std::fs::metadata(folder.join(CLI_STEM).with_extension("bin"));
    if cfg!(not(windows)) && windows_cache.is_ok_and(|metadata| metadata.len() > 0) {
        near(
            &format!("{CLI_STEM}.bin"),
            "exists, which the Azure CLI encrypts on Windows",
            "Only Windows and that user can read it: run `az login` on this system as well.",
        );
    }
    near(
        CLI_STEM,
        "exists, without the extension that the Azure CLI gives it",
        "To use it, name it with `--source file:`.",
    );
    for extension in ["json", "bin", "sig"] {
        near(
            &format!("service_principal_entries.{extension}"),
            "shows that a service principal has signed in to the Azure CLI, which has no user",
            "Use a credential for applications, or run `az login` as a user.",
        );
    }
    near(
        "accessTokens.json",
        "is the cache of an Azure CLI before 2.30, which is not read",
        "Update the Azure CLI and run `az login`.",
    );
    // The Azure CLI writes it at each sign-in, so beside a cache it adds no information.
    if ["json", "bin", "sig"].iter().any(|extension| is_file(&folder.join(CLI_STEM).with_extension(extension))) {
        return notes;
    }
    near(
        "azureProfile.json",
        "shows that the Azure CLI was used, perhaps as a service principal, as a managed identity or through the \
         account broker of the operating system; none of these leaves a sign-in here",
        "See `az account show`; `az login` signs in a user.",
    );
    notes
}

fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(notes: &[ExaminationNote]) -> String {
        notes.iter().map(|note| format!("{note}\n")).collect()
    }

    fn rules() -> Option<Rules> {
        let warn = crate::Leniency::Warn;
        Some(Rules { largest: 100, loose_permissions: warn, other_owner: warn, symlink_targets: Vec::new() })
    }

    fn home(files: &[&str]) -> (tempfile::TempDir, Places) {
        let home = tempfile::tempdir().unwrap();
        for file in files {
            let path = home.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let places = Places::below(home.path());
        (home, places)
    }

    #[test]
    fn nothing_is_near_an_empty_home() {
        let (home, places) = home(&[]);
        assert_eq!(shown(&places.near_shared("msal.cache.nocae", rules())), "");
        assert_eq!(shown(&places.near_azure_cli()), "");
        assert_eq!(shown(&near_file(&home.path().join("cache.json"))), "");
    }

    #[test]
    fn the_other_document_is_suggested_with_the_flag() {
        let (_home, places) = home(&[".IdentityService/msal.cache.cae", ".local/share/.IdentityService/msal.cache"]);
        let near = shown(&places.near_shared("msal.cache.nocae", rules()));
        assert!(near.contains("msal.cache.cae exists") && near.contains("pass `--enable-cae`"), "{near}");
        assert!(near.contains("msal.cache exists, without the suffix"), "{near}");
        assert!(!shown(&places.near_shared("msal.cache.nocae", None)).contains("--enable-cae"), "the policy denies it");
        assert!(!shown(&places.near_shared("msal.cache.cae", rules())).contains("--enable-cae"));
        let (_home, places) = home(&[".IdentityService/msal.cache.nocae"]);
        assert!(shown(&places.near_shared("msal.cache.cae", rules())).contains("leave `--enable-cae` out"));
    }

    #[test]
    fn other_files_of_the_azure_cli_are_explained() {
        for (file, part) in [
            ("service_principal_entries.json", "a service principal has signed in"),
            ("accessTokens.json", "before 2.30"),
            ("azureProfile.json", "az account show"),
            ("msal_token_cache", "--source file:"),
        ] {
            let (_home, places) = home(&[&format!(".azure/{file}")]);
            let near = shown(&places.near_azure_cli());
            assert!(near.contains(file) && near.contains(part) && near.lines().count() == 1, "{near}");
        }
    }

    #[test]
    fn a_file_of_nearly_the_same_name_is_suggested() {
        let (home, _) = home(&["msal_token_cache.json", "unrelated.json"]);
        let near = shown(&near_file(&home.path().join("msal_token_cache.bin")));
        assert!(near.contains("msal_token_cache.json") && near.lines().count() == 1, "{near}");
    }
}
