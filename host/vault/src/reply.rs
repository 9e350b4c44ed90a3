use std::collections::HashMap;

use serde_json::value::RawValue;
use shared_token_cache_entra::account::of_client_info;
use shared_token_cache_entra::token::{is_a_time, is_bearer};
use zeroize::Zeroizing;

use crate::handle::Handle;
use crate::index::Span;
use crate::json::{decode, seconds};
use crate::redemption::{Holder, Redemption};

/// A reply with secrets that the component has handles of.
pub(crate) struct Reply {
    /// The entry of the redeemed refresh token. Its account is the account of the tokens.
    pub(crate) holder: Holder,
    pub(crate) document: Box<str>,
    /// The refresh token that was redeemed.
    pub(crate) redeemed: Handle,
    pub(crate) host: String,
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) call: u64,
    pub(crate) expires_on: Option<u64>,
    pub(crate) bearer: bool,
    /// The family of clients that the authority names.
    pub(crate) family: Option<String>,
    /// The time of the reply.
    pub(crate) received: u64,
    /// The authority's `client_info` names another account.
    pub(crate) of_another: bool,
    body: Zeroizing<String>,
    secrets: HashMap<Handle, Span>,
}

impl Reply {
    /// Parses a reply.
    pub(crate) fn of(
        redemption: Redemption,
        body: Zeroizing<String>,
        secrets: HashMap<Handle, Span>,
        now: u64,
    ) -> Self {
        let Redemption { redeemed, secret: _, holder, host, tenant, client_id, scopes, call } = redemption;
        let members: HashMap<String, &RawValue> = serde_json::from_str(&body).unwrap_or_default();
        let member = |name: &str| members.get(name).map(|value| value.get());
        let text = |name| member(name).and_then(decode).filter(|text| !text.is_empty());
        let number = |name| member(name).and_then(seconds);
        let lifetime = || number("expires_in").map(|lifetime| now.saturating_add(lifetime));
        let expires_on = number("expires_on").filter(is_a_time).or_else(lifetime).filter(is_a_time);
        let bearer = text("token_type").is_none_or(|kind| is_bearer(kind.trim()));
        let of_another = text("client_info").and_then(|info| of_client_info(&info));
        // A reply without `client_info` contradicts nothing.
        let of_another = of_another.is_some_and(|id| !id.eq_ignore_ascii_case(&holder.home_account_id));
        let family = text("foci").map(|family| family.into_owned());
        drop(members);
        Self {
            document: holder.document.clone(),
            holder,
            redeemed,
            host,
            tenant,
            client_id,
            scopes,
            call,
            expires_on,
            bearer,
            family,
            received: now,
            of_another,
            body,
            secrets,
        }
    }

    pub(crate) fn handles(&self) -> impl Iterator<Item = Handle> {
        self.secrets.keys().copied()
    }

    /// A secret of this reply as a JSON literal.
    pub(crate) fn secret(&self, handle: Handle) -> Option<&str> {
        Some(self.secrets.get(&handle)?.of(&self.body))
    }
}
