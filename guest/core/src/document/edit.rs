//! Changes to a document. A write conflict repeats them on the newest text.

use shared_token_cache_entra::Secret;
use shared_token_cache_entra::schema::{Section, field};

use super::entry::RawEntry;
use super::index::{Document, ParseError};
use super::json::quoted;
use super::object::{Kept, Layout, Object};
use crate::types::HomeAccountId;

/// One change. It names entries by key or secret, never by position, so that it can be repeated.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// Replaces the entry with this key, or adds it. Keys are compared without case: MSAL for Go
    /// wrote mixed-case keys before 1.1, and such an entry would otherwise remain beside the new
    /// one.
    Put { section: Section, key: String, fields: Vec<(&'static str, String)> },
    /// Sets fields of the entry with this key and keeps its other fields, or adds the entry.
    Merge { section: Section, key: String, fields: Vec<(&'static str, String)> },
    /// Sets the secret of the refresh token entry that holds `old`. If several hold it, changes
    /// none.
    RotateRefreshToken { old: Secret, new: Secret, now: u64 },
    /// Removes refresh token entries that hold `secret`.
    RemoveRefreshToken { secret: Secret },
    /// Removes access tokens of an account that have expired.
    RemoveExpired { account: HomeAccountId, now: u64 },
}

/// The section is neither missing, `null` nor an object, so a write would lose its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EditError {
    #[error("its section {0:?} is not an object")]
    Section(&'static str),
    #[error(transparent)]
    Parse(#[from] ParseError),
}

impl Document {
    /// This document with `edits` applied. Everything else keeps its bytes.
    pub(crate) fn edited(&self, edits: &[Edit]) -> Result<Self, EditError> {
        let text = if self.text().is_empty() { "{}" } else { self.text() };
        let layout = if self.text().is_empty() { Layout::msal() } else { Layout::of(text) };
        let not_json = |_| ParseError::NotAnObject { line: 1, column: 1 };
        let mut root = Object::parse(text).map_err(not_json)?;
        for edit in edits {
            let name = edit.section().name();
            let current = root.get(name).filter(|value| *value != "null");
            if current.is_none() && edit.only_changes_what_is_there() {
                continue;
            }
            let current = current.unwrap_or("{}").to_owned();
            let mut section = Object::parse(&current).map_err(|_| EditError::Section(name))?;
            edit.apply(&mut section, &layout);
            root.set(name, section.to_text(&layout, 1), &layout, 1);
        }
        Ok(Self::parse(root.to_text(&layout, 0))?)
    }
}

impl Edit {
    fn section(&self) -> Section {
        match self {
            Self::Put { section, .. } | Self::Merge { section, .. } => *section,
            Self::RotateRefreshToken { .. } | Self::RemoveRefreshToken { .. } => Section::RefreshToken,
            Self::RemoveExpired { .. } => Section::AccessToken,
        }
    }

    fn only_changes_what_is_there(&self) -> bool {
        match self {
            Self::Put { .. } | Self::Merge { .. } => false,
            Self::RotateRefreshToken { .. } | Self::RemoveRefreshToken { .. } | Self::RemoveExpired { .. } => true,
        }
    }

    fn apply(&self, section: &mut Object<'_>, layout: &Layout) {
        match self {
            Self::Put { key, fields, .. } => {
                section.upsert(key, layout, 2, |_| with_fields("{}", fields, layout));
            }
            Self::Merge { key, fields, .. } => {
                section.upsert(key, layout, 2, |current| with_fields(current, fields, layout));
            }
            Self::RotateRefreshToken { old, new, now } => {
                if section.members().filter(|(_, entry)| holds(entry, old)).count() != 1 {
                    return;
                }
                let fields =
                    [(field::SECRET, new.expose().to_owned()), (field::LAST_MODIFICATION_TIME, now.to_string())];
                section.retain_map(|_, entry| {
                    if holds(entry, old) { Kept::Replaced(with_fields(entry, &fields, layout)) } else { Kept::AsIs }
                });
            }
            Self::RemoveRefreshToken { secret } => {
                section.retain_map(|_, entry| if holds(entry, secret) { Kept::Removed } else { Kept::AsIs });
            }
            Self::RemoveExpired { account, now } => {
                section.retain_map(|_, entry| {
                    let token = RawEntry::parse(entry).and_then(|entry| entry.access_token(0..0));
                    let expired = token.is_some_and(|token| {
                        token.home_account_id == *account && token.expires_on < *now && token.plain_bearer
                    });
                    if expired { Kept::Removed } else { Kept::AsIs }
                });
            }
        }
    }
}

/// The entry with string fields set. A value that is not an object is replaced: it is not a valid
/// entry.
fn with_fields(entry: &str, fields: &[(&'static str, String)], layout: &Layout) -> String {
    let mut object = Object::parse(entry).unwrap_or_else(|_| Object::empty());
    for (name, value) in fields {
        object.set(name, quoted(value), layout, 3);
    }
    object.to_text(layout, 2)
}

fn holds(entry: &str, secret: &Secret) -> bool {
    RawEntry::parse(entry).and_then(|entry| entry.secret()).is_some_and(|held| held == *secret)
}
