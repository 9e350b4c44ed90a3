//! The certificates that this system's programs trust, in files: those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, as for OpenSSL, or else
//! the distribution's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls_native_certs::load_certs_from_paths;

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// Certificates to trust, and where they come from.
#[derive(Default)]
pub(super) struct Trusted {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) sources: Vec<String>,
    /// What is wrong with the variables.
    pub(super) warnings: Vec<String>,
}

/// Reads what the variables name. A variable without a value counts as not set. Where they name nothing that can be used, a warning
/// says so, and the system's certificates are used.
pub(super) fn trusted(get: impl Fn(&str) -> Option<OsString>) -> Trusted {
    let get = |name| get(name).filter(|value| !value.is_empty());
    let file = get(FILE).map(PathBuf::from);
    let folders: Vec<PathBuf> = get(FOLDERS).iter().flat_map(std::env::split_paths).collect();
    let folders: Vec<PathBuf> = folders.into_iter().filter(|folder| !folder.as_os_str().is_empty()).collect();
    let mut trusted = Trusted::default();
    if let Some(path) = &file {
        trusted.take(FILE, path, Some(path), None);
    }
    for path in &folders {
        trusted.take(FOLDERS, path, None, Some(path));
    }
    if trusted.certificates.is_empty() {
        if file.is_some() || !folders.is_empty() {
            trusted.warnings.push("the certificate authorities of the system are trusted instead".into());
        }
        trusted.take_the_systems(file.as_deref(), &folders);
    }
    trusted
}

impl Trusted {
    /// Takes the certificates of a file or of a folder that a variable names.
    fn take(&mut self, variable: &str, path: &Path, file: Option<&Path>, folder: Option<&Path>) {
        let found = load_certs_from_paths(file, folder);
        let count = RootCertStore::empty().add_parsable_certificates(found.certs.iter().cloned()).0;
        if count > 0 {
            self.certificates.extend(found.certs);
            self.sources.push(format!("{} ({variable})", path.display()));
            return;
        }
        let why = found.errors.first().map_or_else(|| "it holds no certificate".to_owned(), ToString::to_string);
        self.warnings.push(format!("{variable} names {}, which can't be used: {why}", path.display()));
    }

    /// Takes the distribution's certificates. Where these lie is found with a look at the same variables, whose places are of no use.
    fn take_the_systems(&mut self, file: Option<&Path>, folders: &[PathBuf]) {
        let places = openssl_probe::probe();
        let system_file = places.cert_file.as_deref().filter(|path| Some(*path) != file);
        let system_folders = places.cert_dir.iter().filter(|path| !folders.contains(path));
        let mut certificates = load_certs_from_paths(system_file, None).certs;
        system_folders.for_each(|folder| certificates.extend(load_certs_from_paths(None, Some(folder)).certs));
        certificates.sort_unstable_by(|one, other| one.as_ref().cmp(other.as_ref()));
        certificates.dedup();
        if !certificates.is_empty() {
            self.certificates = certificates;
            self.sources.push("the system's".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("contoso.pem");

    fn sources(file: Option<&Path>, folders: Option<&str>) -> Vec<String> {
        let trusted = trusted(|name| match name {
            FILE => file.map(Into::into),
            FOLDERS => folders.map(Into::into),
            _ => None,
        });
        trusted.sources
    }

    #[test]
    fn a_variable_that_names_nothing_of_use_counts_as_not_set() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = (folder.path().join("good.pem"), folder.path().join("bad.pem"));
        std::fs::write(&good, PEM).unwrap();
        std::fs::write(&bad, "none").unwrap();
        let system = sources(None, None);
        let named = |path: &Path, variable: &str| vec![format!("{} ({variable})", path.display())];
        let (here, gone) = (folder.path().to_str().unwrap(), folder.path().join("gone"));
        for (file, folders, expected) in [
            (Some(good.as_path()), None, named(&good, FILE)),
            (None, Some(here), named(folder.path(), FOLDERS)),
            (Some(&gone), Some(here), named(folder.path(), FOLDERS)),
            (Some(&good), Some("/gone"), named(&good, FILE)),
            (Some(Path::new("")), Some(""), system.clone()),
            (Some(&gone), None, system.clone()),
            (Some(&bad), None, system.clone()),
            (Some(folder.path()), None, system.clone()),
            (None, Some("/gone:"), system.clone()),
        ] {
            assert_eq!(sources(file, folders), expected, "{file:?} {folders:?}");
        }
    }
}
