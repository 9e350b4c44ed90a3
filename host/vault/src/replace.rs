//! Documents that the component writes: the old document, byte for byte, with changes from a closed
//! list.
//!
//! | section | what may change |
//! |---|---|
//! | `AccessToken`, `IdToken` | an entry for a token of a reply is added or replaced; expired access tokens of the account are removed |
//! | `RefreshToken` | the secret of the redeemed entry becomes that of its reply; a dead entry is removed |
//! | `AppMetadata` | the entry of this client is added, or gets its family |
//!
//! Sections of this table that are missing may be added at the end. White space around the document
//! and a byte order mark, which MSAL cannot read, may be removed. Everything else is compared with
//! the text that the component was given.

mod changes;
mod fields;
mod metadata;
mod refresh_tokens;
mod sections;
mod tokens;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::document::{Document, json_of};
use crate::handle::Handle;
use crate::json::Object;
use crate::refused::Refused;
use crate::reply::Reply;
use crate::session::Session;
use changes::{Changes, Keys, Texts};

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
    /// [`Refused::StaleDocument`] if the component was not given that version: it has to read
    /// again, as after a conflict. Any other [`Refused`] if the document has a change that is not
    /// allowed.
    pub fn open_document(&self, name: &str, version: &str, sealed: &str) -> Result<OpenDocument, Refused> {
        let original = self.version(name, version)?;
        if original.damaged {
            return Err(Refused::DamagedDocument);
        }
        self.check_write()?;
        self.check_size(sealed.len())?;
        let content = self.opened(original, sealed)?;
        let document = Document::read(self.vault.sealer(), name, "", content)?.map_err(|_| Refused::NotAnObject)?;
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

    fn opened(&self, original: &Document, text: &str) -> Result<Zeroizing<String>, Refused> {
        let (old, new) = (original.json(), json_of(text));
        let mark = text.get(..text.len() - new.len()).unwrap_or_default();
        if mark.len() > original.byte_order_mark().len() {
            return Err(Refused::ChangedElsewhere("the byte order mark"));
        }
        let texts = Texts { original, old, new };
        let mut writing = Writing {
            session: self,
            texts,
            replies: self.handles_of_replies(),
            used: HashSet::new(),
            splices: Vec::new(),
        };
        if texts.is_kept(&(0..old.len()), &(0..new.len())) {
            writing.splices.push((0..new.len(), old));
        } else {
            let before = match Object::cut(old, 0..old.len()) {
                Some(before) => before,
                None if old.is_empty() => Object::default(),
                None => return Err(Refused::NotAnObject),
            };
            let now = Object::cut(new, 0..new.len()).ok_or(Refused::NotAnObject)?;
            writing.check_surroundings(&before, &now)?;
            writing.check_sections(&before, &now)?;
        }
        writing.finish(mark)
    }

    fn check_size(&self, size: usize) -> Result<(), Refused> {
        let largest = self.vault.largest_document();
        if size > largest { Err(Refused::TooLarge { size, largest }) } else { Ok(()) }
    }
}

/// A document that is being checked and opened.
struct Writing<'a> {
    session: &'a Session,
    texts: Texts<'a>,
    replies: HashMap<Handle, Vec<&'a Reply>>,
    /// Secrets of replies that were placed. Each is placed once.
    used: HashSet<(*const Reply, Handle)>,
    /// Replacements for ranges of the new text.
    splices: Vec<(Range<usize>, &'a str)>,
}

impl<'a> Writing<'a> {
    fn check_surroundings(&self, before: &Object, now: &Object) -> Result<(), Refused> {
        let Texts { old, new, .. } = self.texts;
        let around = |text: &'a str, object: &Object| {
            (text.get(..object.range.start).unwrap_or_default(), text.get(object.range.end..).unwrap_or_default())
        };
        let ((leading, trailing), now) = (around(old, before), around(new, now));
        let is = |now: &str, before: &str| now.is_empty() || now == before;
        if is(now.0, leading) && is(now.1, trailing) { Ok(()) } else { Err(Refused::ChangedElsewhere("white space")) }
    }

    /// Replaces a handle by the secret of a reply. Each secret is placed once.
    fn put(&mut self, reply: &'a Reply, handle: Handle, place: &Range<usize>) -> Result<(), Refused> {
        let literal = reply.secret(handle).ok_or(Refused::UnknownHandle(handle.kind))?;
        if !self.used.insert((std::ptr::from_ref(reply), handle)) {
            return Err(Refused::WrongEntry(handle.kind));
        }
        self.splices.push((place.clone(), literal));
        Ok(())
    }

    /// Compares two objects, and restores the values that were kept.
    fn changes<'o, 'n>(&mut self, old: &'o Object, new: &'n Object, keys: Keys) -> Result<Changes<'o, 'n>, Refused> {
        let changes = self.texts.changes(old, new, keys)?;
        for (before, now) in &changes.kept {
            self.splices.push((now.value.clone(), self.texts.of_old(&before.value)));
        }
        Ok(changes)
    }

    /// The new document with all secrets: those of replies where they were placed, old ones where
    /// nothing has changed.
    fn finish(mut self, mark: &str) -> Result<Zeroizing<String>, Refused> {
        let new = self.texts.new;
        self.splices.sort_by_key(|(place, _)| place.start);
        let mut size = mark.len() + new.len();
        for (place, literal) in &self.splices {
            size = size - place.len() + literal.len();
        }
        self.session.check_size(size)?;
        // Reserve the size: growing would leave copies of secrets in freed memory.
        let mut content = Zeroizing::new(String::with_capacity(size));
        content.push_str(mark);
        let mut from = 0;
        for (place, literal) in &self.splices {
            content.push_str(new.get(from..place.start).unwrap_or_default());
            content.push_str(literal);
            from = place.end;
        }
        content.push_str(new.get(from..).unwrap_or_default());
        Ok(content)
    }
}
