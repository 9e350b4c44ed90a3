//! The vault: no secret of a token cache reaches the component, and none leaves but an access token that fits the call.
//!
//! The host hands every document and every reply through the vault before the component sees it. Each secret becomes a handle,
//! such as `sealed-r-Jx2bV0m4f1uQe8Zk9sTtAw`, and every other byte stays. On the way out the vault opens handles where they
//! belong, and refuses everything else:
//!
//! | what the component does | what opens |
//! |---|---|
//! | post a form | a refresh token as the form's `refresh_token`, if the call needs that request |
//! | replace a document | the old document with changes from a closed list: entries for the tokens of a reply |
//! | return a token | an access token whose scopes, account, tenant and expiry fit the call |
//!
//! A document is sealed but for a closed list of fields: those of the entries of `AccessToken`, `RefreshToken`, `IdToken`, `Account`
//! and `AppMetadata` that say whose a token is and how long it lives. In a reply, a secret is the value of any member that is named
//! like one, at any depth, however its key is spelled. Text becomes a handle; a number, an object or an array becomes an array with
//! a handle; `""`, `null`, `true` and `false` stay, as the component tells them apart. A document that is not a JSON object becomes
//! white space that is damaged at the same line and column.
//!
//! What fits is decided by what the vault noted when it sealed, never by what the component says. So whatever a component does,
//! and whatever is in the cache, it holds nothing to leak.
//!
//! ```
//! use std::sync::Arc;
//!
//! use shared_token_cache_policy::{CacheName, Policy};
//! use shared_token_cache_vault::{Credential, Refused, Request, Vault};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let credential = Credential {
//!     cache_name: "msal.cache".into(),
//!     authority: "login.microsoftonline.com".into(),
//!     client_id: "client".into(),
//!     policy: Arc::new(Policy::for_current_user(CacheName::default())),
//!     ..Credential::default()
//! };
//! let vault = Vault::new(credential, 512 << 20)?;
//! let mut session = vault.session();
//! session.begin(&Request { scopes: &["https://vault.azure.net/.default".into()], ..Request::default() })?;
//!
//! let document = br#"{"RefreshToken": {"x": {"secret": "hunter2"}}}"#;
//! let sealed = vault.seal_document("msal.cache.nocae", "1", document.to_vec())?;
//! let text = session.hold(sealed);
//! assert!(!String::from_utf8_lossy(&text).contains("hunter2"));
//!
//! // A document is written when there is something to write: this call has redeemed no refresh token.
//! let refused = session.open_document("msal.cache.nocae", "1", &text).unwrap_err();
//! assert_eq!(refused, Refused::NothingRedeemed);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod call;
mod claims;
mod clouds;
mod damage;
mod document;
mod form;
mod handle;
mod hindrance;
mod home;
mod index;
mod json;
mod literal;
mod people;
mod refused;
mod replace;
mod reply;
mod result;
mod secret;
mod session;
mod vault;
mod verdict;

pub use call::{Credential, Record, Request};
pub use form::{Form, OpenForm, Redemption};
pub use handle::{Kind, NoRandomness, contains_handle};
pub use hindrance::{Application, Hindrance};
pub use refused::Refused;
pub use replace::OpenDocument;
pub use result::{AccessToken, Origin};
pub use secret::Secret;
pub use session::Session;
pub use vault::{Sealed, Vault};
