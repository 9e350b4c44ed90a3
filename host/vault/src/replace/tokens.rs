use std::collections::HashSet;

use shared_token_cache_entra::cloud;
use shared_token_cache_entra::schema::field;
use shared_token_cache_entra::token::{BEARER, is_bearer};

use super::Writing;
use super::changes::Changes;
use super::fields::Fields;
use super::sections::Written;
use crate::handle::Kind;
use crate::json::{Member, decode, seconds};
use crate::refused::Refused;
use crate::reply::Reply;

const ACCESS_TOKEN: [&str; 13] = [
    field::CREDENTIAL_TYPE,
    field::SECRET,
    field::HOME_ACCOUNT_ID,
    field::ENVIRONMENT,
    field::CLIENT_ID,
    field::TARGET,
    field::REALM,
    field::TOKEN_TYPE,
    field::CACHED_AT,
    field::EXPIRES_ON,
    field::EXTENDED_EXPIRES_ON,
    field::EXT_CACHE_KEY,
    field::REFRESH_ON,
];

const ID_TOKEN: [&str; 6] =
    [field::CREDENTIAL_TYPE, field::SECRET, field::HOME_ACCOUNT_ID, field::ENVIRONMENT, field::REALM, field::CLIENT_ID];

impl Writing<'_> {
    /// Checks access tokens and id tokens: a new one must be of a reply, a removed one must be
    /// replaced or expired.
    pub(super) fn check_tokens(&mut self, section: Written, changes: &Changes<'_, '_>) -> Result<(), Refused> {
        let mut keys = HashSet::new();
        let replaced = changes.replaced.iter().map(|(_, now)| *now);
        for now in replaced.chain(changes.added.iter().copied()) {
            keys.insert(self.check_token(section, now)?.to_ascii_lowercase());
        }
        for removed in &changes.removed {
            let key = decode(self.texts.of_old(&removed.key)).unwrap_or_default();
            let has_successor = keys.contains(&key.to_ascii_lowercase());
            let has_expired = section == Written::AccessToken && self.has_expired(removed);
            if !has_successor && !has_expired {
                return Err(Refused::RemovedEntry(section.name()));
            }
        }
        Ok(())
    }

    /// Checks a new entry; returns its key.
    fn check_token(&mut self, section: Written, member: &Member) -> Result<String, Refused> {
        let (kind, known) = match section {
            Written::AccessToken => (Kind::AccessToken, &ACCESS_TOKEN[..]),
            _ => (Kind::IdToken, &ID_TOKEN[..]),
        };
        let fields = Fields::of(&self.texts, section, member, known)?;
        let (handle, place) = fields.secret(&self.texts, kind)?;
        // The host adds the session to each request of the credential, so it marks each reply.
        let marked = self.session.vault().credential().agent_session_key.as_deref();
        if section == Written::AccessToken && fields.get(field::EXT_CACHE_KEY) != marked {
            return Err(Refused::WrongSession);
        }
        let mut refused = match self.session.is_in_documents(handle) {
            true => Refused::WrongEntry(kind),
            false => Refused::UnknownHandle(kind),
        };
        let replies = self.replies.get(&handle).cloned().unwrap_or_default();
        for reply in replies.into_iter().filter(|reply| *reply.document == *self.texts.original.name) {
            match check_reply(reply, kind, &fields).and_then(|()| self.put(reply, handle, place)) {
                Ok(()) => return checked_key(section, &fields, self.texts.of_new(&member.key)),
                Err(why) => refused = why,
            }
        }
        Err(refused)
    }

    /// Whether an access token had expired when a refresh token of its account was redeemed.
    fn has_expired(&self, removed: &Member) -> bool {
        let entry = self.object_of(removed).unwrap_or_default();
        let value = |name: &str| {
            let is = |member: &&Member| decode(self.texts.of_old(&member.key)).is_some_and(|key| key == name);
            let mut fields = entry.members.iter().filter(is).map(|member| self.texts.of_old(&member.value));
            fields.next().filter(|_| fields.next().is_none())
        };
        let (account, expiry) =
            (value(field::HOME_ACCOUNT_ID).and_then(decode), value(field::EXPIRES_ON).and_then(seconds));
        account.zip(expiry).is_some_and(|(account, expiry)| self.session.had_expired(&account, expiry))
    }
}

/// The key of a new entry, which must be MSAL's key for its fields: `msal/token_cache.py`,
/// `key_makers`.
fn checked_key(section: Written, fields: &Fields<'_>, written: &str) -> Result<String, Refused> {
    let (home, environment) = (fields.text(field::HOME_ACCOUNT_ID)?, fields.text(field::ENVIRONMENT)?);
    let (client_id, realm) = (fields.text(field::CLIENT_ID)?, fields.text(field::REALM)?);
    let target = match section {
        Written::AccessToken => fields.text(field::TARGET)?,
        _ => "",
    };
    if fields.text(field::CREDENTIAL_TYPE)? != section.name() {
        return Err(fields.refused("has another type than its section"));
    }
    let (kind, extended) = match fields.get(field::EXT_CACHE_KEY) {
        Some(key) => ("atext", format!("-{key}")),
        None => (section.name(), String::new()),
    };
    let key = format!("{home}-{environment}-{kind}-{client_id}-{realm}-{target}{extended}").to_lowercase();
    if decode(written).is_none_or(|written| written != key) {
        return Err(fields.refused("has another key than its fields make"));
    }
    Ok(key)
}

/// Checks that a secret of a reply belongs to this entry, and that the entry's fields agree with
/// the reply.
fn check_reply(reply: &Reply, kind: Kind, fields: &Fields<'_>) -> Result<(), Refused> {
    if reply.of_another {
        return Err(Refused::WrongAccount(kind));
    }
    let fits = fields.text(field::HOME_ACCOUNT_ID)? == reply.holder.home_account_id
        && fields.text(field::CLIENT_ID)? == reply.client_id
        && fields.text(field::REALM)? == reply.tenant
        && cloud::is_same(fields.text(field::ENVIRONMENT)?, &reply.host);
    if !fits {
        return Err(Refused::WrongEntry(kind));
    }
    if kind == Kind::IdToken {
        return Ok(());
    }
    let is_asked = |scope: &str| reply.scopes.iter().any(|asked| asked == scope);
    let mut target = fields.text(field::TARGET)?.split(' ');
    // The component read its clock before the request was sent, so its expiry may be earlier.
    let expiry = fields.seconds(field::EXPIRES_ON)?;
    let in_time = expiry.is_some_and(|expiry| reply.expires_on.is_some_and(|latest| expiry <= latest));
    let cached_at =
        fields.seconds(field::CACHED_AT)?.ok_or_else(|| fields.refused("lacks a field that every entry has"))?;
    fields.seconds(field::EXTENDED_EXPIRES_ON)?;
    fields.seconds(field::REFRESH_ON)?;
    let token_type = fields.get(field::TOKEN_TYPE).unwrap_or(BEARER);
    if token_type.is_empty() || token_type.len() > 64 || !token_type.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(fields.refused("has a type of token that is not a name"));
    }
    if target.all(is_asked) && in_time && cached_at <= reply.received && is_bearer(token_type) == reply.bearer {
        Ok(())
    } else {
        Err(Refused::ChangedEntry(kind))
    }
}
