//! Replies of a token endpoint.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::damage::BYTE_ORDER_MARK;
use crate::form::{Holder, Redemption};
use crate::handle::{Handle, Kind};
use crate::index::{Index, Shape, Span, TopLevel};
use crate::json::{decode, seconds};
use crate::literal::{self, Form};
use crate::session::Session;
use crate::verdict::Verdict;

/// What the guest gets instead of a body that can't be sealed. It is as little a token as the body was.
const UNUSABLE: &[u8] = b"null";

/// What the guest gets instead of markup, so that it can tell the page of a proxy from an answer of the authority.
const MARKUP: &[u8] = b"<";

/// Shorter secrets could stand in an innocent text by chance.
const SHORTEST_ECHO: usize = 8;

/// A reply whose secrets the guest has handles of.
pub(crate) struct Reply {
    /// Whose refresh token was redeemed, which is whose the tokens are.
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
    /// When the reply came.
    pub(crate) received: u64,
    /// The authority says that the tokens are another account's.
    pub(crate) of_another: bool,
    body: Zeroizing<String>,
    secrets: HashMap<Handle, Span>,
}

impl Reply {
    pub(crate) fn handles(&self) -> impl Iterator<Item = Handle> {
        self.secrets.keys().copied()
    }

    /// A secret of this reply as it is written.
    pub(crate) fn secret(&self, handle: Handle) -> Option<&str> {
        Some(self.secrets.get(&handle)?.of(&self.body))
    }
}

impl Session {
    /// Seals the body of a reply, whatever its status. A byte order mark is dropped. Markup becomes `<`, and what else is not a JSON object `null`; so
    /// does a body that repeats the refresh token, or a handle. Tokens of a reply that is no success are sealed, and never open.
    pub fn seal_reply(
        &mut self,
        redemption: Redemption,
        status: u16,
        body: impl Into<Zeroizing<Vec<u8>>>,
        now: u64,
    ) -> Vec<u8> {
        let mut body = body.into();
        // The guest tells an empty body from an unusable one.
        if body.is_empty() {
            return Vec::new();
        }
        if body.starts_with(BYTE_ORDER_MARK.as_bytes()) {
            body.drain(..BYTE_ORDER_MARK.len());
        }
        let (body, is_utf8) = match String::from_utf8(std::mem::take(&mut *body)) {
            Ok(body) => (Zeroizing::new(body), true),
            Err(error) => {
                let bytes = Zeroizing::new(error.into_bytes());
                (Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()), false)
            }
        };
        let Some(index) = self.index_of_reply(&body, redemption.secret.expose()) else {
            let is_markup = body.trim_ascii_start().starts_with('<');
            return if is_markup { MARKUP.to_vec() } else { UNUSABLE.to_vec() };
        };
        let keys = self.vault.keys();
        let mut sealed = String::with_capacity(body.len());
        let mut secrets = HashMap::new();
        let mut from = 0;
        for spot in &index.spots {
            let kind = match spot.top_level {
                Some(TopLevel::Access) => Kind::AccessToken,
                Some(TopLevel::Refresh) => Kind::RefreshToken,
                Some(TopLevel::Id) => Kind::IdToken,
                None => Kind::Opaque,
            };
            let Some((handle, form)) = literal::seal(&keys.sealer, kind, spot.value.of(&body)) else { continue };
            sealed.push_str(Span { start: from, end: spot.value.start }.of(&body));
            literal::push(handle, form, &mut sealed);
            from = spot.value.end;
            // Nothing opens any other secret of a reply.
            if kind != Kind::Opaque && form == Form::Text {
                secrets.insert(handle, spot.value);
            }
        }
        sealed.push_str(body.get(from as usize..).unwrap_or_default());
        // An error keeps its code whatever the encoding of its description. A token with a replaced character would be broken.
        if !is_utf8 && from > 0 {
            return UNUSABLE.to_vec();
        }
        let verdict = Verdict::of(status, &body);
        self.note_answer(verdict, &redemption, now);
        if verdict == Verdict::Bought && !secrets.is_empty() {
            let reply = note(redemption, body, secrets, now);
            self.keep_reply(reply, now);
        }
        sealed.into_bytes()
    }

    /// The secrets of a body; nothing if it is no JSON object, or repeats what it must not.
    fn index_of_reply(&self, body: &str, redeemed: &str) -> Option<Index> {
        let replies = self.handles_of_replies();
        let is_live = |handle| replies.contains_key(&handle) || self.is_in_documents(handle);
        let forbidden = |text: &str| {
            (redeemed.len() >= SHORTEST_ECHO && text.contains(redeemed)) || Handle::all_in(text).any(is_live)
        };
        Index::of(body, Shape::Reply, Some(&forbidden)).ok()
    }
}

fn note(redemption: Redemption, body: Zeroizing<String>, secrets: HashMap<Handle, Span>, now: u64) -> Reply {
    let Redemption { redeemed, secret: _, holder, host, tenant, client_id, scopes, call } = redemption;
    let members: HashMap<String, &RawValue> = serde_json::from_str(&body).unwrap_or_default();
    let member = |name: &str| members.get(name).map(|value| value.get());
    let text = |name| member(name).and_then(decode).filter(|text| !text.is_empty());
    let number = |name| member(name).and_then(seconds);
    let lifetime = || number("expires_in").map(|lifetime| now.saturating_add(lifetime));
    let expires_on = number("expires_on").or_else(lifetime);
    let bearer = text("token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    let of_another = text("client_info").is_some_and(|info| !is_of(&info, &holder.home_account_id));
    let family = text("foci").map(|family| family.into_owned());
    drop(members);
    Reply {
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

/// `client_info` is base64url of `{"uid": …, "utid": …}`. What it does not say can't contradict.
fn is_of(client_info: &str, home_account_id: &str) -> bool {
    #[derive(Deserialize)]
    struct ClientInfo {
        uid: String,
        utid: String,
    }

    const BASE64URL: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let decoded = BASE64URL.decode(client_info).ok();
    decoded
        .and_then(|json| serde_json::from_slice::<ClientInfo>(&json).ok())
        .is_none_or(|info| format!("{}.{}", info.uid, info.utid).eq_ignore_ascii_case(home_account_id))
}
