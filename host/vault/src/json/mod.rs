//! JSON as the component's parser understands it, without a tree: the positions of strings, numbers
//! and containers.
//!
//! The component reads with `serde_json`'s raw values, which check the grammar only: a number may
//! have any size, nesting any depth. This walker accepts exactly the same texts. If it differed,
//! damage would be reported at a wrong place.

mod members;
mod text;
mod walk;

pub(crate) use members::{Member, Object, is_space};
pub(crate) use text::{decode, decode_secret, seconds};
pub(crate) use walk::{Event, Halt, Visitor, walk};

/// White space between JSON tokens.
pub(crate) const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];
