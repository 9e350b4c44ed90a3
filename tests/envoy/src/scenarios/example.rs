//! The examples as they are in the tree.

use std::fs;

use anyhow::Result;
use shared_token_cache_interop::root;

use super::{Entry, for_all};
use crate::envoy::validate;
use crate::stage::Stage;
use crate::trial::{POLICY, POLICY_OF_USERS};

pub(super) const SCENARIOS: &[Entry] = &[("Envoy accepts the example as it is", for_all, is_valid)];

fn is_valid(stage: &mut Stage<'_>) -> Result<()> {
    let mut example = root().join(stage.leg.example());
    let text = fs::read_to_string(&example)?;
    // The module wants the policy there, and it is not this suite's to write to `/etc`.
    if text.contains(POLICY_OF_USERS) {
        example = stage.place.folder.join("example.yaml");
        fs::write(&example, text.replace(POLICY_OF_USERS, &root().join(POLICY).display().to_string()))?;
    }
    validate(stage.programs, &example, &root(), stage.home.path())
}
