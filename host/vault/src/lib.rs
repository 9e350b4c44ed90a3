#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accounts_index;
mod call;
mod claims;
mod credential;
mod damage;
mod document;
mod echo;
mod facts;
mod form;
mod granted;
mod handle;
mod hindrance;
mod home;
mod index;
mod json;
mod json_literal;
mod redemption;
mod refused;
mod replace;
mod reply;
mod result;
mod seal_reply;
mod session;
mod vault;
mod verdict;

pub use credential::{Credential, Record, Request};
pub use damage::NotUtf8;
pub use form::{Form, OpenForm};
pub use handle::{Kind, NoRandomness, contains_handle};
pub use hindrance::{Application, Hindrance};
pub use redemption::Redemption;
pub use refused::Refused;
pub use replace::OpenDocument;
pub use result::{AccessToken, Origin};
pub use session::Session;
pub use shared_token_cache_entra::Secret;
pub use vault::{Sealed, Vault};
