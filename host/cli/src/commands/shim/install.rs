//! `shim install` and `shim remove`: links to this program in the user's folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::commands::arguments::{Links, Shim};
use crate::commands::called::is_a_name;
use crate::commands::output::{Failure, print};

/// Creates or removes the links.
pub(in crate::commands) fn run(arguments: &Shim) -> Result<ExitCode, Failure> {
    if cfg!(not(unix)) {
        return Err(Failure::invalid("on this system copy the program under the names of the tools"));
    }
    let program = std::env::current_exe().and_then(|path| path.canonicalize()).map_err(Failure::other)?;
    match arguments {
        Shim::Install(links) => install(&program, links)?,
        Shim::Remove(folder) => remove(&program, &folder.path)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn install(program: &Path, Links { folder, names }: &Links) -> Result<(), Failure> {
    let folder = &folder.path;
    let cannot = |path: &Path, why: &dyn std::fmt::Display| {
        Failure::other(anyhow::anyhow!("cannot link {}: {why}", path.display()))
    };
    if let Some(name) = names.iter().find(|name| !is_a_name(name)) {
        return Err(Failure::invalid_with_hint(
            format!("this program answers to no name {name:?}"),
            "see `shim install --help`",
        ));
    }
    std::fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    // All paths are checked first, so that either all links are created or none.
    let mut missing = Vec::new();
    let names: BTreeSet<_> = names.iter().collect();
    for path in names.into_iter().map(|name| folder.join(name)) {
        match path.symlink_metadata() {
            Ok(_) if is_left(program, &path) => missing.push(path),
            Ok(_) if is_ours(program, &path) => {}
            Ok(_) => return Err(cannot(&path, &"another file is there; choose another folder or remove it")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => missing.push(path),
            Err(error) => return Err(cannot(&path, &error)),
        }
    }
    for path in missing {
        if is_left(program, &path) {
            std::fs::remove_file(&path).map_err(|error| cannot(&path, &error))?;
        }
        link(program, &path).map_err(|error| cannot(&path, &error))?;
        print(&format!("linked {}", path.display()))?;
    }
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
    let first = std::env::var_os("PATH").and_then(|path| std::env::split_paths(&path).next());
    if first.as_deref() != Some(&*absolute) {
        print(&format!(
            "callers find the links when the folder is first in PATH: export PATH=\"{}:$PATH\"",
            absolute.display()
        ))?;
    }
    Ok(())
}

fn remove(program: &Path, folder: &Path) -> Result<(), Failure> {
    let cannot = |path: &Path, why: &dyn std::fmt::Display| {
        Failure::other(anyhow::anyhow!("cannot remove the links in {}: {why}", path.display()))
    };
    let entries = std::fs::read_dir(folder).map_err(|error| cannot(folder, &error))?;
    let mut links: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    links.retain(|path| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(is_a_name) && is_ours(program, path)
    });
    links.sort();
    for path in links {
        std::fs::remove_file(&path).map_err(|error| cannot(&path, &error))?;
        print(&format!("removed {}", path.display()))?;
    }
    Ok(())
}

/// Whether a path is a link to this program, or to a place that it has left.
fn is_ours(program: &Path, path: &Path) -> bool {
    path.is_symlink() && path.canonicalize().is_ok_and(|target| target == program) || is_left(program, path)
}

/// Whether a path is a link to a place where a program of this name is no more.
fn is_left(program: &Path, path: &Path) -> bool {
    let target = path.read_link();
    let is_missing = path.metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    is_missing && target.is_ok_and(|target| target.file_name().is_some() && target.file_name() == program.file_name())
}

#[cfg(unix)]
fn link(program: &Path, path: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(program, path)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
