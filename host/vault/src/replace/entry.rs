//! What an entry that a component writes may look like: fields that MSAL writes, as short text, each once.

use std::borrow::Cow;
use std::ops::Range;

use crate::handle::contains_handle;
use crate::index::Section;
use crate::json::{Member, Object, decode, seconds};
use crate::refused::Refused;

/// The longest text of a field. The scopes of a token are the longest; Microsoft Entra ID takes no request of this size.
const LONGEST_FIELD: usize = 8 << 10;

/// The largest entry, its key and the white space before it included, with a handle in place of its secret.
const LARGEST_ENTRY: usize = 16 << 10;

/// The sections into which a component may write entries of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    AccessToken,
    IdToken,
    AppMetadata,
}

/// How a field has to look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The name of the section.
    Type,
    /// A handle, looked at by the one who opens it.
    Handle,
    /// Any text.
    Text,
    /// A whole number as text, as MSAL writes times.
    Number,
    /// Any text, and the field may be missing.
    OptionalText,
    /// A whole number as text, and the field may be missing.
    OptionalNumber,
}

impl Written {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "AccessToken" => Some(Self::AccessToken),
            "IdToken" => Some(Self::IdToken),
            "AppMetadata" => Some(Self::AppMetadata),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "AccessToken",
            Self::IdToken => "IdToken",
            Self::AppMetadata => "AppMetadata",
        }
    }

    /// The vault's section of the same entries.
    pub(super) fn section(self) -> Option<Section> {
        match self {
            Self::AccessToken => Some(Section::AccessToken),
            Self::IdToken => Some(Section::IdToken),
            Self::AppMetadata => None,
        }
    }

    /// `msal/token_cache.py`: what `add` writes into the section.
    fn fields(self) -> &'static [(&'static str, Rule)] {
        match self {
            Self::AccessToken => &[
                ("credential_type", Rule::Type),
                ("secret", Rule::Handle),
                ("home_account_id", Rule::Text),
                ("environment", Rule::Text),
                ("client_id", Rule::Text),
                ("target", Rule::Text),
                ("realm", Rule::Text),
                ("token_type", Rule::Text),
                ("cached_at", Rule::Number),
                ("expires_on", Rule::Number),
                ("extended_expires_on", Rule::Number),
                ("refresh_on", Rule::OptionalNumber),
            ],
            Self::IdToken => &[
                ("credential_type", Rule::Type),
                ("secret", Rule::Handle),
                ("home_account_id", Rule::Text),
                ("environment", Rule::Text),
                ("realm", Rule::Text),
                ("client_id", Rule::Text),
            ],
            Self::AppMetadata => {
                &[("client_id", Rule::Text), ("environment", Rule::Text), ("family_id", Rule::OptionalText)]
            }
        }
    }

    /// The key that the entry's fields make. MSAL lower-cases all keys but those of `AppMetadata`.
    fn key(self, text: impl Fn(&str) -> String) -> String {
        let (home, environment, client) = (text("home_account_id"), text("environment"), text("client_id"));
        match self {
            Self::AccessToken => {
                format!("{home}-{environment}-accesstoken-{client}-{}-{}", text("realm"), text("target")).to_lowercase()
            }
            Self::IdToken => format!("{home}-{environment}-idtoken-{client}-{}-", text("realm")).to_lowercase(),
            Self::AppMetadata => format!("appmetadata-{environment}-{client}"),
        }
    }
}

/// An entry that keeps to the rules.
pub(super) struct NewEntry<'a> {
    fields: Vec<(&'static str, Cow<'a, str>, Range<usize>)>,
}

impl<'a> NewEntry<'a> {
    /// Reads the member `entry` of a section in `text`.
    pub(super) fn read(section: Written, text: &'a str, entry: &Member) -> Result<Self, Refused> {
        let malformed = Refused::MalformedEntry(section.name());
        if entry.body().len() > LARGEST_ENTRY {
            return Err(malformed);
        }
        let value = text.get(entry.value.clone()).unwrap_or_default();
        let object = Object::cut(value).map_err(|_| malformed.clone())?;
        let of = |range: &Range<usize>| value.get(range.clone()).unwrap_or_default();
        let mut fields: Vec<(&'static str, Cow<'a, str>, Range<usize>)> = Vec::new();
        for member in &object.members {
            let key = decode(of(&member.key)).ok_or_else(|| malformed.clone())?;
            let known = section.fields().iter().find(|(name, _)| *name == key).ok_or_else(|| malformed.clone())?;
            let (name, rule) = *known;
            let text = field(of(&member.value), rule, section.name()).ok_or_else(|| malformed.clone())?;
            if fields.iter().any(|(other, ..)| *other == name) {
                return Err(malformed);
            }
            let at = entry.value.start;
            fields.push((name, text, at + member.value.start..at + member.value.end));
        }
        let optional = |rule| matches!(rule, Rule::OptionalText | Rule::OptionalNumber);
        let has = |name: &str| fields.iter().any(|(other, ..)| *other == name);
        if section.fields().iter().any(|(name, rule)| !optional(*rule) && !has(name)) {
            return Err(malformed);
        }
        let read = Self { fields };
        let key = decode(text.get(entry.key.clone()).unwrap_or_default());
        if key.is_none_or(|key| key != section.key(|name| read.text(name).to_owned())) {
            return Err(malformed);
        }
        Ok(read)
    }

    /// The text of a field; nothing where it is missing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(other, ..)| *other == name).map_or("", |(_, text, _)| text)
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok()
    }

    /// Where the secret's value is.
    pub(super) fn secret(&self) -> Range<usize> {
        self.fields.iter().find(|(name, ..)| *name == "secret").map_or(0..0, |(_, _, range)| range.clone())
    }
}

fn field<'a>(literal: &'a str, rule: Rule, section: &str) -> Option<Cow<'a, str>> {
    let text = decode(literal).filter(|text| text.len() <= LONGEST_FIELD)?;
    let fits = match rule {
        Rule::Type => text == section,
        Rule::Handle => true,
        Rule::Text | Rule::OptionalText => !contains_handle(&text),
        Rule::Number | Rule::OptionalNumber => is_number(literal),
    };
    fits.then_some(text)
}

/// A whole number of seconds as text, as MSAL writes it.
pub(super) fn is_number(literal: &str) -> bool {
    decode(literal).is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        && seconds(literal).is_some()
}
