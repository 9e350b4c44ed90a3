//! Documents that a guest writes: every secret goes back where it belongs, and nothing that is noted about it changes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::clouds::same_cloud;
use crate::damage::BYTE_ORDER_MARK;
use crate::document::{Document, Facts, json_of};
use crate::handle::{Handle, Kind};
use crate::index::{Field, Index, NoIndex, Section, Shape, Span, Spot};
use crate::literal::{self, Form, Literal};
use crate::refused::Refused;
use crate::reply::Reply;
use crate::session::Session;

/// A document that may be stored.
pub struct OpenDocument {
    document: Document,
}

impl std::fmt::Debug for OpenDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenDocument({} bytes)", self.document.content().len())
    }
}

impl OpenDocument {
    /// The document with its secrets.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        self.document.content().as_bytes()
    }
}

impl Session {
    /// Opens the document that is to replace `version` of `name`.
    ///
    /// # Errors
    /// [`Refused::StaleDocument`] if the guest was not given that version: it is then to read again, as after a conflict. Any
    /// other [`Refused`] if a secret is not where it belongs.
    pub fn open_document(&self, name: &str, version: &str, sealed: &[u8]) -> Result<OpenDocument, Refused> {
        let original = self.version(name, version)?;
        if original.damaged {
            return Err(Refused::DamagedDocument);
        }
        self.check_size(sealed.len())?;
        let text = std::str::from_utf8(sealed).map_err(|_| Refused::NotAnObject)?;
        let json = json_of(text);
        let replies = self.handles_of_replies();
        let is_live = |handle| replies.contains_key(&handle) || self.is_in_documents(handle);
        let elsewhere = |text: &str| Handle::all_in(text).any(is_live);
        let keys = self.vault.keys();
        let index = match Index::of(json, Shape::Document, &keys.paths, Some(&elsewhere)) {
            Ok(index) => index,
            Err(NoIndex::NotAnObject) if json.is_empty() => Index::default(),
            Err(NoIndex::NotAnObject) => return Err(Refused::NotAnObject),
            Err(NoIndex::TooMany) => return Err(Refused::TooMany),
            Err(NoIndex::Forbidden) => return Err(Refused::HandleElsewhere),
        };

        let mut opening =
            Opening { session: self, original, replies: &replies, json, index: &index, used: HashSet::new() };
        let literals = index.spots.iter().map(|spot| opening.open(spot)).collect::<Result<Vec<_>, _>>()?;
        let mut size = text.len();
        for (spot, literal) in index.spots.iter().zip(&literals) {
            size = size - spot.value.of(json).len() + literal.len();
        }
        self.check_size(size)?;

        // Room for all of it, so that it does not move while it grows.
        let mut content = Zeroizing::new(String::with_capacity(size));
        if json.len() < text.len() {
            content.push_str(BYTE_ORDER_MARK);
        }
        let mut from = 0;
        for (spot, literal) in index.spots.iter().zip(literals) {
            content.push_str(Span { start: from, end: spot.value.start }.of(json));
            content.push_str(literal);
            from = spot.value.end;
        }
        content.push_str(json.get(from as usize..).unwrap_or_default());

        let document = Document::read(keys, name, "", content)?.map_err(|_| Refused::NotAnObject)?;
        if !document.account_sections().eq(original.account_sections()) {
            return Err(Refused::ChangedAccounts);
        }
        opening.check_that_nobody_is_signed_out()?;
        Ok(OpenDocument { document })
    }

    /// Notes that the document was stored, and under which version.
    pub fn replaced(&mut self, open: OpenDocument, version: &str) {
        let OpenDocument { mut document } = open;
        document.version = version.into();
        let document = Arc::new(document);
        self.vault.remember(&document);
        self.keep_written(document);
    }

    fn check_size(&self, size: usize) -> Result<(), Refused> {
        let largest = self.vault.largest_document();
        if size > largest { Err(Refused::TooLarge { size, largest }) } else { Ok(()) }
    }
}

struct Opening<'a> {
    session: &'a Session,
    original: &'a Document,
    replies: &'a HashMap<Handle, Vec<&'a Reply>>,
    json: &'a str,
    index: &'a Index,
    /// Places of the original and handles of replies that have their place. None has two.
    used: HashSet<Used>,
}

#[derive(PartialEq, Eq, Hash)]
enum Used {
    Place(u32),
    Reply(Handle),
}

