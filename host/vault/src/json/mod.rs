//! JSON as the guest's parser understands it, without a tree: where strings, numbers and containers stand, and nothing else.
//!
//! The guest reads with `serde_json`'s raw values, which check the grammar and no more: a number may be of any size, nesting of
//! any depth. This walker takes exactly the same texts, because a text that one side takes and the other refuses would be
//! reported with a wrong place.

mod members;
mod text;
mod walk;

pub(crate) use members::{Member, Object, is_space};
pub(crate) use text::{decode, decode_secret, seconds};
pub(crate) use walk::{Event, Halt, Visitor, walk};

/// Spaces that JSON allows between tokens.
pub(crate) const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];
