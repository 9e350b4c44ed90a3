//! The credential of a shared token cache, as pure logic.
//!
//! [`Credential`] is the whole behaviour: load the cache, select the account, pick a cached access
//! token or redeem a refresh token, and write the response back. Its only access to the outside is
//! one trait, [`Platform`], so the same code runs in the WebAssembly component and natively in
//! tests.
//!
//! A secret is an opaque string. This crate never parses a refresh token, an access token or an id
//! token, so a host can pass handles in their place.

#![forbid(unsafe_code)]

mod access_token;
mod account;
mod account_info;
mod candidate;
mod claims;
mod credential;
mod document;
mod error;
mod inventory;
mod options;
mod platform;
#[cfg(test)]
mod properties;
mod record;
mod redeem;
mod refresh_tokens;
mod reply;
mod tenant;
mod text;
mod types;
mod unusable;
mod write_back;

pub use account_info::{Account, CachedAccount};
pub use credential::{AccessToken, Credential};
pub use document::{Document, ParseError};
pub use error::{
    AuthenticationFailure, AuthenticationFailureReason, Error, OAuthError, Unavailable, UnavailableReason,
};
pub use options::{CachePersistenceOptions, Options, TokenRequestOptions};
pub use platform::{
    CacheDocument, FormReply, FormRequest, HttpsError, LogLevel, Platform, ReadError, ReadOutcome, Settings, WriteError,
};
pub use shared_token_cache_entra::Secret;
