//! The positions of the secrets in a JSON text, and the fields of the entries around them.

mod builder;
mod entry;

pub(crate) use entry::{Entry, Field};

use crate::json::{Halt, walk};
use builder::Builder;

/// A range of the text. 32 bits are enough, as no document has 4 GiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The position of a secret value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    /// The value, with its quotes or brackets.
    pub(crate) value: Span,
    /// The kind of token, if the value is a member of the root object.
    pub(crate) top_level: Option<TopLevel>,
    /// The number of the entry of a known section whose `secret` it is.
    pub(crate) entry: Option<u32>,
}

/// Members of a token response that hold secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopLevel {
    Access,
    Refresh,
    Id,
}

/// The schema of a text, which decides which values are secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Document,
    Reply,
}

/// Secrets and entries of a text.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) spots: Vec<Spot>,
    pub(crate) entries: Vec<Entry>,
    /// Keys and values outside of secrets that `watch` reports, because the text must not repeat
    /// them.
    pub(crate) watched: Vec<Span>,
    /// The number of the first entry of the last section of accounts. Parsers use the last section.
    pub(crate) first_account: usize,
}

/// Why a text has no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoIndex {
    NotAnObject,
    /// There are more secrets or entries than in any cache.
    TooMany,
}

impl Index {
    /// Indexes `text`. `watch` is called with every key and value outside of secrets, as JSON
    /// literals.
    pub(crate) fn of(text: &str, shape: Shape, watch: Option<&dyn Fn(&str) -> bool>) -> Result<Self, NoIndex> {
        let mut builder = Builder::new(text, shape, watch);
        match walk(text, &mut builder) {
            Ok(()) => Ok(builder.finish()),
            Err(Halt::NotAnObject) => Err(NoIndex::NotAnObject),
            Err(Halt::Stopped(why)) => Err(why),
        }
    }
}
