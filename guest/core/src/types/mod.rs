//! Validated types: a value exists only if its parser accepted it.

mod authority;
mod cache_name;
mod client_id;
mod home_account_id;
mod scopes;
mod tenant_id;

pub(crate) use authority::Authority;
pub(crate) use cache_name::CacheName;
pub(crate) use client_id::ClientId;
pub(crate) use home_account_id::HomeAccountId;
pub(crate) use scopes::Scopes;
pub(crate) use tenant_id::TenantId;

/// A username, truncated for logs: its owner recognises it, and others cannot complete it.
pub(crate) fn shortened(text: &str) -> String {
    let shown: String = text.chars().take(3).collect();
    format!("{shown}…")
}
