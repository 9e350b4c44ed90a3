//! Documents that a component writes: the old document, byte for byte, but for a closed list of changes.
//!
//! | section | what may change |
//! |---|---|
//! | `AccessToken`, `IdToken` | entries of the replies that are held are put; any entry may go |
//! | `RefreshToken` | the secret and `last_modification_time` of an entry whose token bought a new one; an entry whose token the authority declared dead goes |
//! | `AppMetadata` | the one entry of this client, after a redemption |
//!
//! A section that is missing or `null` may be created, but for `RefreshToken`. Nothing else differs: no other section, entry or
//! field, no order and no white space but beside what was put or removed.

mod align;
mod entry;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

use self::align::{Side, Step, align};
use self::entry::{NewEntry, Written, is_number};
use crate::clouds::same_cloud;
use crate::damage::BYTE_ORDER_MARK;
use crate::document::{Document, SealedText, json_of};
use crate::handle::{Handle, Kind, contains_handle};
use crate::index::Section;
use crate::json::{Member, NoObject, Object, decode};
use crate::literal::{self, Form, Literal};
use crate::refused::Refused;
use crate::reply::Reply;
use crate::session::Session;

/// The most white space that may be put beside what changed. MSAL indents by four spaces.
const MOST_SPACE: usize = 256;

