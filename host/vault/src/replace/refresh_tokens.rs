use shared_token_cache_entra::schema::{Section, field};

use super::Writing;
use super::changes::{Changes, Keys};
use super::fields::seconds;
use crate::document::Place;
use crate::handle::{Handle, Kind};
use crate::json::{Member, Object, decode};
use crate::json_literal::{self, Form, Literal};
use crate::redemption::Holder;
use crate::refused::Refused;
use crate::reply::Reply;

const KIND: Kind = Kind::RefreshToken;

impl<'a> Writing<'a> {
    /// Checks that a removed refresh token is dead, and that a replaced one was exchanged for the
    /// new one.
    pub(super) fn check_refresh_tokens(&mut self, changes: &Changes<'_, '_>) -> Result<(), Refused> {
        if !changes.added.is_empty() {
            return Err(Refused::NewEntry {
                section: Section::RefreshToken.name(),
                why: "can only be made by a sign-in",
            });
        }
        for removed in &changes.removed {
            let place = self.refresh_token_of(removed).ok_or(Refused::RemovedRefreshToken)?;
            if !self.session.is_dead(place.handle) {
                return Err(Refused::RemovedRefreshToken);
            }
        }
        changes.replaced.iter().try_for_each(|(before, now)| self.check_rotation(before, now))
    }

    fn check_rotation(&mut self, before: &Member, now: &Member) -> Result<(), Refused> {
        let changed = Refused::ChangedEntry(KIND);
        let place = *self.refresh_token_of(before).ok_or(changed.clone())?;
        let old = self.object_of(before).ok_or(changed.clone())?;
        let new = Object::cut(self.texts.new, now.value.clone()).ok_or(changed.clone())?;
        let fields = self.changes(&old, &new, Keys::Exact)?;
        self.check_that_none_is_repeated(&fields, &new)?;
        let secret = |field: &Member| field.value.start == place.value.start as usize;
        if fields.removed.iter().any(|field| secret(field)) {
            return Err(Refused::RemovedRefreshToken);
        }
        if !fields.removed.is_empty() {
            return Err(changed);
        }
        let mut received = None;
        let (secrets, others): (Vec<_>, Vec<_>) = fields.replaced.iter().partition(|(before, _)| secret(before));
        if secrets.is_empty() {
            received = self.received_again(&place);
        }
        for (_, secret) in secrets {
            received = Some(self.rotate(&place, secret)?);
        }
        for time in others.iter().map(|(_, now)| *now).chain(fields.added.iter().copied()) {
            let key = self.texts.of_new(&time.key);
            let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
            let is_time = key == Some(field::LAST_MODIFICATION_TIME);
            let time = decode(self.texts.of_new(&time.value)).and_then(|time| seconds(&time));
            let is_true = time.zip(received).is_some_and(|(time, received)| time <= received);
            if !is_time || !is_true {
                return Err(changed);
            }
        }
        Ok(())
    }

    /// Replaces the redeemed refresh token by the one of its reply; returns the time of the reply.
    fn rotate(&mut self, place: &Place, field: &Member) -> Result<u64, Refused> {
        let handle = match json_literal::read(self.texts.of_new(&field.value)) {
            Literal::Nothing => return Err(Refused::RemovedRefreshToken),
            Literal::Plain => return Err(Refused::PlainSecret),
            Literal::Sealed(handle, Form::Text) if handle.kind == KIND => handle,
            Literal::Sealed(handle, _) => return Err(Refused::WrongKind(handle.kind)),
        };
        let original = self.texts.original;
        let holder = original.facts(place).and_then(|facts| Holder::of(&original.name, &facts));
        let replies = self.replies.get(&handle).cloned().unwrap_or_default();
        let mut refused = match self.session.is_in_documents(handle) {
            true => Refused::WrongEntry(KIND),
            false => Refused::UnknownHandle(KIND),
        };
        for reply in replies {
            refused = if reply.of_another {
                Refused::WrongAccount(KIND)
            } else if Some(&reply.holder) == holder.as_ref() && self.descends_from(reply.redeemed, place.handle) {
                self.put(reply, handle, &field.value)?;
                return Ok(reply.received);
            } else {
                Refused::WrongEntry(KIND)
            };
        }
        Err(refused)
    }

    /// The time of the reply that returned the redeemed refresh token itself, as an authority
    /// without rotation does.
    fn received_again(&self, place: &Place) -> Option<u64> {
        let replies = self.replies.get(&place.handle)?;
        let own = |reply: &&&Reply| !reply.of_another && reply.redeemed == place.handle;
        replies.iter().find(own).map(|reply| reply.received)
    }

    /// Whether the redeemed refresh token is this one, or was exchanged for it: several rotations
    /// may precede the first write.
    fn descends_from(&self, redeemed: Handle, ancestor: Handle) -> bool {
        let bought_with = |handle: &Handle| Some(self.replies.get(handle)?.first()?.redeemed);
        // Every token on the path but the last is a secret of a reply, so their number bounds the
        // walk. It also ends the cycle of an authority that returns an earlier refresh token.
        let steps = self.replies.len();
        std::iter::successors(Some(redeemed), bought_with).take(steps).any(|handle| handle == ancestor)
    }

    /// The refresh token of an entry, unless readers could differ about it.
    fn refresh_token_of(&self, entry: &Member) -> Option<&'a Place> {
        let original = self.texts.original;
        let mut places = original.places_in(&entry.value);
        places.find(|place| place.handle.kind == KIND && original.facts(place).is_some())
    }
}
