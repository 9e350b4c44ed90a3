//! Our stores, with the keyring of a session.

use std::io;
use std::path::Path;

use keyring_session::Session;
use shared_token_cache_storage::{KeyringAccess, Leniency, Places, Rules, Store};

pub(crate) trait HasStores {
    /// Our store of a document.
    fn store(&self, document: &str) -> io::Result<Box<dyn Store>>;
}

impl HasStores for Session {
    fn store(&self, document: &str) -> io::Result<Box<dyn Store>> {
        store(&self.home(), self.address(), document)
    }
}

/// Our store of a document below a home folder, with the keyring on a bus.
pub(crate) fn store(home: &Path, bus: &str, document: &str) -> io::Result<Box<dyn Store>> {
    let rules = Rules {
        largest: 200 << 20,
        loose_permissions: Leniency::Refuse,
        other_owner: Leniency::Refuse,
        symlink_targets: Vec::new(),
    };
    let places = Places::below(home).keyring(KeyringAccess::Bus(bus.to_owned()));
    places.shared(document, rules).map_err(io::Error::other)
}
