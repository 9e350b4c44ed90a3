//! Files that the command uses for another purpose. Writing a token or an audit line into them
//! would destroy them.

use std::ffi::OsStr;
use std::path::Path;

use shared_token_cache::Places;
use shared_token_cache::policy::{CacheName, Policy, Source};
use shared_token_cache_storage::FilesInUse;

use super::credential::STDIN;

/// The command's input files, from its command line and its environment.
pub(super) fn of<'a>(policy: &Policy, inputs: impl IntoIterator<Item = (&'a str, Option<&'a Path>)>) -> FilesInUse {
    let mut used = FilesInUse::default();
    let places = Places::from_env();
    // Added even without a grant, so that a user's sign-in is never overwritten.
    used.add_shared(&places, &CacheName::default().to_string());
    used.add_azure_cli(&places);
    for grant in policy.caches() {
        match grant.source() {
            Source::Shared => grant.names().iter().for_each(|name| used.add_shared(&places, &name.to_string())),
            Source::AzureCli => {}
            Source::File(path) => used.add_cache(path),
        }
        grant.symlink_targets().iter().for_each(|target| used.add_cache(target));
    }
    for (what, path) in inputs {
        match path {
            Some(path) if path == Path::new(STDIN) => used.add("/dev/stdin", what),
            Some(path) => used.add(path, what),
            None => {}
        }
    }
    if let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|path| path != OsStr::new("")) {
        used.add(path, "the file of SSL_CERT_FILE");
    }
    if let Ok(program) = std::env::current_exe() {
        used.add(program, "this program");
    }
    used
}
