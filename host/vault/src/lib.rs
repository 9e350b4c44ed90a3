#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod call;
mod claims;
mod clouds;
mod damage;
mod document;
mod echo;
mod form;
mod granted;
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
