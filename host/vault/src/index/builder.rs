use std::ops::Range;

use shared_token_cache_entra::schema::{Section, field};

use super::entry::is_harmless;
use super::{Entry, Index, NoIndex, Shape, Span, Spot, TopLevel};
use crate::json::{Event, Visitor, decode};

/// The largest cache that a user reported has 164,663 tokens. The limit protects the host's memory.
const MOST: usize = 1 << 20;

/// Names of secret members, in lower case and without separators.
const SECRETS: [&str; 16] = [
    "secret",
    "secrets",
    "token",
    "tokens",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "password",
    "passwd",
    "clientsecret",
    "sessionkey",
    "privatekey",
    "assertion",
    "clientassertion",
    "userassertion",
    "credential",
];

/// Collects an [`Index`] during a walk.
pub(super) struct Builder<'a> {
    text: &'a str,
    shape: Shape,
    watch: Option<&'a dyn Fn(&str) -> bool>,
    index: Index,
    /// The number of open containers.
    depth: usize,
    /// The key of the next value.
    key: Option<Span>,
    section: Option<Section>,
    entry: Option<Entry>,
    /// The start and the depth of a container that is a secret as a whole.
    whole: Option<(u32, usize)>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str, shape: Shape, watch: Option<&'a dyn Fn(&str) -> bool>) -> Self {
        Self {
            text,
            shape,
            watch,
            index: Index::default(),
            depth: 0,
            key: None,
            section: None,
            entry: None,
            whole: None,
        }
    }

    pub(super) fn finish(self) -> Index {
        self.index
    }

    fn open(&mut self, at: Span, array: bool) -> Result<(), NoIndex> {
        let key = self.key.take();
        // A field of an unexpected type still counts as a field.
        self.note_field(key, at);
        // Sections and entries are objects, and stay readable even if they are named like a secret.
        let readable = !array && self.is_document() && self.depth < 3;
        if !readable && self.whole.is_none() && key.is_some_and(|key| self.is_secret(key)) {
            self.whole = Some((at.start, self.depth));
            self.add_spot(key, at)?;
        }
        if self.depth == 1 {
            let name = key.and_then(|key| decode(key.of(self.text)));
            self.section = name.and_then(|name| Section::named(&name)).filter(|_| !array);
        }
        if self.depth == 2 && !array && self.is_document() {
            self.entry = key.and(self.section).map(Entry::new);
        }
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self, at: Span) -> Result<(), NoIndex> {
        self.depth = self.depth.saturating_sub(1);
        if let Some((start, depth)) = self.whole
            && depth == self.depth
        {
            self.whole = None;
            if let Some(spot) = self.index.spots.last_mut() {
                spot.value = Span { start, end: at.end };
            }
        }
        if self.depth == 2
            && let Some(entry) = self.entry.take()
        {
            if self.index.entries.len() >= MOST {
                return Err(NoIndex::TooMany);
            }
            self.index.entries.push(entry);
        }
        if self.depth == 1 {
            self.section = None;
        }
        Ok(())
    }

    fn key(&mut self, at: Span) -> Result<(), NoIndex> {
        self.key = Some(at);
        if self.depth == 1
            && self.is_document()
            && decode(at.of(self.text)).is_some_and(|name| name == Section::Account.name())
        {
            self.index.first_account = self.index.entries.len();
        }
        self.watch(at)
    }

    fn scalar(&mut self, at: Span) -> Result<(), NoIndex> {
        let key = self.key.take();
        self.note_field(key, at);
        if self.whole.is_some() {
            return Ok(());
        }
        let sealed = match self.shape {
            Shape::Document => !self.is_harmless(key),
            Shape::Reply => key.is_some_and(|key| self.is_secret(key)),
        };
        if sealed { self.add_spot(key, at) } else { self.watch(at) }
    }

    /// Records a value as a field of its entry.
    fn note_field(&mut self, key: Option<Span>, value: Span) {
        if self.depth == 3
            && let (Some(entry), Some(name)) = (&mut self.entry, key.and_then(|key| decode(key.of(self.text))))
        {
            entry.note(&name, value);
        }
    }

    fn add_spot(&mut self, key: Option<Span>, value: Span) -> Result<(), NoIndex> {
        if self.index.spots.len() >= MOST {
            return Err(NoIndex::TooMany);
        }
        let name = key.and_then(|key| decode(key.of(self.text)));
        let top_level = match name.as_deref() {
            Some("access_token") => Some(TopLevel::Access),
            Some("refresh_token") => Some(TopLevel::Refresh),
            Some("id_token") => Some(TopLevel::Id),
            _ => None,
        };
        // An entry gets its number when it ends, and entries are not nested.
        let entry = self.entry.as_ref().filter(|_| self.depth == 3 && name.as_deref() == Some(field::SECRET));
        let entry = entry.and_then(|_| u32::try_from(self.index.entries.len()).ok());
        let top_level = top_level.filter(|_| self.depth == 1);
        self.index.spots.push(Spot { value, top_level, entry });
        Ok(())
    }

    fn is_document(&self) -> bool {
        self.shape == Shape::Document
    }

    /// Whether the key is a known field of an entry that holds no secret.
    fn is_harmless(&self, key: Option<Span>) -> bool {
        let name = key.filter(|_| self.depth == 3 && self.entry.is_some()).and_then(|key| decode(key.of(self.text)));
        name.is_some_and(|name| is_harmless(&name))
    }

    /// Case and separators are ignored, to include variants of a secret's name.
    fn is_secret(&self, key: Span) -> bool {
        let Some(name) = decode(key.of(self.text)) else { return false };
        let words = name.chars().filter(|character| !matches!(character, '_' | '-' | ' ' | '.'));
        let name: String = words.take(40).map(|character| character.to_ascii_lowercase()).collect();
        SECRETS.contains(&name.as_str())
    }

    fn watch(&mut self, string: Span) -> Result<(), NoIndex> {
        let Some(watch) = self.watch else { return Ok(()) };
        if watch(string.of(self.text)) {
            if self.index.watched.len() >= MOST {
                return Err(NoIndex::TooMany);
            }
            self.index.watched.push(string);
        }
        Ok(())
    }
}

impl Visitor for Builder<'_> {
    type Stop = NoIndex;

    fn visit(&mut self, event: Event, range: Range<usize>) -> Result<(), NoIndex> {
        let (Ok(start), Ok(end)) = (u32::try_from(range.start), u32::try_from(range.end)) else {
            return Err(NoIndex::TooMany);
        };
        let at = Span { start, end };
        match event {
            Event::Open { array } => self.open(at, array),
            Event::Close => self.close(at),
            Event::Key => self.key(at),
            Event::Scalar => self.scalar(at),
        }
    }
}
