use std::collections::HashMap;

use shared_token_cache_entra::schema::Section;

use super::Writing;
use super::changes::{Changes, Keys};
use crate::json::{Member, Object, decode};
use crate::refused::Refused;

/// A section that a component may write to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    AccessToken,
    IdToken,
    RefreshToken,
    AppMetadata,
}

impl Written {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AccessToken => Section::AccessToken.name(),
            Self::IdToken => Section::IdToken.name(),
            Self::RefreshToken => Section::RefreshToken.name(),
            Self::AppMetadata => Section::AppMetadata.name(),
        }
    }

    fn named(name: &str) -> Result<Self, Refused> {
        match Section::named(name) {
            Some(Section::AccessToken) => Ok(Self::AccessToken),
            Some(Section::IdToken) => Ok(Self::IdToken),
            Some(Section::RefreshToken) => Ok(Self::RefreshToken),
            Some(Section::AppMetadata) => Ok(Self::AppMetadata),
            Some(Section::Account) => Err(Refused::ChangedAccounts),
            None => Err(Refused::ChangedElsewhere("another section")),
        }
    }
}

impl<'a> Writing<'a> {
    pub(super) fn check_sections(&mut self, old: &Object, new: &Object) -> Result<(), Refused> {
        let changes = self.changes(old, new, Keys::Exact)?;
        if let Some(removed) = changes.removed.first() {
            let name = decode(self.texts.of_old(&removed.key)).unwrap_or_default();
            Written::named(&name)?;
            return Err(Refused::ChangedElsewhere("its sections"));
        }
        self.check_that_none_is_repeated(&changes, new)?;
        for (before, now) in &changes.replaced {
            let section = Written::named(&decode(self.texts.of_old(&before.key)).unwrap_or_default())?;
            let old = match self.texts.of_old(&before.value) {
                "null" => Object::default(),
                _ => self.object_of(before).ok_or(Refused::ChangedElsewhere("a section of another type"))?,
            };
            self.check_section(section, &old, now)?;
        }
        for now in &changes.added {
            let section = Written::named(&decode(self.texts.of_new(&now.key)).unwrap_or_default())?;
            if self.texts.of_new(&now.key) != format!("\"{}\"", section.name()) {
                return Err(Refused::ChangedElsewhere("its sections"));
            }
            self.check_section(section, &Object::default(), now)?;
        }
        Ok(())
    }

    fn check_section(&mut self, section: Written, old: &Object, now: &Member) -> Result<(), Refused> {
        let new = Object::cut(self.texts.new, now.value.clone());
        let new = new.ok_or(Refused::ChangedElsewhere("the type of a section"))?;
        if old.members.is_empty() && new.members.is_empty() {
            return Err(Refused::ChangedElsewhere("its sections"));
        }
        let keys = if section == Written::RefreshToken { Keys::Exact } else { Keys::AnyCase };
        let changes = self.changes(old, &new, keys)?;
        self.check_that_none_is_repeated(&changes, &new)?;
        match section {
            Written::AccessToken | Written::IdToken => self.check_tokens(section, &changes),
            Written::RefreshToken => self.check_refresh_tokens(&changes),
            Written::AppMetadata => self.check_metadata(&changes),
        }
    }

    /// Checks that no other member has the key of a new or changed member, without regard to case.
    pub(super) fn check_that_none_is_repeated(&self, changes: &Changes<'_, '_>, new: &Object) -> Result<(), Refused> {
        if changes.replaced.is_empty() && changes.added.is_empty() {
            return Ok(());
        }
        let key = |member: &Member| {
            let literal = self.texts.of_new(&member.key);
            decode(literal).map_or_else(|| literal.to_owned(), |key| key.to_ascii_lowercase())
        };
        let changed = changes.replaced.iter().map(|(_, now)| *now).chain(changes.added.iter().copied());
        let mut seen: HashMap<String, u32> = changed.map(|member| (key(member), 0)).collect();
        for member in &new.members {
            if let Some(count) = seen.get_mut(&key(member)) {
                *count += 1;
                if *count > 1 {
                    return Err(Refused::RepeatedMember);
                }
            }
        }
        Ok(())
    }

    /// The value of an old member, if it is an object.
    pub(super) fn object_of(&self, member: &Member) -> Option<Object> {
        Object::cut(self.texts.old, member.value.clone())
    }
}
