use shared_token_cache_entra::cloud;
use shared_token_cache_entra::schema::field;

use super::Writing;
use super::changes::{Changes, Keys};
use super::fields::LARGEST_ENTRY;
use super::sections::Written;
use crate::json::{Member, Object, decode};
use crate::refused::Refused;
use crate::reply::Reply;

const SECTION: Written = Written::AppMetadata;
const FIELDS: [&str; 3] = [field::CLIENT_ID, field::ENVIRONMENT, field::FAMILY_ID];

impl Writing<'_> {
    /// Checks the metadata: the entry of the client that redeemed a refresh token may be added, or
    /// get the family that the authority named.
    pub(super) fn check_metadata(&mut self, changes: &Changes<'_, '_>) -> Result<(), Refused> {
        let replaced = changes.replaced.iter().map(|(before, now)| (Some(*before), *now));
        let mut changed = replaced.chain(changes.added.iter().map(|now| (None, *now)));
        let key = changed.next().map(|(before, now)| self.check_client(before, now)).transpose()?;
        if changed.next().is_some() {
            return Err(Refused::NewEntry { section: SECTION.name(), why: "is not the only one" });
        }
        for removed in &changes.removed {
            let removed = decode(self.texts.of_old(&removed.key)).unwrap_or_default();
            if key.as_ref().is_none_or(|key| !key.eq_ignore_ascii_case(&removed)) {
                return Err(Refused::RemovedEntry(SECTION.name()));
            }
        }
        Ok(())
    }

    /// Checks the entry of this client; returns its key.
    fn check_client(&mut self, before: Option<&Member>, now: &Member) -> Result<String, Refused> {
        let old = before.and_then(|before| self.object_of(before)).unwrap_or_default();
        let refused = |why| Refused::NewEntry { section: SECTION.name(), why };
        let new = Object::cut(self.texts.new, now.value.clone()).ok_or(refused("is not an object"))?;
        if now.value.len() > old.range.len() + LARGEST_ENTRY {
            return Err(refused("is larger than any entry has to be"));
        }
        let fields = self.changes(&old, &new, Keys::Exact)?;
        self.check_that_none_is_repeated(&fields, &new)?;
        if !fields.removed.is_empty() {
            return Err(Refused::ChangedElsewhere("the metadata of a client"));
        }
        let known = |name: &'static str| {
            let is = |member: &&Member| decode(self.texts.of_new(&member.key)).is_some_and(|key| key == name);
            new.members.iter().find(is).and_then(|member| decode(self.texts.of_new(&member.value)))
        };
        let (Some(client_id), Some(environment)) = (known(field::CLIENT_ID), known(field::ENVIRONMENT)) else {
            return Err(refused("lacks a field that every entry has"));
        };
        let replies = self.replies.values().flatten();
        let mut replies = replies.filter(|reply| {
            *reply.document == *self.texts.original.name
                && *reply.client_id == *client_id
                && cloud::is_same(&reply.host, &environment)
        });
        let changed = fields.replaced.iter().map(|(_, now)| *now).chain(fields.added.iter().copied());
        let mut names_family = false;
        for member in changed {
            let literal = self.texts.of_new(&member.key);
            let name = FIELDS
                .iter()
                .find(|name| literal.strip_prefix('"').and_then(|key| key.strip_suffix('"')) == Some(name));
            let name = name.ok_or(refused("has a field that no entry has"))?;
            names_family |= *name == field::FAMILY_ID;
        }
        let family = known(field::FAMILY_ID);
        let is_so = |reply: &&Reply| !names_family || family.is_some() && reply.family.as_deref() == family.as_deref();
        if !replies.any(is_so) {
            return Err(refused("has a value that the authority did not send"));
        }
        let key = format!("appmetadata-{environment}-{client_id}");
        if decode(self.texts.of_new(&now.key)).is_none_or(|written| written != key) {
            return Err(refused("has another key than its fields make"));
        }
        Ok(key)
    }
}
