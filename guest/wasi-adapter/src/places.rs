//! From the name of a cache document to places in the folders that the host grants.

use crate::settings::{Settings, Source};

const IDENTITY_SERVICE: &str = ".IdentityService";
const AZURE: &str = ".azure";
const AZURE_CLI_FILE: &str = "msal_token_cache.json";

/// A place to look at: a granted folder, by its position, and the path in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) folder: usize,
    pub(crate) path: String,
}

/// The places where the document may be, the likeliest first, or why there is none.
pub(crate) fn places(settings: &Settings, granted: &[String], name: &str) -> Result<Vec<Place>, String> {
    if !is_name(name) {
        return Err(format!("{name:?} is not the name of a cache"));
    }
    if granted.is_empty() {
        return Err("the host grants no folder; grant the one with the token cache".into());
    }
    let (folder, file) = match &settings.source {
        Source::File(path) => return within(granted, path).map(|place| vec![place]).ok_or_else(|| not_granted(path)),
        Source::Shared => (IDENTITY_SERVICE, name),
        Source::AzureCli => (AZURE, AZURE_CLI_FILE),
    };
    let configured = settings.azure_config.as_ref().filter(|_| settings.source == Source::AzureCli);
    let wanted: Vec<_> = match configured {
        Some(folder) => vec![join(folder, file)],
        None => settings.homes.iter().map(|home| join(&join(home, folder), file)).collect(),
    };
    let mut places: Vec<_> = wanted.iter().filter_map(|path| within(granted, path)).collect();
    // Without a home that is granted, a granted folder may be the cache's own, or hold it.
    if places.is_empty() && configured.is_none() {
        let own = |path: &String| last(path) == folder;
        let (own, others): (Vec<_>, Vec<_>) =
            (0..granted.len()).partition(|folder| granted.get(*folder).is_some_and(own));
        places.extend(own.into_iter().map(|folder| Place { folder, path: file.to_owned() }));
        places.extend(others.into_iter().map(|other| Place { folder: other, path: join(folder, file) }));
    }
    match wanted.as_slice() {
        _ if !places.is_empty() => Ok(places),
        [path, ..] => Err(not_granted(path)),
        [] => Err(format!("neither HOME nor USERPROFILE is set, and no granted folder is or holds {folder}")),
    }
}

/// A text for a person that says which folders are granted.
pub(crate) fn listed(granted: &[String]) -> String {
    granted.join(", ")
}

fn not_granted(path: &str) -> String {
    format!("the host does not grant the folder of {path}; grant it, for reading and writing")
}

/// The file's place in the granted folder that is nearest to it.
fn within(granted: &[String], path: &str) -> Option<Place> {
    let parts = parts(path)?;
    let inside = |folder: &String| {
        let folder = self::parts(folder)?;
        parts.starts_with(&folder).then_some(folder.len())
    };
    let nearest = granted.iter().enumerate().filter_map(|(position, folder)| Some((inside(folder)?, position)));
    let (length, folder) = nearest.max_by_key(|(length, _)| *length)?;
    let path = parts.get(length..).unwrap_or_default().join("/");
    (!path.is_empty()).then_some(Place { folder, path })
}

/// The parts of a path; `None` for one that climbs. Windows' separators count as well.
fn parts(path: &str) -> Option<Vec<&str>> {
    let parts = path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".");
    parts.map(|part| (part != "..").then_some(part)).collect()
}

fn last(path: &str) -> &str {
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or_default()
}

fn join(folder: &str, file: &str) -> String {
    format!("{}/{file}", folder.trim_end_matches(['/', '\\']))
}

/// What the component calls a document: letters, digits, `.`, `-` and `_`, with a suffix.
fn is_name(name: &str) -> bool {
    let stem = name.strip_suffix(".cae").or_else(|| name.strip_suffix(".nocae"));
    stem.is_some_and(|stem| {
        (1..=128).contains(&stem.len())
            && !stem.starts_with('.')
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::parse;

    const NAME: &str = "msal.cache.nocae";

    /// The places as texts, `granted/…` being the folder and what comes behind the bar the path in it.
    fn found(variables: &[(&str, &str)], granted: &[&str]) -> Result<Vec<String>, String> {
        let granted: Vec<_> = granted.iter().map(|folder| (*folder).to_owned()).collect();
        let places = places(&parse(variables).unwrap(), &granted, NAME)?;
        Ok(places.iter().map(|place| format!("{}|{}", granted.get(place.folder).unwrap(), place.path)).collect())
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
            "/tmp|.IdentityService/msal.cache.nocae".to_owned(),
        ];
        assert_eq!(found(&[], &["/tmp", "/data/.IdentityService"]), Ok(expected.clone()));
        // A home elsewhere does not keep it from what is granted.
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
    fn what_is_missing_is_named() {
        assert!(found(&[("HOME", "/home/u")], &[]).unwrap_err().contains("grants no folder"));
        let settings = parse(&[]).unwrap();
        for name in ["", "msal.cache", "../x.cae", "a/b.nocae", ".nocae", "..nocae", "x\0.cae"] {
            assert!(places(&settings, &["/".into()], name).unwrap_err().contains("name of a cache"), "{name:?}");
        }
    }
}
