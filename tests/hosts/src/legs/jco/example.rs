//! What users of the example rely on, besides the scenarios.

use anyhow::Result;

use super::node::Node;
use crate::scene::Components;

pub(super) fn checks(_node: &Node, _components: &Components) -> Vec<(&'static str, Result<()>)> {
    Vec::new()
}
