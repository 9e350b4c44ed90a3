//! The cache document: indexed once per version, and edited without changing bytes that no edit
//! names.

mod edit;
mod entry;
mod index;
pub(crate) mod json;
mod keys;
mod object;
mod scan;

pub(crate) use edit::Edit;
pub(crate) use entry::{AccessTokenEntry, AccountEntry, RefreshTokenEntry};
pub use index::{Document, ParseError};
pub(crate) use keys::{access_token_key, app_metadata_key, id_token_key};
pub(crate) use object::Object;
