//! The published files: `cargo xtask dist` writes them to `target/dist`.

mod compose;
mod materials;
mod metadata;
mod sums;
mod wit;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::component;
use crate::run::{root, say};
use metadata::About;
pub(crate) use wit::{check_against_released, text as wit_text};

/// The component alone, for hosts that supply its imports.
pub(crate) const BARE: &str = "shared-token-cache.wasm";
/// Its imports on WASI 0.2, for hosts that link components.
pub(crate) const ADAPTER: &str = "shared-token-cache-wasi-adapter.wasm";
/// Both in one, for every other WASI 0.2 host.
pub(crate) const COMPOSED: &str = "shared-token-cache-wasi.wasm";

/// Builds all published files; returns their folder.
pub(crate) fn dist() -> Result<PathBuf> {
    let folder = root().join("target/dist");
    fs::create_dir_all(&folder)?;
    let (bare, adapter) = (component::build()?, component::build_adapter()?);
    let about = |name, description| About { name, description };
    let bare_about = about("shared-token-cache", "Entra ID access tokens from the sign-in on this machine");
    let adapter_about = about("shared-token-cache-wasi-adapter", "The imports of shared-token-cache on WASI 0.2");
    let composed_about =
        about("shared-token-cache-wasi", "Entra ID access tokens from a sign-in's folder, on WASI 0.2");
    write(&folder, BARE, &bare_about.add_to(&read(&bare)?)?)?;
    write(&folder, ADAPTER, &adapter_about.add_to(&read(&adapter)?)?)?;
    write(&folder, COMPOSED, &composed_about.add_to(&compose::compose(&bare, &adapter)?)?)?;
    write(&folder, "shared-token-cache-wit.wasm", &wit::package()?)?;
    for (name, text) in materials::bills()? {
        write(&folder, &name, text.as_bytes())?;
    }
    sums::write(&folder)?;
    Ok(folder)
}

/// Builds all published files, and lists them.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub(crate) fn print() -> Result<()> {
    let folder = dist()?;
    print!("{}", fs::read_to_string(folder.join(sums::FILE))?);
    for name in [BARE, ADAPTER, COMPOSED] {
        println!("{:>9} bytes  {name}", fs::metadata(folder.join(name))?.len());
    }
    say(&format!("{} holds what is published", folder.display()));
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} can't be read", path.display()))
}

fn write(folder: &Path, name: &str, content: &[u8]) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, content).with_context(|| format!("{} can't be written", path.display()))
}
