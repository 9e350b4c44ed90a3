//! The examples as they are in the tree.

use std::path::Path;

use anyhow::Result;
use shared_token_cache_interop::root;

use super::{Entry, for_all};
use crate::envoy::validate;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Entry] = &[("Envoy accepts the example as it is", for_all, is_valid)];

fn is_valid(stage: &mut Stage<'_>) -> Result<()> {
    validate(stage.programs, Path::new(stage.leg.example()), &root(), stage.home.path())
}
