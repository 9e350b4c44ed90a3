//! A component's metadata: the custom sections that registries read (`wkg`, `wasm-tools metadata`).

use anyhow::Result;
use wasm_encoder::{ComponentSection as _, CustomSection};
use wasm_metadata::{AddMetadata, AddMetadataField};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const LICENCES: &str = env!("CARGO_PKG_LICENSE");
const SOURCE: &str = env!("CARGO_PKG_REPOSITORY");

/// A component's name and description.
pub(super) struct About {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
}

impl About {
    /// The component with this metadata, and that of the workspace.
    pub(super) fn add_to(&self, component: &[u8]) -> Result<Vec<u8>> {
        let mut named = AddMetadata::default();
        named.name = AddMetadataField::Set(self.name.to_owned());
        let mut bytes = named.to_wasm(component)?;
        let facts =
            [("version", VERSION), ("description", self.description), ("licenses", LICENCES), ("source", SOURCE)];
        for (name, fact) in facts.into_iter().filter(|(_, fact)| !fact.is_empty()) {
            CustomSection { name: name.into(), data: fact.as_bytes().into() }.append_to_component(&mut bytes);
        }
        Ok(bytes)
    }
}
