//! Maps the name of a cache document to places in the granted folders.

use shared_token_cache_entra::cache;

use crate::settings::{Settings, Source};

const IDENTITY_SERVICE: &str = ".IdentityService";
const AZURE: &str = ".azure";
const AZURE_CLI_FILE: &str = "msal_token_cache.json";

/// A possible place: a granted folder, by its index, and the path in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) folder: usize,
    pub(crate) path: String,
    /// The folder is a guess. If even its folder is missing, the cause is a missing grant and not a
    /// missing file.
    pub(crate) guessed: bool,
}

/// The possible places of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    /// In order of preference.
    pub(crate) all: Vec<Place>,
    /// The missing grant, in words for the user, if all places were wrong guesses.
    pub(crate) otherwise: String,
}

/// The possible places of the document, or why there are none.
pub(crate) fn places(settings: &Settings, granted: &[String], name: &str) -> Result<Places, String> {
    if cache::of_document(name).is_none() {
        return Err(format!("{name:?} is not the name of a cache"));
    }
    let (folder, file) = match &settings.source {
        Source::File(_) => ("", name),
        Source::Shared => (IDENTITY_SERVICE, name),
        Source::AzureCli => (AZURE, AZURE_CLI_FILE),
    };
    let configured = settings.azure_config.as_ref().filter(|_| settings.source == Source::AzureCli);
    let wanted: Vec<_> = match (&settings.source, configured) {
        (Source::File(path), _) => vec![path.clone()],
        (_, Some(folder)) => vec![join(folder, file)],
        (_, None) => settings.homes.iter().map(|home| join(&join(home, folder), file)).collect(),
    };
    let otherwise = match wanted.as_slice() {
        [path, ..] => format!("the host does not grant the folder of {path}; grant it, for reading and writing"),
        [] if granted.is_empty() => format!("the host grants no folder; grant the {folder} of your home folder"),
        [] => format!("neither HOME nor USERPROFILE is set, and no folder that the host grants is or holds {folder}"),
    };
    let mut all: Vec<_> = wanted.iter().filter_map(|path| within(granted, path)).collect();
    // If no home is granted, a granted folder may be the cache's own folder or its parent.
    if all.is_empty() && !folder.is_empty() && configured.is_none() {
        let (own, others): (Vec<_>, Vec<_>) =
            (0..granted.len()).partition(|at| granted.get(*at).is_some_and(|granted| last(granted) == folder));
        let (inside, holding) = (file.to_owned(), join(folder, file));
        all.extend(own.into_iter().map(|at| Place { folder: at, path: inside.clone(), guessed: false }));
        all.extend(others.into_iter().map(|at| Place { folder: at, path: holding.clone(), guessed: true }));
    }
    if all.is_empty() { Err(otherwise) } else { Ok(Places { all, otherwise }) }
}

/// The file's place in the innermost granted folder that contains it.
fn within(granted: &[String], path: &str) -> Option<Place> {
    let parts = parts(path)?;
    let inside = |folder: &String| {
        // A folder that the host names `.` is its working directory, whose path is unknown.
        let folder = self::parts(folder).filter(|_| is_rooted(folder) == is_rooted(path))?;
        parts.starts_with(&folder).then_some(folder.len())
    };
    let nearest = granted.iter().enumerate().filter_map(|(position, folder)| Some((inside(folder)?, position)));
    let (length, folder) = nearest.max_by_key(|(length, _)| *length)?;
    let path = parts.get(length..).unwrap_or_default().join("/");
    (!path.is_empty()).then_some(Place { folder, path, guessed: false })
}

/// The parts of a path; `None` if one is `..`. Windows' separators count as well.
fn parts(path: &str) -> Option<Vec<&str>> {
    let parts = path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".");
    parts.map(|part| (part != "..").then_some(part)).collect()
}

/// Whether a path is absolute, also on a drive.
fn is_rooted(path: &str) -> bool {
    path.starts_with(['/', '\\']) || path.as_bytes().get(1) == Some(&b':')
}

fn last(path: &str) -> &str {
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or_default()
}

