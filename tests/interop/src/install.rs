//! Installing hosts: pinned versions with hashes, into `target/interop/hosts`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::process::output;
use crate::root;

const PATIENCE: Duration = Duration::from_secs(600);

/// The folder below which a host of this name is installed.
pub fn folder(name: &str) -> PathBuf {
    root().join("target/interop/hosts").join(name)
}

/// The Python of a virtual environment with the packages that `requirements` pins.
pub fn python(name: &str, requirements: &Path) -> Result<PathBuf> {
    let folder = folder(name);
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let wanted = fs::read_to_string(requirements).with_context(|| requirements.display().to_string())?;
    once(&folder, &wanted, || {
        let base = if cfg!(windows) { "python" } else { "python3" };
        output(Command::new(base).args(["-m", "venv", "--clear"]).arg(&folder), PATIENCE)
            .context("no virtual environment can be made")?;
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement"];
        output(Command::new(&python).args(pip).arg(requirements), PATIENCE).context("pip can't install the host")?;
        Ok(())
    })?;
    Ok(python)
}

/// The folder of an installed package of this Python.
pub fn package(python: &Path, name: &str) -> Result<PathBuf> {
    let code = format!("import pathlib, {name}; print(pathlib.Path({name}.__file__).parent)");
    Ok(PathBuf::from(output(Command::new(python).args(["-c", &code]), PATIENCE)?.trim()))
}

/// A program of a Python package. Some wheels ship theirs without the executable bit.
pub fn program(python: &Path, package: &str, name: &str) -> Result<PathBuf> {
    let path = self::package(python, package)?.join(name);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = fs::metadata(&path).with_context(|| path.display().to_string())?.permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(permissions.mode() | 0o700))?;
    }
    Ok(path)
}

/// A folder in which `npm ci` has installed what the `package-lock.json` of `source` pins.
pub fn node_modules(name: &str, source: &Path) -> Result<PathBuf> {
    let folder = folder(name);
    let lock = source.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).with_context(|| lock.display().to_string())?;
    once(&folder, &wanted, || {
        fs::create_dir_all(&folder)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(source.join(file), folder.join(file))?;
        }
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        output(
            Command::new(npm).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder),
            PATIENCE,
        )
        .context("npm can't install the host")?;
        Ok(())
    })?;
    Ok(folder)
}

/// Installs unless the same version is installed already.
pub fn once(folder: &Path, wanted: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let mark = folder.join("installed");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    Ok(fs::write(mark, wanted)?)
}
