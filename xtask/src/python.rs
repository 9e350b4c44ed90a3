//! The peers of the interop tests: virtual environments below `target`, created on demand.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run::{output, root, say};

/// The versions that the tests were written against.
const AZURE_IDENTITY: &[&str] = &["azure-identity==1.27.0", "msal==1.39.0", "msal-extensions==1.3.1"];
/// With the versions of [`AZURE_IDENTITY`].
const AZURE_STORAGE: &[&str] = &["azure-identity==1.27.0", "msal==1.39.0", "azure-storage-blob==12.31.1"];
const PORTALOCKER: &[&str] = &["msal==1.39.0", "msal-extensions[portalocker]==1.3.1", "portalocker==3.2.0"];
const RECIPES: &[&str] = &["azure-identity==1.27.0", "msal==1.39.0", "PyYAML==6.0.3"];
const WHOLE_AZURE_CLI: &[&str] = &["azure-cli==2.91.0"];
const AZURE_CLI: &[&str] = &["azure-cli-core==2.91.0"];

pub(crate) const BASE: &str = if cfg!(windows) { "python" } else { "python3" };

/// The Python of the system's PyGObject packages.
const SYSTEM: &str = "/usr/bin/python3";
const LIBSECRET: &str = "import gi; gi.require_version('Secret', '1'); from gi.repository import Secret";

/// The tests' Pythons, each under its environment variable. A missing one is printed, and its tests
/// are listed as ignored.
pub(crate) fn peers() -> Vec<(&'static str, PathBuf)> {
    let all = [
        ("AZURE_IDENTITY_PYTHON", with_azure_identity(), "real MSAL and azure-identity"),
        ("KEYRING_PYTHON", with_keyring(), "real azure-identity on a real keyring"),
        ("AZURE_CLI_PYTHON", with_azure_cli(), "the core of the real Azure CLI"),
        ("MSAL_PYTHON", with_portalocker(), "real MSAL and its lock by portalocker"),
        // azure-identity does not depend on portalocker.
        ("MSAL_PYTHON_WITHOUT_PORTALOCKER", with_azure_identity(), "real MSAL and its own lock"),
    ];
    let mut found = Vec::new();
    for (variable, python, what) in all {
        match python {
            Ok(python) => found.push((variable, python)),
            Err(why) => say(&format!("skipped: the tests against {what}, because {why:#}")),
        }
    }
    found
}

/// A Python with azure-identity.
pub(crate) fn with_azure_identity() -> Result<PathBuf> {
    environment("python", BASE, &[], "import azure.identity, msal_extensions", AZURE_IDENTITY)
}

/// A Python with azure-identity and azure-storage-blob.
pub(crate) fn with_azure_storage() -> Result<PathBuf> {
    environment("sandbox", BASE, &[], "import azure.identity, azure.storage.blob", AZURE_STORAGE)
}

/// A Python with azure-identity and libsecret's bindings, on a machine where a keyring can be
/// started.
fn with_keyring() -> Result<PathBuf> {
    if !cfg!(target_os = "linux") {
        bail!("only Linux has the Secret Service");
    }
    for (program, package) in [("dbus-daemon", "dbus"), ("gnome-keyring-daemon", "gnome-keyring")] {
        if !is_in_path(program) {
            bail!("there is no {program} in PATH (Debian: apt-get install {package})");
        }
    }
    if output(Command::new(SYSTEM).args(["-c", LIBSECRET])).is_err() {
        bail!("{SYSTEM} has no gi with libsecret (Debian: apt-get install python3-gi gir1.2-secret-1)");
    }
    let imports = format!("import azure.identity, msal_extensions; {LIBSECRET}");
    environment("keyring", SYSTEM, &["--system-site-packages"], &imports, AZURE_IDENTITY)
}

/// A Python with MSAL and portalocker, for its lock.
fn with_portalocker() -> Result<PathBuf> {
    environment("portalocker", BASE, &[], "import msal_extensions, portalocker", PORTALOCKER)
}

/// A Python with the core of the Azure CLI.
fn with_azure_cli() -> Result<PathBuf> {
    environment("azure-cli", BASE, &[], "import azure.cli.core.auth.identity", AZURE_CLI)
}

/// A Python with azure-identity and a parser of YAML.
pub(crate) fn with_recipes() -> Result<PathBuf> {
    environment("recipes", BASE, &[], "import azure.identity, yaml, tomllib", RECIPES)
}

/// A Python with the whole Azure CLI: 700 MB, installed in some two minutes.
pub(crate) fn with_whole_azure_cli() -> Result<PathBuf> {
    environment("whole-azure-cli", BASE, &[], "import azure.cli.__main__, azure.mgmt.resource", WHOLE_AZURE_CLI)
}

/// A virtual environment in which `imports` works; otherwise created with the Python `base` and
/// filled with `packages`.
fn environment(name: &str, base: &str, options: &[&str], imports: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = root().join("target/interop").join(name);
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if output(Command::new(&python).args(["-c", imports])).is_ok() {
        return Ok(python);
    }
    say(&format!("installing {} into target/interop/{name}", packages.join(" ")));
    output(Command::new(base).args(["-m", "venv"]).args(options).arg(&folder))
        .context("no virtual environment can be made")?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    output(Command::new(&python).args(pip).args(packages))
        .with_context(|| format!("{} can't be installed", packages.join(" ")))?;
    output(Command::new(&python).args(["-c", imports])).context("what was installed can't be used")?;
    Ok(python)
}

pub(crate) fn is_in_path(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}