fn join(folder: &str, file: &str) -> String {
    format!("{}/{file}", folder.trim_end_matches(['/', '\\']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::parse;

    const NAME: &str = "msal.cache.nocae";

    /// The places as texts: the granted folder, a bar, the path in it, and a question mark for a
    /// guess.
    fn found(variables: &[(&str, &str)], granted: &[&str]) -> Result<Vec<String>, String> {
        let granted: Vec<_> = granted.iter().map(|folder| (*folder).to_owned()).collect();
        let shown = |place: &Place| {
            format!("{}|{}{}", granted.get(place.folder).unwrap(), place.path, if place.guessed { "?" } else { "" })
        };
        Ok(places(&parse(variables).unwrap(), &granted, NAME)?.all.iter().map(shown).collect())
    }

    #[test]
    fn the_cache_is_under_the_home_in_the_nearest_granted_folder() {
        let home = [("HOME", "/home/u")];
        let cache = "msal.cache.nocae";
        for (granted, expected) in [
            (&["/"][..], format!("/|home/u/.IdentityService/{cache}")),
            (&["/home/u"], format!("/home/u|.IdentityService/{cache}")),
            (&["/home", "/home/u/.IdentityService/", "/home/u"], format!("/home/u/.IdentityService/|{cache}")),
            (&["/home/u/./"], format!("/home/u/./|.IdentityService/{cache}")),
        ] {
            assert_eq!(found(&home, granted), Ok(vec![expected]));
        }
        assert_eq!(
            found(&[("USERPROFILE", "C:\\Users\\u")], &["C:\\Users\\u"]),
            Ok(vec![format!("C:\\Users\\u|.IdentityService/{cache}")])
        );
    }

    #[test]
    fn without_a_home_the_granted_folders_are_searched() {
        let expected = vec![
            "/data/.IdentityService|msal.cache.nocae".to_owned(),
            "/tmp|.IdentityService/msal.cache.nocae?".to_owned(),
        ];
        assert_eq!(found(&[], &["/tmp", "/data/.IdentityService"]), Ok(expected.clone()));
        assert_eq!(found(&[], &["."]), Ok(vec![".|.IdentityService/msal.cache.nocae?".into()]));
        // A home that is not granted does not prevent the search of granted folders, and a folder
        // with a relative name may be any folder.
        assert_eq!(found(&[("HOME", "/home/u")], &["."]), Ok(vec![".|.IdentityService/msal.cache.nocae?".into()]));
        assert_eq!(found(&[("HOME", "/home/u")], &["/tmp", "/data/.IdentityService"]), Ok(expected));
    }

    #[test]
    fn the_azure_cli_has_one_file_for_all_names() {
        let cli = ("SHARED_TOKEN_CACHE_SOURCE", "azure-cli");
        let home = ("HOME", "/home/u");
        assert_eq!(found(&[cli, home], &["/home/u"]), Ok(vec!["/home/u|.azure/msal_token_cache.json".into()]));
        let moved = ("AZURE_CONFIG_DIR", "/etc/az/");
        assert_eq!(
            found(&[cli, home, moved], &["/home/u", "/etc/az"]),
            Ok(vec!["/etc/az|msal_token_cache.json".into()])
        );
        assert!(found(&[cli, home, moved], &["/home/u"]).unwrap_err().contains("/etc/az/msal_token_cache.json"));
    }

    #[test]
    fn a_file_that_is_named_is_the_only_place() {
        let file = |path| [("SHARED_TOKEN_CACHE_SOURCE", path)];
        assert_eq!(found(&file("file:/c/x.json"), &["/c"]), Ok(vec!["/c|x.json".into()]));
        assert!(found(&file("file:/c/../d/x.json"), &["/c"]).is_err());
        assert!(found(&file("file:/cc/x.json"), &["/c"]).is_err());
        assert!(found(&file("file:/c"), &["/c"]).is_err());
    }

    #[test]
    fn a_missing_grant_or_variable_is_named() {
        let home = [("HOME", "/home/u")];
        let cache = "/home/u/.IdentityService/msal.cache.nocae";
        assert!(found(&home, &[]).unwrap_err().contains(cache));
        assert!(found(&[], &[]).unwrap_err().contains("grants no folder"));
        let otherwise = |variables: &[(&str, &str)]| {
            places(&parse(variables).unwrap(), &["/tmp".to_owned()], NAME).unwrap().otherwise
        };
        assert!(otherwise(&home).contains(cache));
        assert!(otherwise(&[]).contains("neither HOME nor USERPROFILE"));
        let settings = parse(&[]).unwrap();
        for name in ["", "msal.cache", "../x.cae", "a/b.nocae", ".nocae", "..nocae", "x\0.cae"] {
            assert!(places(&settings, &["/".into()], name).unwrap_err().contains("name of a cache"), "{name:?}");
        }
    }
}
