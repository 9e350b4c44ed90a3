use std::ops::Range;

use super::{Entry, Index, NoIndex, Section, Shape, Span, Spot, TopLevel};
use crate::json::{Event, Visitor, decode};

/// The largest cache that a user reported has 164,663 tokens. More than this many secrets or entries would be an attack on the
/// host's memory.
const MOST: usize = 1 << 20;

/// Collects an [`Index`] during a walk.
pub(super) struct Builder<'a> {
    text: &'a str,
    shape: Shape,
    watch: Option<&'a dyn Fn(&str) -> bool>,
    index: Index,
    /// How many containers are around.
    depth: usize,
    /// The key whose value comes next.
    key: Option<Span>,
    section: Option<Section>,
    entry: Option<Entry>,
    /// The depth of a section or an entry that is named like a secret: all that lies below it is one.
    secret_below: Option<usize>,
    /// The section is one of MSAL's, and what lies directly in it, outside of any entry, has no better name.
    token_section: bool,
    /// Where a container begins that is a secret as a whole, and how deep.
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
            secret_below: None,
            token_section: false,
            whole: None,
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
        if readable && self.depth == 1 && key.is_some_and(|key| self.is_token_section(key)) {
            self.token_section = true;
        } else if readable && key.is_some_and(|key| self.is_named_secret(key)) {
            self.secret_below.get_or_insert(self.depth);
        }
        if secret && !readable && self.whole.is_none() {
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
        if self.secret_below == Some(self.depth) {
            self.secret_below = None;
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
            self.token_section = false;
        }
        Ok(())
    }

    fn key(&mut self, at: Span) -> Result<(), NoIndex> {
        self.key = Some(at);
        if self.depth == 1 && self.is_document() && decode(at.of(self.text)).is_some_and(|name| name == "Account") {
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
        if key.is_some_and(|key| self.is_secret(key)) { self.add_spot(key, at) } else { self.watch(at) }
    }

    /// A value may be a field of an entry.
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
        // The entry gets its number when it ends, and none begins before.
        let entry = self.entry.as_ref().filter(|_| self.depth == 3 && name.as_deref() == Some("secret"));
        let entry = entry.and_then(|_| u32::try_from(self.index.entries.len()).ok());
        let top_level = top_level.filter(|_| self.depth == 1);
        self.index.spots.push(Spot { value, top_level, entry });
        Ok(())
    }

    fn is_document(&self) -> bool {
        self.shape == Shape::Document
    }

    /// A name of secrets, in any case and with any separator, and all that lies below one.
    fn is_secret(&self, key: Span) -> bool {
        if self.secret_below.is_some() || (self.token_section && self.depth == 2) {
            return true;
        }
        self.is_named_secret(key)
    }

    fn is_named_secret(&self, key: Span) -> bool {
        let literal = key.of(self.text);
        if literal.contains('\\') {
            return decode(literal).is_some_and(|name| names_a_secret(&name));
        }
        names_a_secret(literal.trim_matches('"'))
    }

    fn is_token_section(&self, key: Span) -> bool {
        let name = decode(key.of(self.text));
        self.is_document()
            && name.and_then(|name| Section::named(&name)).is_some_and(|section| section != Section::Account)
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

/// Whether a name, without its separators and in lower case, is one that secrets have.
fn names_a_secret(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "secret",
        "accesstoken",
        "refreshtoken",
        "idtoken",
        "password",
        "clientsecret",
        "sessionkey",
        "assertion",
        "clientassertion",
        "privatekey",
        "proofkey",
        "prt",
    ];
    const LONGEST: usize = 20;
    let letters = || name.bytes().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_lowercase());
    name.len() <= LONGEST && NAMES.iter().any(|secret| letters().eq(secret.bytes()))
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
