use std::ops::Range;
use std::sync::OnceLock;

use shared_token_cache_entra::schema::Section;
use zeroize::Zeroizing;

use crate::accounts_index::{AccountsIndex, Chosen};
use crate::credential::Credential;
use crate::damage::{BYTE_ORDER_MARK, Damage, NotUtf8};
use crate::facts::Facts;
use crate::handle::{Handle, Kind, Sealer};
use crate::index::{Field, Index, NoIndex, Shape, Span, Spot};
use crate::json_literal::{self, Form};
use crate::refused::Refused;

/// A version of a document with its secrets. The secrets are kept once, in the text, and zeroized
/// when the last reference to the version is dropped.
pub(crate) struct Document {
    pub(crate) name: Box<str>,
    pub(crate) version: Box<str>,
    /// Empty for a damaged document.
    content: Zeroizing<String>,
    pub(crate) damaged: bool,
    index: Index,
    places: Vec<Place>,
    /// Indices of `places`, sorted by handle.
    by_handle: Vec<u32>,
    accounts_index: OnceLock<AccountsIndex>,
    chosen: OnceLock<Chosen>,
}

/// A sealed secret.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) handle: Handle,
    pub(crate) form: Form,
    pub(crate) value: Span,
    entry: Option<u32>,
}

impl Document {
    /// Indexes a document, and returns the text that the component may see.
    pub(crate) fn seal(
        sealer: &Sealer,
        name: &str,
        version: &str,
        mut content: Zeroizing<Vec<u8>>,
    ) -> Result<(Self, Result<String, NotUtf8>), Refused> {
        let content = match String::from_utf8(std::mem::take(&mut *content)) {
            Ok(content) => Zeroizing::new(content),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let content = Zeroizing::new(error.into_bytes());
                let place = NotUtf8::behind(content.get(..valid).unwrap_or_default());
                return Ok((Self::damaged(name, version), Err(place)));
            }
        };
        match Self::read(sealer, name, version, content)? {
            Ok(document) => {
                let sealed = document.sealed();
                Ok((document, Ok(sealed)))
            }
            Err(content) => Ok((Self::damaged(name, version), Ok(Damage::of(&content).stand_in()))),
        }
    }

    /// Indexes a document; returns the text if it is damaged.
    pub(crate) fn read(
        sealer: &Sealer,
        name: &str,
        version: &str,
        content: Zeroizing<String>,
    ) -> Result<Result<Self, Zeroizing<String>>, Refused> {
        let json = json_of(&content);
        let index = match Index::of(json, Shape::Document, None) {
            Ok(index) => index,
            // An empty document is a cache without entries.
            Err(NoIndex::NotAnObject) if json.is_empty() => Index::default(),
            Err(NoIndex::NotAnObject) => return Ok(Err(content)),
            Err(NoIndex::TooMany) => return Err(Refused::TooMany),
        };
        Ok(Ok(Self::indexed(sealer, name, version, content, index)))
    }

    fn indexed(sealer: &Sealer, name: &str, version: &str, content: Zeroizing<String>, mut index: Index) -> Self {
        let json = json_of(&content);
        let spots = std::mem::take(&mut index.spots);
        let places: Vec<Place> = spots
            .into_iter()
            .filter_map(|spot| {
                let kind = kind_of(&index, &spot);
                let (handle, form) = json_literal::seal(sealer, kind, spot.value.of(json))?;
                Some(Place { handle, form, value: spot.value, entry: spot.entry })
            })
            .collect();
        let mut by_handle: Vec<u32> = (0_u32..).take(places.len()).collect();
        by_handle.sort_by_key(|number| places.get(*number as usize).map(|place| place.handle));
        Self {
            name: name.into(),
            version: version.into(),
            content,
            damaged: false,
            index,
            places,
            by_handle,
            accounts_index: OnceLock::new(),
            chosen: OnceLock::new(),
        }
    }

    fn damaged(name: &str, version: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            content: Zeroizing::default(),
            damaged: true,
            index: Index::default(),
            places: Vec::new(),
            by_handle: Vec::new(),
            accounts_index: OnceLock::new(),
            chosen: OnceLock::new(),
        }
    }

    /// The document with handles for secrets.
    pub(crate) fn sealed(&self) -> String {
        let json = self.json();
        let secrets: usize = self.places.iter().map(|place| (place.value.end - place.value.start) as usize).sum();
        let mut sealed = String::with_capacity(self.content.len() - secrets + self.places.len() * LONGEST_LITERAL);
        sealed.push_str(self.byte_order_mark());
        let mut from = 0;
        for place in &self.places {
            sealed.push_str(Span { start: from, end: place.value.start }.of(json));
            json_literal::push(place.handle, place.form, &mut sealed);
            from = place.value.end;
        }
        sealed.push_str(json.get(from as usize..).unwrap_or_default());
        sealed
    }

    /// Whether `text` is the sealed form of this range, byte for byte.
    pub(crate) fn seals_to(&self, range: &Range<usize>, text: &str) -> bool {
        let json = self.json();
        let (mut from, mut rest) = (range.start, text.as_bytes());
        let mut handle = String::with_capacity(LONGEST_LITERAL);
        for place in self.places_in(range) {
            handle.clear();
            json_literal::push(place.handle, place.form, &mut handle);
            let before = json.get(from..place.value.start as usize).unwrap_or_default();
            let behind = rest.strip_prefix(before.as_bytes()).and_then(|rest| rest.strip_prefix(handle.as_bytes()));
            let Some(behind) = behind else { return false };
            (from, rest) = (place.value.end as usize, behind);
        }
        json.get(from..range.end).is_some_and(|json| json.as_bytes() == rest)
    }

    /// The secrets in a range, in order.
    pub(crate) fn places_in(&self, range: &Range<usize>) -> impl Iterator<Item = &Place> {
        let first = self.places.partition_point(|place| (place.value.start as usize) < range.start);
        let from_there = self.places.get(first..).unwrap_or_default().iter();
        let end = range.end;
        from_there.take_while(move |place| place.value.end as usize <= end)
    }

    /// The byte order mark, or nothing.
    pub(crate) fn byte_order_mark(&self) -> &str {
        self.content.get(..self.content.len() - self.json().len()).unwrap_or_default()
    }

    /// The document as it is stored.
    pub(crate) fn content(&self) -> &str {
        &self.content
    }

    pub(crate) fn places_of(&self, handle: Handle) -> impl Iterator<Item = (u32, &Place)> {
        let place = |number: u32| self.places.get(number as usize);
        let first = self.by_handle.partition_point(|number| place(*number).is_some_and(|at| at.handle < handle));
        let from_there = self.by_handle.get(first..).unwrap_or_default().iter();
        from_there.map_while(move |number| Some((*number, place(*number).filter(|at| at.handle == handle)?)))
    }

    /// The secret as a JSON literal.
    pub(crate) fn literal(&self, place: &Place) -> &str {
        place.value.of(self.json())
    }

    /// The fields of the secret's entry. `None` where readers could differ about them.
    pub(crate) fn facts(&self, place: &Place) -> Option<Facts<'_>> {
        let entry = self.index.entries.get(place.entry? as usize)?;
        Facts::of(self.json(), entry)
    }

    /// The fields of token entries whose secret is text.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Facts<'_>> {
        let texts = self.places.iter().filter(|place| place.form == Form::Text);
        texts.filter_map(|place| self.facts(place))
    }

    /// The fields of account entries.
    pub(crate) fn account_entries(&self) -> impl Iterator<Item = Facts<'_>> {
        let entries = self.index.entries.iter().skip(self.index.first_account);
        let accounts = entries.filter(|entry| entry.section == Section::Account);
        accounts.filter_map(|entry| Facts::of(self.json(), entry))
    }

    /// The accounts by their home account id.
    pub(crate) fn accounts_index(&self) -> &AccountsIndex {
        self.accounts_index.get_or_init(|| AccountsIndex::of(self.account_entries()))
    }

    /// The account that the credential's options select. A document belongs to one vault, and so to
    /// one credential.
    pub(crate) fn chosen(&self, credential: &Credential) -> &Chosen {
        self.chosen.get_or_init(|| {
            let tokens = self.index.entries.iter().filter(|entry| entry.section == Section::RefreshToken);
            let facts = tokens.filter_map(|entry| Facts::of(self.json(), entry));
            let usable = facts.filter(|token| {
                let text = |field| token.text(field).unwrap_or_default();
                let own = !text(Field::FamilyId).is_empty() || credential.is_client(&text(Field::ClientId));
                own && credential.is_cloud(&text(Field::Environment))
            });
            Chosen::among(
                usable.filter_map(|token| token.text(Field::HomeAccountId)),
                self.accounts_index(),
                credential,
            )
        })
    }

    pub(crate) fn json(&self) -> &str {
        json_of(&self.content)
    }
}

/// The longest literal of a handle: quotes, brackets, half a surrogate pair.
const LONGEST_LITERAL: usize = 48;

pub(crate) fn json_of(content: &str) -> &str {
    content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content)
}

fn kind_of(index: &Index, spot: &Spot) -> Kind {
    match spot.entry.and_then(|entry| index.entries.get(entry as usize)).map(|entry| entry.section) {
        Some(Section::AccessToken) => Kind::AccessToken,
        Some(Section::RefreshToken) => Kind::RefreshToken,
        Some(Section::IdToken) => Kind::IdToken,
        Some(Section::Account | Section::AppMetadata) | None => Kind::Opaque,
    }
}
