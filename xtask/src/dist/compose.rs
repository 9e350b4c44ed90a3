//! Composes two components: the credential, with the adapter's exports as its imports.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use wasm_compose::composer::ComponentComposer;
use wasm_compose::config::Config;

use crate::component::world_of_bytes;

/// The component with its imports supplied by the adapter.
pub(super) fn compose(component: &Path, adapter: &Path) -> Result<Vec<u8>> {
    let config = Config { definitions: vec![adapter.to_path_buf()], ..Config::default() };
    let composed = ComponentComposer::new(component, &config).compose().context("composing with the adapter failed")?;
    let world = world_of_bytes(&composed)?;
    let own = |line: &&str| line.trim_start().starts_with("import azure-identity:");
    if let Some(line) = world.lines().find(own) {
        bail!("the composed component still has the line `{}`", line.trim());
    }
    Ok(composed)
}
