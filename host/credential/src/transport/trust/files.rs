//! Certificates in files: those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, as for OpenSSL, or the
//! distribution's.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use shared_token_cache_storage::files;

use super::ca_file::LARGEST;

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// The limits of a folder: bytes of all files, and number of files. A distribution's folder has
/// some hundred of 2 kB.
const LARGEST_FOLDER: u64 = 64 << 20;
const MOST_FILES: usize = 16_384;

/// Trusted certificates, and their sources.
#[derive(Default)]
pub(super) struct Trusted {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) sources: Vec<String>,
    /// The errors of the variables.
    pub(super) warnings: Vec<String>,
}

/// Reads the files of the variables. An empty variable counts as not set. If they contain no usable
/// certificate, the system's certificates are used, with a warning.
pub(super) fn trusted(get: impl Fn(&str) -> Option<OsString>) -> Trusted {
    let get = |name| get(name).filter(|value| !value.is_empty());
    let file = get(FILE).map(PathBuf::from);
    let folders: Vec<PathBuf> = get(FOLDERS).iter().flat_map(std::env::split_paths).collect();
    let folders: Vec<PathBuf> = folders.into_iter().filter(|folder| !folder.as_os_str().is_empty()).collect();
    let mut trusted = Trusted::default();
    if let Some(path) = &file {
        trusted.take(FILE, path, in_file(path, LARGEST).map(|(certificates, _)| certificates));
    }
    for path in &folders {
        trusted.take(FOLDERS, path, in_folder(path));
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
    /// Adds the certificates of a variable's file or folder, or a warning.
    fn take(&mut self, variable: &str, path: &Path, found: io::Result<Vec<CertificateDer<'static>>>) {
        let why = match found {
            Ok(found) if RootCertStore::empty().add_parsable_certificates(found.iter().cloned()).0 > 0 => {
                self.certificates.extend(found);
                self.sources.push(format!("{} ({variable})", path.display()));
                return;
            }
            Ok(_) => "it holds no certificate".to_owned(),
            Err(error) => error.to_string(),
        };
        self.warnings.push(format!("{variable} names {}, which cannot be used: {why}", path.display()));
    }

    /// Adds the distribution's certificates. The search for them reads the same variables, so their
    /// places are excluded.
    fn take_the_systems(&mut self, file: Option<&Path>, folders: &[PathBuf]) {
        let places = openssl_probe::probe();
        let system_file = places.cert_file.as_deref().filter(|path| Some(*path) != file);
        let system_folders = places.cert_dir.iter().filter(|path| !folders.contains(path));
        let file = system_file.and_then(|path| in_file(path, LARGEST).ok());
        let mut certificates = file.map(|(certificates, _)| certificates).unwrap_or_default();
        system_folders.for_each(|folder| certificates.extend(in_folder(folder).unwrap_or_default()));
        certificates.sort_unstable_by(|one, other| one.as_ref().cmp(other.as_ref()));
        certificates.dedup();
        if !certificates.is_empty() {
            self.certificates = certificates;
            self.sources.push("the system's".to_owned());
        }
    }
}

/// The certificates of a regular file, and its length.
fn in_file(path: &Path, largest: u64) -> io::Result<(Vec<CertificateDer<'static>>, u64)> {
    let bytes = files::read_input(path, largest)?;
    // An unreadable section does not affect the others.
    let certificates = CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok).collect();
    Ok((certificates, bytes.len() as u64))
}

/// The certificates of the regular files in a folder. Unreadable and large files are skipped.
fn in_folder(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let mut certificates = Vec::new();
    let mut rest = LARGEST_FOLDER;
    for entry in fs::read_dir(path)?.take(MOST_FILES).flatten() {
        match in_file(&entry.path(), rest.min(LARGEST)) {
            Ok((found, length)) => {
                certificates.extend(found);
                rest = rest.saturating_sub(length);
            }
            Err(error) => tracing::debug!("{} is not a certificate: {error}", entry.path().display()),
        }
    }
    Ok(certificates)
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
    fn a_variable_without_a_usable_certificate_counts_as_not_set() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = (folder.path().join("good.pem"), folder.path().join("bad.pem"));
        fs::write(&good, PEM).unwrap();
        fs::write(&bad, "none").unwrap();
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
