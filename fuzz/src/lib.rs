//! What the targets share: what surrounds the component, and oracles that read JSON in other ways than the code under test.

mod border;
mod json;
mod sealed;
mod world;

pub use border::Border;
pub use json::{Members, entries, is_in_the_past, members, text};
pub use sealed::is_sealed;
pub use world::{CLIENT, HOST, NOW, SCOPE, World, ask, json_reply};

use std::sync::Arc;

use shared_token_cache_policy::{CacheName, Policy};
use shared_token_cache_vault::{Credential, Session, Vault};

/// The document's name.
pub const NAME: &str = "msal.cache.nocae";

/// A session with a vault of its own.
///
/// # Panics
/// When there is no randomness.
#[must_use]
pub fn session() -> Session {
    let credential = Credential {
        cache_name: "msal.cache".into(),
        authority: HOST.into(),
        client_id: CLIENT.into(),
        policy: Arc::new(Policy::for_current_user(CacheName::default())),
        ..Credential::default()
    };
    Vault::new(credential, 1 << 24).unwrap().session()
}
