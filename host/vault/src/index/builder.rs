use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;

use super::{Entry, Index, NoIndex, Section, Shape, Span, Spot, TopLevel};
use crate::json::{Event, Visitor, decode};

/// The largest cache that a user reported has 164,663 tokens. More than this many secrets or entries would be an attack on the
/// host's memory.
const MOST: usize = 1 << 20;

/// So many levels tell one place from another. A cache has four; what lies deeper counts as being where its ancestor is.
const LEVELS: usize = 8;

/// Gives places a name that nobody can choose.
pub(crate) type Paths = RandomState;

/// Collects an [`Index`] during a walk.
pub(super) struct Builder<'a> {
    text: &'a str,
    shape: Shape,
    paths: &'a Paths,
    watch: Option<&'a dyn Fn(&str) -> bool>,
    index: Index,
    /// How many containers are around.
    depth: usize,
    levels: [Level; LEVELS],
    /// The key whose value comes next.
    key: Option<Span>,
    section: Option<Section>,
    entry: Option<Entry>,
    /// The section is named like a secret.
    secret_section: bool,
    /// Where a container begins that is a secret as a whole, and how deep.
    whole: Option<(u32, usize)>,
    accounts: Accounts,
}

/// Where the walk is with regard to the value of a root member named `Account`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Accounts {
    Elsewhere,
    Next,
    Inside,
}

#[derive(Clone, Copy, Default)]
struct Level {
    path: u64,
    /// How many values an array had so far.
    elements: u64,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str, shape: Shape, paths: &'a Paths, watch: Option<&'a dyn Fn(&str) -> bool>) -> Self {
        Self {
            text,
            shape,
            paths,
            watch,
            index: Index::default(),
            depth: 0,
            levels: [Level::default(); LEVELS],
            key: None,
            section: None,
            entry: None,
            secret_section: false,
            whole: None,
            accounts: Accounts::Elsewhere,
        }
    }

    pub(super) fn finish(self) -> Index {
        self.index
    }

    fn open(&mut self, at: Span, array: bool) -> Result<(), NoIndex> {
        let key = self.key.take();
        // A field of another type than expected is a field all the same.
        self.note_field(key, at);
        let secret = key.is_some_and(|key| self.is_secret(key));
        // A section or an entry might be named like a secret, and has to stay readable. Neither is an array.
        let readable = !array && self.is_document() && self.depth < 3;
        if self.depth == 1 {
            self.secret_section = secret && readable;
        }
        if secret && !readable && self.whole.is_none() {
            self.whole = Some((at.start, self.depth));
            self.add_spot(key, at)?;
        }
        let path = self.path(key);
        if self.depth == 1 {
            let name = key.and_then(|key| decode(key.of(self.text)));
            self.section = name.and_then(|name| Section::named(&name)).filter(|_| !array);
        }
        if self.depth == 2 && !array && self.is_document() {
            self.entry = key.and(self.section).map(Entry::new);
        }
        if let Some(level) = self.levels.get_mut(self.depth) {
            *level = Level { path, elements: 0 };
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
            if self.accounts == Accounts::Inside
                && let Some(accounts) = self.index.account_sections.last_mut()
            {
                accounts.end = at.end;
            }
            self.accounts = Accounts::Elsewhere;
        }
        Ok(())
    }

    fn key(&mut self, at: Span) -> Result<(), NoIndex> {
        self.key = Some(at);
        if self.depth == 1 && self.is_document() && decode(at.of(self.text)).is_some_and(|name| name == "Account") {
            self.index.first_account = self.index.entries.len();
            self.accounts = Accounts::Next;
        }
        self.watch(at)
    }

    fn scalar(&mut self, at: Span) -> Result<(), NoIndex> {
        let key = self.key.take();
        self.note_field(key, at);
        if self.depth == 1 {
            self.accounts = Accounts::Elsewhere;
        }
        if self.whole.is_some() {
            return Ok(());
        }
        if key.is_some_and(|key| self.is_secret(key)) { self.add_spot(key, at) } else { self.watch(at) }
    }

    /// What every value does besides: it may be a field of an entry, or the section of accounts.
    fn note_field(&mut self, key: Option<Span>, value: Span) {
        if self.accounts == Accounts::Next {
            self.index.account_sections.push(value);
            self.accounts = Accounts::Inside;
        }
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
        // The entry gets its number when it ends, and none begins before.
        let entry = self.entry.as_ref().filter(|_| self.depth == 3 && name.as_deref() == Some("secret"));
        let entry = entry.and_then(|_| u32::try_from(self.index.entries.len()).ok());
        let path = self.path(key);
        let top_level = top_level.filter(|_| self.depth == 1);
        self.index.spots.push(Spot { value, path, top_level, entry });
        Ok(())
    }

    /// The name of the value that begins here.
    fn path(&mut self, key: Option<Span>) -> u64 {
        let Some(level) = self.levels.get_mut(self.depth.saturating_sub(1).min(LEVELS - 1)) else { return 0 };
        match key {
            Some(key) => {
                let literal = key.of(self.text);
                let name = decode(literal);
                // A key that is no text is told apart by how it is written.
                self.paths.hash_one((level.path, name.is_some(), name.as_deref().unwrap_or(literal)))
            }
            None => {
                level.elements += 1;
                self.paths.hash_one((level.path, level.elements))
            }
        }
    }

    fn is_document(&self) -> bool {
        self.shape == Shape::Document
    }

    /// Case counts for nobody that reads a cache, but what is nearly named like a secret may nearly be one.
    fn is_secret(&self, key: Span) -> bool {
        const NAMES: [&str; 4] = ["secret", "access_token", "refresh_token", "id_token"];
        // What stands directly in a section of that name has no better name.
        if self.secret_section && self.depth == 2 {
            return true;
        }
        let literal = key.of(self.text);
        let could_be = literal.contains('\\') || matches!(literal.len(), 8 | 10 | 14 | 15);
        could_be && decode(literal).is_some_and(|name| NAMES.iter().any(|secret| secret.eq_ignore_ascii_case(&name)))
    }

    fn watch(&self, string: Span) -> Result<(), NoIndex> {
        let Some(watch) = self.watch else { return Ok(()) };
        let literal = string.of(self.text);
        let forbidden = match decode(literal) {
            Some(text) => watch(&text),
            None => watch(literal),
        };
        if forbidden { Err(NoIndex::Forbidden) } else { Ok(()) }
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
