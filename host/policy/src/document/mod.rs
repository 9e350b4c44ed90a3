//! The policy as a TOML document. Each section is read by a file of its own; all problems are reported at once.

mod caches;
mod fields;
mod limits;
mod problems;
#[cfg(test)]
mod tests;

pub use problems::{PolicyError, Problem};

use toml::de::DeTable;

use crate::Policy;
use fields::Fields;
use problems::Problems;

pub(super) fn parse(text: &str) -> Result<Policy, PolicyError> {
    let problems = Problems::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(text.len(), |span| span.start);
        problems.add(at, "", error.message(), "");
    }
    // What could not be read would only be reported again, as missing.
    if !problems.is_empty() {
        return problems.into_result(Policy::default());
    }
    let mut root = Fields::root(table.into_inner(), &problems);
    let policy = Policy {
        caches: caches::read(&mut root),
        authorities: root.list("authorities").into_iter().filter_map(|host| host.parse(str::parse)).collect(),
        limits: limits::read(&mut root),
    };
    root.finish();
    problems.into_result(policy)
}
