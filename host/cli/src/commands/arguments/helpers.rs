//! `git-credential`, `docker-credential` and `shim`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SignIn;

/// `git-credential`.
#[derive(Debug, Args)]
pub(in crate::commands) struct GitCredential {
    #[command(flatten)]
    pub(in crate::commands) with: Helper,

    /// What git asks for: `get`, `store` or `erase`. The last two do nothing.
    #[arg(value_name = "OPERATION")]
    pub(in crate::commands) operation: String,
}

/// `docker-credential`.
#[derive(Debug, Args)]
pub(in crate::commands) struct DockerCredential {
    #[command(flatten)]
    pub(in crate::commands) with: Helper,

    /// What the tool asks for: `get`, `list` or `erase`. The last one does nothing.
    #[arg(value_name = "OPERATION")]
    pub(in crate::commands) operation: String,
}

/// Whose token a helper gives.
#[derive(Debug, Args)]
pub(in crate::commands) struct Helper {
    /// Username of the account to use.
    #[arg(long, env = "AZURE_USERNAME", value_name = "NAME")]
    pub(in crate::commands) username: Option<String>,

    /// Tenant to ask, if not the account's.
    #[arg(long, value_name = "TENANT")]
    pub(in crate::commands) request_tenant: Option<String>,

    #[command(flatten)]
    pub(in crate::commands) sign_in: SignIn,

    /// Certificate authorities to trust besides the system's.
    #[arg(long, value_name = "PEM")]
    pub(in crate::commands) ca_file: Option<PathBuf>,

    /// File to append a JSON line to for each request and denial. If it cannot be opened, no token is issued.
    #[arg(long, value_name = "FILE")]
    pub(in crate::commands) audit: Option<PathBuf>,
}

/// `shim`.
#[derive(Debug, Subcommand)]
pub(in crate::commands) enum Shim {
    /// Link the names of tools to this program in a folder. A file that is not a link to this program stays, and ends the command.
    Install(Links),
    /// Remove the links to this program from a folder.
    Remove(Folder),
}

/// `shim install`.
#[derive(Debug, Args)]
pub(in crate::commands) struct Links {
    #[command(flatten)]
    pub(in crate::commands) folder: Folder,

    /// Names to link: `az`, `azd`, `azure-auth-helper`, `ado-auth-helper`, `git-credential-stc`, `docker-credential-stc`, `stc-PRESET`
    /// or `stc-PROFILE`.
    #[arg(value_name = "NAME", default_values_t = ["az".to_owned(), "azd".to_owned()])]
    pub(in crate::commands) names: Vec<String>,
}

/// The folder of the links.
#[derive(Debug, Args)]
pub(in crate::commands) struct Folder {
    /// Folder of the links. Callers find them when it comes first in PATH.
    #[arg(long = "dir", value_name = "FOLDER")]
    pub(in crate::commands) path: PathBuf,
}
