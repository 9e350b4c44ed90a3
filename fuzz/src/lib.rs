//! Shared by the targets: the component's world, and oracles that parse JSON in other ways than the
//! code under test.

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
use shared_token_cache_vault::{Credential, Form, Request, Session, Vault};

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

/// A session in a call whose redemption was refused, so the call may write.
///
/// # Panics
/// When there is no randomness.
#[must_use]
pub fn answered() -> Session {
    const DOCUMENT: &str = r#"{"Account":{"u":{"home_account_id":"u.t","environment":"login.windows.net"}},
        "RefreshToken":{"r":{"home_account_id":"u.t","environment":"login.windows.net","family_id":"1","secret":"rt"}}}"#;
    let mut session = session();
    session.begin(&Request { scopes: &[SCOPE.to_owned()], ..Request::default() }).unwrap();
    let sealed = session.vault().clone().seal_document(NAME, "0", DOCUMENT.as_bytes().to_vec()).unwrap();
    let sealed = session.hold(sealed).unwrap();
    let _ = redeem(&mut session, &sealed, 400, r#"{"error":"invalid_grant"}"#);
    session
}

/// Redeems the first refresh token of a sealed document; returns the component's view of the
/// response.
///
/// # Panics
/// When it has none that the call may redeem.
#[must_use]
pub fn redeem(session: &mut Session, sealed: &str, status: u16, reply: &str) -> String {
    let handle = sealed.split('"').find(|text| text.starts_with("sealed-r-")).unwrap();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", handle),
        ("scope", SCOPE),
        ("client_id", CLIENT),
        ("client_info", "1"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let form = Form { authority_host: HOST, tenant: "organizations", headers: &[], fields: &fields };
    let redemption = session.open_form(&form).unwrap().redemption;
    session.seal_reply(redemption, status, reply.as_bytes().to_vec(), NOW)
}
