//! Where the secrets of a JSON text stand, and what the entries around them say.

mod builder;
mod entry;

pub(crate) use entry::{Entry, Field};

use crate::json::{Halt, walk};
use builder::Builder;

/// A piece of the text. Four bytes an end are enough, as no document has 4 GiB.
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

/// A value in a secret's place: the value of a member that is named as secrets are, wherever it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    /// The value, with its quotes or brackets.
    pub(crate) value: Span,
    /// The member of the root object that the value is.
    pub(crate) top_level: Option<TopLevel>,
    /// The number of the entry whose own `secret` it is, for entries of known sections.
    pub(crate) entry: Option<u32>,
}

/// Members of a token response that hold secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopLevel {
    Access,
    Refresh,
    Id,
}

/// What kind of text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Document,
    Reply,
}

/// Places and entries of a text.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) spots: Vec<Spot>,
    pub(crate) entries: Vec<Entry>,
    /// Keys and values in no secret's place that `watch` takes for something that must not be there.
    pub(crate) watched: Vec<Span>,
    /// The number of the first entry of the last section of accounts, which is the one that counts.
    pub(crate) first_account: usize,
}

/// Why a text has no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoIndex {
    NotAnObject,
    /// More places or entries than any cache has.
    TooMany,
}

impl Index {
    /// Reads `text`. `watch` is asked about every key and value that is in no secret's place, as it is written.
    pub(crate) fn of(text: &str, shape: Shape, watch: Option<&dyn Fn(&str) -> bool>) -> Result<Self, NoIndex> {
        let mut builder = Builder::new(text, shape, watch);
        match walk(text, &mut builder) {
            Ok(()) => Ok(builder.finish()),
            Err(Halt::NotAnObject) => Err(NoIndex::NotAnObject),
            Err(Halt::Stopped(why)) => Err(why),
        }
    }
}