/// The longest name of a family of clients. Microsoft Entra ID has the family "1" alone.
const LONGEST_FAMILY: usize = 64;

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
    /// [`Refused::StaleDocument`] if the component was not given that version: it is then to read again, as after a conflict. Any
    /// other [`Refused`] if something changed that a component may not change.
    pub fn open_document(&self, name: &str, version: &str, sealed: &[u8]) -> Result<OpenDocument, Refused> {
        let original = self.version(name, version)?;
        if original.damaged {
            return Err(Refused::DamagedDocument);
        }
        self.check_size(sealed.len())?;
        let text = std::str::from_utf8(sealed).map_err(|_| Refused::NotAnObject)?;
        let before = original.sealed();
        let marked = text.starts_with(BYTE_ORDER_MARK);
        if marked && !before.text.starts_with(BYTE_ORDER_MARK) {
            return Err(Refused::ChangedDocument);
        }
        let (old, new) = (json_of(&before.text), json_of(text));
        let mut opening = Opening {
            session: self,
            original,
            before: &before,
            replies: self.handles_of_replies(),
            used: HashSet::new(),
            old,
            new,
            pieces: Vec::new(),
        };
        if old == new {
            opening.pieces.push((0..new.len(), Piece::Old(0..old.len())));
        } else {
            opening.compare()?;
        }
        let content = opening.content(marked);
        self.check_size(content.len())?;
        let document = Document::read(self.vault.keys(), name, "", content)?.map_err(|_| Refused::NotAnObject)?;
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

/// A stretch of the new document that is not written as the component wrote it.
enum Piece<'a> {
    /// The stretch of the old document, in the sealed text.
    Old(Range<usize>),
    /// A secret of a reply.
    Secret(&'a str),
}

struct Opening<'a> {
    session: &'a Session,
    original: &'a Document,
    before: &'a SealedText,
    replies: HashMap<Handle, Vec<&'a Reply>>,
    /// The handles of replies that have their place. None has two.
    used: HashSet<Handle>,
    old: &'a str,
    new: &'a str,
    /// By place in the new document.
    pieces: Vec<(Range<usize>, Piece<'a>)>,
}

impl<'a> Opening<'a> {
    fn compare(&mut self) -> Result<(), Refused> {
        // An empty document is a cache without entries.
        let old = if self.old.is_empty() { Object::default() } else { cut(self.old)? };
        let new = cut(self.new)?;
        let (old, new) = (Side { text: self.old, object: &old }, Side { text: self.new, object: &new });
        // White space around the document may stay, or go.
        let same = |now: &str, before: &str| now.is_empty() || now == before;
        if !same(new.before(), old.before()) || !same(new.behind(), old.behind()) {
            return Err(Refused::ChangedDocument);
        }
        let steps = align(old, new)?;
        for (number, step) in steps.iter().enumerate() {
            match *step {
                Step::Kept { old, new } => self.keep(old, new),
                Step::Changed { old: before, new: now } => {
                    if old.of(before.head()) != new.of(now.head()) {
                        return Err(Refused::ChangedDocument);
                    }
                    let name = old.key(before);
                    // Of several members with one name readers take the last.
                    let twin =
                        |step: &Step<'_>| matches!(step, Step::Kept { old: other, .. } if old.key(other) == name);
                    if steps.get(number + 1..).unwrap_or_default().iter().any(twin) {
                        return Err(Refused::ChangedDocument);
                    }
                    self.compare_section(&name, before, now)?;
                }
                Step::Added { new: now } => {
                    let section = Written::named(&new.key(now)).ok_or(Refused::ChangedDocument)?;
                    if now.head().len() > MOST_SPACE {
                        return Err(Refused::ChangedDocument);
                    }
                    self.fill_section(section, now)?;
                }
                Step::Removed { old: gone } => {
                    return Err(match &*old.key(gone) {
                        "Account" => Refused::ChangedAccounts,
                        "RefreshToken" => Refused::RemovedRefreshToken,
                        _ => Refused::ChangedDocument,
                    });
                }
            }
        }
        check_space(old, new, &steps)
    }

    /// The value of a member of the root differs.
    fn compare_section(&mut self, name: &str, before: &Member, now: &Member) -> Result<(), Refused> {
        let written = Written::named(name);
        let old_value = self.old.get(before.value.clone()).unwrap_or_default();
        if let Some(section) = written
            && old_value == "null"
        {
            return self.fill_section(section, now);
        }
        if written.is_none() && name != "RefreshToken" {
            return Err(if name == "Account" { Refused::ChangedAccounts } else { Refused::ChangedDocument });
        }
        let old = cut_at(self.old, &before.value)?;
        let new = cut_at(self.new, &now.value)?;
        let (old, new) = (Side { text: self.old, object: &old }, Side { text: self.new, object: &new });
        let steps = align(old, new)?;
        match written {
            None => self.check_refresh_tokens(old, new, &steps)?,
            Some(Written::AppMetadata) => self.check_metadata(old, new, &steps)?,
            Some(section) => {
                for step in &steps {
                    match *step {
                        Step::Kept { old, new } => self.keep(old, new),
                        Step::Changed { new: now, .. } | Step::Added { new: now } => self.put_token(section, now)?,
                        Step::Removed { .. } => {}
                    }
                }
            }
        }
        check_space(old, new, &steps)
    }

    /// A section that is new.
    fn fill_section(&mut self, section: Written, now: &Member) -> Result<(), Refused> {
        let new = cut_at(self.new, &now.value)?;
        let old = Object::default();
        let (old, new) = (Side { text: "", object: &old }, Side { text: self.new, object: &new });
        let steps = align(old, new)?;
        for step in &steps {
            match *step {
                Step::Added { new: now } if section == Written::AppMetadata => self.put_metadata(now)?,
                Step::Added { new: now } => self.put_token(section, now)?,
                Step::Kept { .. } | Step::Changed { .. } | Step::Removed { .. } => {
                    return Err(Refused::ChangedDocument);
                }
            }
        }
        check_space(old, new, &steps)
    }

    fn keep(&mut self, old: &Member, new: &Member) {
        self.pieces.push((new.body(), Piece::Old(old.body())));
    }

    /// An access token or id token of a reply, in an entry that says of it what is known of it.
    fn put_token(&mut self, section: Written, entry: &Member) -> Result<(), Refused> {
        let new = self.new;
        let fields = NewEntry::read(section, new, entry)?;
        let (handle, at) = self.handle(fields.secret())?;
        let kind = handle.kind;
        if section.section() != section_of(kind) {
            return Err(Refused::WrongKind(kind));
        }
        let mut refused = Refused::UnknownHandle(kind);
        let replies = self.replies.get(&handle).cloned().unwrap_or_default();
        for reply in replies.into_iter().filter(|reply| *reply.document == *self.original.name) {
            let Some(secret) = reply.secret(handle) else { continue };
            match check_token(reply, &fields, kind) {
                Ok(()) if self.used.insert(handle) => {
                    self.pieces.push((at, Piece::Secret(secret)));
                    return Ok(());
                }
                Ok(()) => refused = Refused::WrongEntry(kind),
                Err(why) => refused = why,
            }
        }
        if refused == Refused::UnknownHandle(kind) && self.session.is_in_documents(handle) {
            refused = Refused::WrongEntry(kind);
        }
        Err(refused)
    }

    fn check_metadata(&mut self, old: Side<'_>, new: Side<'_>, steps: &[Step<'_>]) -> Result<(), Refused> {
        for step in steps {
            match *step {
                Step::Kept { old, new } => self.keep(old, new),
                Step::Added { new: now } => self.put_metadata(now)?,
                Step::Changed { old: before, new: now } => {
                    self.check_metadata_key(&new.key(now))?;
                    let (Ok(old_entry), Ok(new_entry)) =
                        (cut_at(self.old, &before.value), cut_at(self.new, &now.value))
                    else {
                        self.put_metadata(now)?;
                        continue;
                    };
                    let (old_entry, new_entry) =
                        (Side { text: self.old, object: &old_entry }, Side { text: self.new, object: &new_entry });
                    let changeable = ["client_id", "environment", "family_id"];
                    let credential = self.session.vault.clone();
                    self.check_fields(old_entry, new_entry, &changeable, "AppMetadata", |name, text| match name {
                        "client_id" => credential.credential().is_client(text),
                        "environment" => credential.credential().is_cloud(text),
                        _ => text.len() <= LONGEST_FAMILY,
                    })?;
                }
                // Of keys that differ in case only, the right one stays.
                Step::Removed { old: gone } => {
                    self.check_metadata_key(&old.key(gone))?;
                    let key = old.key(gone);
                    let stays = |step: &Step<'_>| match *step {
                        Step::Kept { new: now, .. } | Step::Changed { new: now, .. } | Step::Added { new: now } => {
                            new.key(now).eq_ignore_ascii_case(&key)
                        }
                        Step::Removed { .. } => false,
                    };
                    if !steps.iter().any(stays) {
                        return Err(Refused::ChangedDocument);
                    }
                }
            }
        }
        Ok(())
    }

    fn put_metadata(&mut self, entry: &Member) -> Result<(), Refused> {
        let new = self.new;
        let fields = NewEntry::read(Written::AppMetadata, new, entry)?;
        let key = format!("appmetadata-{}-{}", fields.text("environment"), fields.text("client_id"));
        self.check_metadata_key(&key)
    }

    /// A reply told of this client, and the key is that of its metadata.
    fn check_metadata_key(&self, key: &str) -> Result<(), Refused> {
        let credential = self.session.vault().credential();
        let mut replies = self.session.replies();
        let of_reply = replies.any(|reply| {
            *reply.document == *self.original.name && reply.client_id.eq_ignore_ascii_case(&credential.client_id)
        });
        let key = key.to_ascii_lowercase();
        let environment = key
            .strip_prefix("appmetadata-")
            .and_then(|rest| rest.strip_suffix(&credential.client_id.to_ascii_lowercase()))
            .and_then(|rest| rest.strip_suffix('-'));
        if of_reply && environment.is_some_and(|environment| credential.is_cloud(environment)) {
            Ok(())
        } else {
            Err(Refused::ChangedDocument)
        }
    }

    fn check_refresh_tokens(&mut self, old: Side<'_>, new: Side<'_>, steps: &[Step<'_>]) -> Result<(), Refused> {
        for step in steps {
            match *step {
                Step::Kept { old, new } => self.keep(old, new),
                Step::Changed { old: before, new: now } if old.of(before.head()) == new.of(now.head()) => {
                    self.rotate(before, now)?;
                }
                Step::Changed { .. } | Step::Added { .. } => return Err(Refused::ChangedEntry(Kind::RefreshToken)),
                Step::Removed { old: gone } => {
                    let entry = cut_at(self.old, &gone.value).map_err(|_| Refused::RemovedRefreshToken)?;
                    let entry = Side { text: self.old, object: &entry };
                    let secret = secret_of(entry).ok_or(Refused::RemovedRefreshToken)?;
                    if !self.session.is_dead(secret) {
                        return Err(Refused::RemovedRefreshToken);
                    }
                }
            }
        }
        Ok(())
    }

    /// A new refresh token in the entry of the one that bought it.
    fn rotate(&mut self, before: &Member, now: &Member) -> Result<(), Refused> {
        let kind = Kind::RefreshToken;
        let changed = |_| Refused::ChangedEntry(kind);
        let old = cut_at(self.old, &before.value).map_err(changed)?;
        let new = cut_at(self.new, &now.value).map_err(changed)?;
        let (old, new) = (Side { text: self.old, object: &old }, Side { text: self.new, object: &new });
        let redeemed = secret_of(old).ok_or(Refused::ChangedEntry(kind))?;
        let bought = new.object.members.iter().find(|member| new.key(member) == "secret");
        let bought = bought.ok_or(Refused::ChangedEntry(kind))?;
        let (handle, at) = self.handle(bought.value.clone())?;
        if handle.kind != kind {
            return Err(Refused::WrongKind(handle.kind));
        }
        let replies = self.replies.get(&handle).cloned().unwrap_or_default();
        let mut replies = replies.into_iter().filter(|reply| *reply.document == *self.original.name);
        let found = replies.find(|reply| !reply.of_another && self.descends_from(reply, redeemed));
        let secret = found.and_then(|reply| reply.secret(handle));
        let Some(secret) = secret.filter(|_| self.original.refresh_token_entries(redeemed) == 1) else {
            let known = self.replies.contains_key(&handle) || self.session.is_in_documents(handle);
            return Err(if handle == redeemed {
                Refused::ChangedEntry(kind)
            } else if known {
                Refused::WrongEntry(kind)
            } else {
                Refused::UnknownHandle(kind)
            });
        };
        if !self.used.insert(handle) {
            return Err(Refused::WrongEntry(kind));
        }
        let pieces = self.pieces.len();
        let changeable = ["secret", "last_modification_time"];
        self.check_fields(old, new, &changeable, "RefreshToken", |_, _| true).map_err(changed)?;
        // The secret comes between the fields that stay.
        let place = self.pieces.get(pieces..).unwrap_or_default().partition_point(|(range, _)| range.start < at.start);
        self.pieces.insert(pieces + place, (at, Piece::Secret(secret)));
        Ok(())
    }

    /// Whether `redeemed` bought this reply, or what bought it. Several rotations may be waiting for their first write.
    fn descends_from(&self, reply: &Reply, redeemed: Handle) -> bool {
        let mut seen = HashSet::new();
        let mut at = Some(reply.redeemed);
        while let Some(handle) = at.filter(|handle| seen.insert(*handle)) {
            if handle == redeemed {
                return true;
            }
            at = self.replies.get(&handle).and_then(|replies| replies.first()).map(|bought| bought.redeemed);
        }
        false
    }

    /// The fields of an entry stay, but for the text of those that may change, which may also be new.
    fn check_fields(
        &mut self,
        old: Side<'_>,
        new: Side<'_>,
        changeable: &[&str],
        section: &'static str,
        fits: impl Fn(&str, &str) -> bool,
    ) -> Result<(), Refused> {
        let malformed = Refused::MalformedEntry(section);
        let steps = align(old, new)?;
        let names: Vec<_> = new.object.members.iter().map(|member| new.key(member)).collect();
        for step in &steps {
            let (now, head_stays) = match *step {
                Step::Kept { old, new } => {
                    self.keep(old, new);
                    continue;
                }
                Step::Changed { old: before, new: now } => (now, old.of(before.head()) == new.of(now.head())),
                Step::Added { new: now } => (now, now.head().len() <= MOST_SPACE),
                Step::Removed { .. } => return Err(malformed),
            };
            let name = new.key(now);
            let literal = new.value(now);
            let text = decode(literal).ok_or_else(|| malformed.clone())?;
            let once = names.iter().filter(|other| **other == name).count() == 1;
            let right = match &*name {
                "secret" => matches!(step, Step::Changed { .. }),
                "last_modification_time" => is_number(literal),
                other => !contains_handle(&text) && fits(other, &text),
            };
            if !(once && right && head_stays && changeable.contains(&&*name)) {
                return Err(malformed);
            }
        }
        check_space(old, new, &steps)
    }

    /// The handle that is the text at `at` in the new document.
    fn handle(&self, at: Range<usize>) -> Result<(Handle, Range<usize>), Refused> {
        match literal::read(self.new.get(at.clone()).unwrap_or_default()) {
            Literal::Sealed(handle, Form::Text) => Ok((handle, at)),
            Literal::Sealed(..) | Literal::Plain | Literal::Nothing => Err(Refused::PlainSecret),
        }
    }

    fn content(self, marked: bool) -> Zeroizing<String> {
        let piece = |piece: &Piece<'a>| match piece {
            Piece::Old(range) => self.original.opened(self.before, range.clone()),
            Piece::Secret(literal) => literal,
        };
        let size = self.pieces.iter().map(|(_, from)| piece(from).len()).sum::<usize>();
        // Room for all of it, so that it does not move while it grows.
        let mut content = Zeroizing::new(String::with_capacity(size + self.new.len() + BYTE_ORDER_MARK.len()));
        if marked {
            content.push_str(BYTE_ORDER_MARK);
        }
        let mut from = 0;
        for (range, source) in &self.pieces {
            content.push_str(self.new.get(from..range.start).unwrap_or_default());
            content.push_str(piece(source));
            from = range.end;
        }
        content.push_str(self.new.get(from..).unwrap_or_default());
        content
    }
}

/// White space behind members is the same, but beside what was put or removed, where it is short.
fn check_space(old: Side<'_>, new: Side<'_>, steps: &[Step<'_>]) -> Result<(), Refused> {
    let last = |side: Side<'_>, member: &Member| side.object.members.last().is_some_and(|last| last.key == member.key);
    let edited = steps.iter().any(|step| !matches!(step, Step::Kept { .. } | Step::Changed { .. }));
    let short = |space: &str| space.len() <= MOST_SPACE;
    for step in steps {
        let same = match *step {
            Step::Kept { old: before, new: now } | Step::Changed { old: before, new: now } => {
                let (before_space, space) = (old.of(before.trail()), new.of(now.trail()));
                let at_end = edited && (last(old, before) || last(new, now));
                before_space == space || (at_end && (short(space) || space.len() <= before_space.len()))
            }
            Step::Added { new: now } => short(new.of(now.trail())),
            Step::Removed { .. } => true,
        };
        if !same {
            return Err(Refused::ChangedDocument);
        }
    }
    // Without members there is white space alone between the braces.
    if new.object.members.is_empty() {
        let inside = new.of(new.object.open + 1..new.object.end.saturating_sub(1));
        let was = old.of(old.object.open + 1..old.object.end.saturating_sub(1));
        if !(inside == was || (edited && short(inside))) {
            return Err(Refused::ChangedDocument);
        }
    }
    Ok(())
}

fn cut(text: &str) -> Result<Object, Refused> {
    Object::cut(text).map_err(|why| match why {
        NoObject::NotAnObject => Refused::NotAnObject,
        NoObject::TooManyMembers => Refused::TooMany,
    })
}

/// The object at `range`, with positions in the whole text.
fn cut_at(text: &str, range: &Range<usize>) -> Result<Object, Refused> {
    let object = Object::cut(text.get(range.clone()).unwrap_or_default());
    let object = object.map_err(|why| match why {
        NoObject::NotAnObject => Refused::ChangedDocument,
        NoObject::TooManyMembers => Refused::TooMany,
    })?;
    Ok(object.moved_by(range.start))
}

/// The handle of an entry's own secret, where it has one.
fn secret_of(entry: Side<'_>) -> Option<Handle> {
    let mut secrets = entry.object.members.iter().filter(|member| entry.key(member) == "secret");
    let secret = secrets.next()?;
    if secrets.next().is_some() {
        return None;
    }
    match literal::read(entry.value(secret)) {
        Literal::Sealed(handle, Form::Text) => Some(handle),
        Literal::Sealed(..) | Literal::Plain | Literal::Nothing => None,
    }
}

/// Whether an entry says of a new token what is known of it. It may expire earlier, as the component looked at the clock before the
/// request went out.
fn check_token(reply: &Reply, entry: &NewEntry<'_>, kind: Kind) -> Result<(), Refused> {
    if reply.of_another {
        return Err(Refused::WrongAccount(kind));
    }
    let fits = entry.text("home_account_id") == reply.holder.home_account_id
        && entry.text("client_id") == reply.client_id
        && entry.text("realm") == reply.tenant
        && same_cloud(entry.text("environment"), &reply.host);
    if !fits {
        return Err(Refused::WrongEntry(kind));
    }
    if kind != Kind::AccessToken {
        return Ok(());
    }
    let mut target = entry.text("target").split_whitespace();
    let says_the_same = target.all(|scope| reply.scopes.iter().any(|asked| asked == scope))
        && entry.number("expires_on").is_some_and(|expiry| reply.expires_on.is_some_and(|latest| expiry <= latest))
        && (reply.bearer || !entry.text("token_type").eq_ignore_ascii_case("bearer"));
    if says_the_same { Ok(()) } else { Err(Refused::ChangedEntry(kind)) }
}

fn section_of(kind: Kind) -> Option<Section> {
    match kind {
        Kind::AccessToken => Some(Section::AccessToken),
        Kind::IdToken => Some(Section::IdToken),
        Kind::RefreshToken | Kind::Opaque => None,
    }
}
