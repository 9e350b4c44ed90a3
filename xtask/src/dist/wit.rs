//! The contract as a binary WIT package, the format of registries, and its compatibility check.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use wit_component::{OutputToString, WitPrinter, semver_check};
use wit_parser::{PackageId, Resolve};

use crate::run::{root, say};

/// The package as bytes.
pub(super) fn package() -> Result<Vec<u8>> {
    let (resolve, package) = read(&root().join("wit"))?;
    wit_component::encode(&resolve, package)
}

/// The package as one text.
pub(crate) fn text() -> Result<String> {
    let (resolve, package) = read(&root().join("wit"))?;
    let mut printer = WitPrinter::new(OutputToString::default());
    printer.print(&resolve, package, &[])?;
    Ok(printer.output.to_string())
}

/// Compares the contract with the last one that was released under a compatible version.
pub(crate) fn check_against_released() -> Result<()> {
    let (_, version) = newest_released()?;
    let (resolve, package) = read(&root().join("wit"))?;
    let now = version_of(&resolve, package)?;
    if !is_compatible(&version, &now) {
        say(&format!("the contract is version {now}, so it need not keep what {version} promised"));
        return Ok(());
    }
    for world in ["plugin", "adapter"] {
        compare(world).with_context(|| {
            format!("the world `{world}` is not what version {version} promised; a change that breaks needs a new version in wit/world.wit")
        })?;
    }
    say(&format!("the contract keeps what version {version} promised"));
    Ok(())
}

/// Whether a component of either version must work with a host of the other.
fn compare(world: &str) -> Result<()> {
    let mut resolve = Resolve::default();
    let (released, _) = resolve.push_dir(newest_released()?.0)?;
    let previous = resolve.select_world(&[released], Some(world))?;
    let mut current = Resolve::default();
    let (package, _) = current.push_dir(root().join("wit"))?;
    let world = current.select_world(&[package], Some(world))?;
    let remap = resolve.merge(current)?;
    let world = remap.map_world(world, Default::default())?;
    semver_check(resolve, previous, world)
}

fn newest_released() -> Result<(PathBuf, String)> {
    let folder = root().join("wit/released");
    let mut versions = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{} can't be read", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let parts: Result<Vec<u64>, _> = name.split('.').map(str::parse).collect();
        versions.push((parts.with_context(|| format!("wit/released/{name} is not a version"))?, name));
    }
    let (_, newest) = versions.into_iter().max().context("wit/released is empty")?;
    Ok((folder.join(&newest), newest))
}

fn version_of(resolve: &Resolve, package: PackageId) -> Result<String> {
    let package = resolve.packages.get(package).context("the package is not there")?;
    Ok(package.name.version.as_ref().context("the package has no version")?.to_string())
}

/// Semantic versioning: the first number that is not 0 decides.
fn is_compatible(one: &str, other: &str) -> bool {
    let significant = |version: &str| {
        let parts: Vec<_> = version.split('.').map(str::to_owned).collect();
        let length = parts.iter().position(|part| part != "0").map_or(parts.len(), |position| position + 1);
        parts.into_iter().take(length).collect::<Vec<_>>()
    };
    significant(one) == significant(other)
}

fn read(folder: &Path) -> Result<(Resolve, PackageId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder)?;
    if resolve.packages.len() != 1 {
        bail!("the contract is one package");
    }
    Ok((resolve, package))
}

#[cfg(test)]
mod tests {
    use super::is_compatible;

    #[test]
    fn the_first_number_that_is_not_zero_tells() {
        for (one, other, compatible) in [
            ("0.1.0", "0.1.0", true),
            ("0.1.0", "0.1.7", true),
            ("0.1.0", "0.2.0", false),
            ("1.2.0", "1.9.0", true),
            ("1.2.0", "2.0.0", false),
            ("0.0.1", "0.0.2", false),
        ] {
            assert_eq!(is_compatible(one, other), compatible, "{one} {other}");
        }
    }
}
