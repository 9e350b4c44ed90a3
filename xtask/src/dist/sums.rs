//! `SHA256SUMS`, as `sha256sum --check` reads it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;
use sha2::{Digest as _, Sha256};

pub(super) const FILE: &str = "SHA256SUMS";

/// Writes the sum of every file in the folder.
pub(super) fn write(folder: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| name != FILE);
    names.sort_unstable();
    let mut text = String::new();
    for name in names {
        let sum = Sha256::digest(fs::read(folder.join(&name))?);
        let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(text, "{hex}  {name}")?;
    }
    Ok(fs::write(folder.join(FILE), text)?)
}