impl<'a> Opening<'a> {
    /// What is to be written in a secret's place.
    fn open(&mut self, spot: &Spot) -> Result<&'a str, Refused> {
        let literal = spot.value.of(self.json);
        match literal::read(literal) {
            Literal::Nothing => Ok(literal),
            Literal::Plain => Err(Refused::PlainSecret),
            Literal::Sealed(handle, form) => {
                let facts = spot.entry.and_then(|entry| Facts::of(self.json, self.index.entries.get(entry as usize)?));
                let mut refused = None;
                if let Some(literal) = self.put_back(spot, facts.as_ref(), handle, form, &mut refused) {
                    return Ok(literal);
                }
                let replies = self.replies.get(&handle).filter(|_| form == Form::Text);
                let replies = replies.into_iter().flatten().copied();
                for reply in replies.filter(|reply| *reply.document == *self.original.name) {
                    let Some(literal) = reply.secret(handle) else { continue };
                    match self.check_reply(reply, spot, facts.as_ref(), handle) {
                        Ok(()) if self.used.insert(Used::Reply(handle)) => return Ok(literal),
                        Ok(()) => refused = refused.or(Some(Refused::WrongEntry(handle.kind))),
                        Err(why) => refused = refused.or(Some(why)),
                    }
                }
                let elsewhere = || self.session.is_in_documents(handle).then_some(Refused::WrongEntry(handle.kind));
                Err(refused.or_else(elsewhere).unwrap_or(Refused::UnknownHandle(handle.kind)))
            }
        }
    }

    /// A refresh token leaves the document only when the authority has been asked with it: it is then dead, or has a successor.
    fn check_that_nobody_is_signed_out(&self) -> Result<(), Refused> {
        let mut gone = self.original.numbered_places().filter(|(number, _)| !self.used.contains(&Used::Place(*number)));
        if gone.any(|(_, place)| place.handle.kind == Kind::RefreshToken && !self.session.was_redeemed(place.handle)) {
            return Err(Refused::RemovedRefreshToken);
        }
        Ok(())
    }

    /// A secret of the document that stays where it was.
    fn put_back(
        &mut self,
        spot: &Spot,
        facts: Option<&Facts<'_>>,
        handle: Handle,
        form: Form,
        refused: &mut Option<Refused>,
    ) -> Option<&'a str> {
        let original = self.original;
        for (number, place) in original.places_of(handle).filter(|(_, place)| place.form == form) {
            if place.path != spot.path || self.used.contains(&Used::Place(number)) {
                refused.get_or_insert(wrong_place(handle.kind, facts));
                continue;
            }
            // What nobody can read for sure, the guest does not read either.
            let same = match (original.facts(place), facts) {
                (Some(before), Some(now)) => before.same_as(now),
                (None, None) => true,
                _ => false,
            };
            if same || handle.kind == Kind::Opaque {
                self.used.insert(Used::Place(number));
                return Some(original.literal(place));
            }
            refused.get_or_insert(Refused::ChangedEntry(handle.kind));
        }
        None
    }

    /// Whether a secret of a reply may stand in this entry.
    fn check_reply(
        &self,
        reply: &Reply,
        spot: &Spot,
        facts: Option<&Facts<'_>>,
        handle: Handle,
    ) -> Result<(), Refused> {
        let kind = handle.kind;
        let facts = facts.filter(|facts| section_of(kind) == Some(facts.section()));
        let facts = facts.ok_or(Refused::WrongKind(kind))?;
        if reply.of_another {
            return Err(Refused::WrongAccount(kind));
        }
        if kind == Kind::RefreshToken {
            return self.check_rotation(reply, spot, facts, handle);
        }
        let is = |field, expected: &str| facts.text(field).is_some_and(|text| text == expected);
        let fits = is(Field::HomeAccountId, &reply.holder.home_account_id)
            && is(Field::ClientId, &reply.client_id)
            && is(Field::Realm, &reply.tenant)
            && facts.text(Field::Environment).is_some_and(|environment| same_cloud(&environment, &reply.host));
        if !fits {
            return Err(Refused::WrongEntry(kind));
        }
        if kind == Kind::AccessToken && !says_the_same(reply, facts) {
            return Err(Refused::ChangedEntry(kind));
        }
        Ok(())
    }

    /// A new refresh token stands in the entry of the one that bought it, and the entry still says whose it is.
    fn check_rotation(&self, reply: &Reply, spot: &Spot, facts: &Facts<'_>, handle: Handle) -> Result<(), Refused> {
        let mut ancestors = vec![reply.redeemed];
        // Several rotations may be waiting for their first write.
        while let Some(older) = ancestors.last().and_then(|last| {
            let bought = self.replies.get(last)?.first()?;
            Some(bought.redeemed).filter(|older| !ancestors.contains(older))
        }) {
            ancestors.push(older);
        }
        let kind = handle.kind;
        let mut before = ancestors.iter().flat_map(|ancestor| self.original.places_of(*ancestor));
        let (_, place) = before.find(|(_, place)| place.path == spot.path).ok_or(Refused::WrongEntry(kind))?;
        if self.original.facts(place).is_some_and(|before| before.same_as(facts)) {
            Ok(())
        } else {
            Err(Refused::ChangedEntry(kind))
        }
    }
}

/// Whether an entry says of a new access token what is known of it. It may expire earlier, as the guest looked at the clock before
/// the request went out.
fn says_the_same(reply: &Reply, facts: &Facts<'_>) -> bool {
    let target = facts.text(Field::Target).unwrap_or_default();
    let expiry = facts.seconds(Field::ExpiresOn);
    target.split_whitespace().all(|scope| reply.scopes.iter().any(|asked| asked == scope))
        && expiry.is_some_and(|expiry| reply.expires_on.is_some_and(|latest| expiry <= latest))
        && (reply.bearer || !facts.is_plain_bearer())
}

fn section_of(kind: Kind) -> Option<Section> {
    match kind {
        Kind::AccessToken => Some(Section::AccessToken),
        Kind::RefreshToken => Some(Section::RefreshToken),
        Kind::IdToken => Some(Section::IdToken),
        Kind::Opaque => None,
    }
}

fn wrong_place(kind: Kind, facts: Option<&Facts<'_>>) -> Refused {
    let section = facts.map(Facts::section);
    if kind != Kind::Opaque && section != section_of(kind) {
        return Refused::WrongKind(kind);
    }
    Refused::WrongEntry(kind)
}
