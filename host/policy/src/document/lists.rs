//! Lists of texts: `authorities`, `scopes` and the like.

use std::fmt::Display;
use std::str::FromStr;

use super::fields::Fields;
use super::print::Printer;
use crate::InvalidValue;

pub(super) fn read<T: FromStr<Err = InvalidValue>>(root: &mut Fields<'_, '_>, name: &'static str) -> Vec<T> {
    root.list(name).into_iter().filter_map(|item| item.parse(str::parse)).collect()
}

/// [`read`], with doubts about some of the texts.
pub(super) fn read_doubtful<T: FromStr<Err = InvalidValue>>(
    root: &mut Fields<'_, '_>,
    name: &'static str,
    doubt: fn(&str) -> Option<InvalidValue>,
) -> Vec<T> {
    let items = root.list(name).into_iter();
    items.inspect(|item| item.doubt(doubt)).filter_map(|item| item.parse(str::parse)).collect()
}

pub(super) fn print<T: Display>(name: &str, items: &[T], to: &mut Printer) {
    if !items.is_empty() {
        to.texts(name, items);
    }
}
