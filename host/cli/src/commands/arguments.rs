//! The command line. Its names are a stable interface.

mod helpers;
mod http;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};
use shared_token_cache::policy::ProfileName;
use shared_token_cache_entra::cache::DEFAULT_NAME;

use super::presets::Preset;
use super::validity::Validity;
use crate::agent::{Group, Mode, TokenFile};
pub(super) use helpers::{DockerCredential, GitCredential, Helper, Links, Shim};
pub(super) use http::Http;
pub(super) use values::{Color, ErrorForm, ListForm, Socket, Sources, TokenForm, resource};
use values::{metrics_address, token_file};

/// Entra ID access tokens from this machine's sign-in, selected by a sandboxed component.
#[derive(Debug, Parser)]
#[command(name = "shared-token-cache", version, max_term_width = 100)]
pub(super) struct Arguments {
    /// When to colour text: `auto` does on a terminal, unless `NO_COLOR` is set.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(super) color: Color,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print an access token.
    GetToken(Box<GetToken>),
    /// List the accounts to choose from.
    Accounts(Box<Accounts>),
    /// Diagnose each source: its place, its content, and the next step. Prints no token.
    Doctor(Box<Doctor>),
    /// Check, print and describe policies.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Print whether this platform has a shared token cache. Reads nothing.
    Supported(Supported),
    /// Keep the tokens of a policy's profiles fresh for other processes, such as Envoy, until a signal ends it.
    Serve(Box<Serve>),
    /// Run a command whose Azure clients get tokens as from a managed identity, for as long as it runs.
    Run(Box<Run>),
    /// Answer git, as a credential helper for Azure DevOps.
    GitCredential(Box<GitCredential>),
    /// Answer container tools, as a credential helper for Azure Container Registry.
    DockerCredential(Box<DockerCredential>),
    /// Answer in the place of `az` and other tools, where these are asked for tokens.
    #[command(subcommand)]
    Shim(Shim),
    /// Show what this program does, with made-up accounts and without any network.
    Demo(Demo),
    /// Compile the component on stdin to stdout. For this program's own use, with `--component`.
    #[command(hide = true)]
    CompileComponent,
}

/// `get-token`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("wanted").args(["scopes", "resource", "preset", "profile"]).required(true)))]
pub(super) struct GetToken {
    /// Scope of the token, such as `https://vault.azure.net/.default`; may be given several times.
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(super) scopes: Vec<String>,

    /// Resource of the token in place of a scope, such as `https://vault.azure.net`; `/.default` is put behind it as it is.
    #[arg(long, value_name = "RESOURCE", value_parser = resource)]
    pub(super) resource: Option<String>,

    /// A known resource in place of a scope.
    #[arg(long, value_enum, value_name = "NAME")]
    pub(super) preset: Option<Preset>,

    /// Profile of the policy in place of a scope. It also says which source, account, tenant, client and authority are used.
    #[arg(long, value_name = "PROFILE", requires = "policy", conflicts_with_all = OF_PROFILES)]
    pub(super) profile: Option<ProfileName>,

    /// Username of the account to use.
    #[arg(long, env = "AZURE_USERNAME", value_name = "NAME")]
    pub(super) username: Option<String>,

    /// Home tenant of the account to use.
    #[arg(long, env = "AZURE_TENANT_ID", value_name = "TENANT")]
    pub(super) tenant_id: Option<String>,

    /// The account to use, as azure-identity's authentication record: a JSON file, `-` for stdin. Its authority and client
    /// are then asked.
    #[arg(long, value_name = "FILE")]
    pub(super) authentication_record: Option<PathBuf>,

    #[command(flatten)]
    pub(super) sign_in: SignIn,

    /// Claims that the token must satisfy, a JSON object; a cached token is then not used.
    #[arg(long, value_name = "JSON")]
    pub(super) claims: Option<String>,

    /// Tenant to ask, if not the configured one.
    #[arg(long, value_name = "TENANT")]
    pub(super) request_tenant: Option<String>,

    /// Tenant that may be asked besides the configured one, `*` for any; may be given several times.
    #[arg(long = "additionally-allowed-tenant", value_name = "TENANT")]
    pub(super) additionally_allowed_tenants: Vec<String>,

    /// Ask for a token under Continuous Access Evaluation; the shared cache keeps these apart.
    #[arg(long)]
    pub(super) enable_cae: bool,

    /// How long the token has to live at least, such as `60m`. A cached token that lives shorter is renewed; if the new one lives
    /// shorter as well, the command fails.
    #[arg(long, value_name = "DURATION")]
    pub(super) min_validity: Option<Validity>,

    /// Certificate authorities to trust besides the system's.
    #[arg(long, value_name = "PEM")]
    pub(super) ca_file: Option<PathBuf>,

    /// File to append a JSON line to for each request and denial. If it cannot be opened, no token is issued.
    #[arg(long, value_name = "FILE")]
    pub(super) audit: Option<PathBuf>,

    /// What to print.
    #[arg(long, value_enum, default_value_t = TokenForm::Json)]
    pub(super) output: TokenForm,

    /// Variable that `--output env` sets, in place of AZURE_ACCESS_TOKEN.
    #[arg(long, value_name = "NAME")]
    pub(super) variable: Option<String>,
}

/// Options that a profile sets, so `--profile` excludes them.
const OF_PROFILES: [&str; 8] = [
    "authentication_record",
    "claims",
    "request_tenant",
    "enable_cae",
    "additionally_allowed_tenants",
    "source",
    "cache_name",
    "client_id",
];

/// `accounts`.
#[derive(Debug, Args)]
pub(super) struct Accounts {
    #[command(flatten)]
    pub(super) sign_in: SignIn,

    /// What to print.
    #[arg(long, value_enum, default_value_t = ListForm::Text)]
    pub(super) output: ListForm,
}

/// `doctor`.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    pub(super) sign_in: SignIn,

    /// Certificate authorities to trust besides the system's.
    #[arg(long, value_name = "PEM")]
    pub(super) ca_file: Option<PathBuf>,

    /// What to print.
    #[arg(long, value_enum, default_value_t = ListForm::Text)]
    pub(super) output: ListForm,
}

/// `policy`.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Report every mistake in a policy document, with line and column. Exits with 2 if there is one.
    Check(CheckPolicy),
    /// Print the policy under which `get-token` would run with these options, as a document.
    Show(ShowPolicy),
    /// Print a JSON schema of policy documents, for editors.
    Schema,
}

/// `policy check`.
#[derive(Debug, Args)]
pub(super) struct CheckPolicy {
    /// The document; `-` is stdin.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,

    /// What to print.
    #[arg(long, value_enum, default_value_t = ListForm::Text)]
    pub(super) output: ListForm,
}

/// `policy show`.
#[derive(Debug, Args)]
pub(super) struct ShowPolicy {
    /// Whose sign-in would be used, as for `get-token`.
    #[arg(long, value_name = "SOURCE", default_value = "auto")]
    pub(super) source: Sources,

    /// Name of the shared cache.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAME)]
    pub(super) cache_name: String,

    /// Host of the authority; `AZURE_AUTHORITY_HOST` sets the default.
    #[arg(long, value_name = "HOST")]
    pub(super) authority: Option<String>,

    /// Policy in place of the built-in one; `-` is stdin.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "cache_name", "authority"])]
    pub(super) policy: Option<PathBuf>,
}

/// `serve`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("front").args(["sds", "token_files", "http"]).required(true).multiple(true)))]
pub(super) struct Serve {
    /// Policy with the profiles to serve, a TOML document; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(super) policy: PathBuf,

    /// Unix socket on which Envoy's Secret Discovery Service is served; its folder is made if it is missing.
    #[arg(long, value_name = "unix:PATH")]
    pub(super) sds: Option<Socket>,

    /// User who may connect to the sockets besides your own, by number; may be given several times.
    #[arg(long = "allow-uid", value_name = "UID")]
    pub(super) allow_uids: Vec<u32>,

    /// File that holds the bare token of a profile, and is empty while there is none; may be given several times.
    #[arg(long = "token-file", value_name = "PROFILE=PATH", value_parser = token_file)]
    pub(super) token_files: Vec<TokenFile>,

    /// Mode of the token files, in octal. Who may read them may use the tokens; no other user may write them.
    #[arg(long, value_name = "MODE", default_value = "0600", requires = "token_files")]
    pub(super) token_file_mode: Mode,

    /// Group of the token files, by name or number, such as that of a proxy's user; by default that of the agent. It reads them
    /// with `--token-file-mode 0640`.
    #[arg(long, value_name = "GROUP", requires = "token_files")]
    pub(super) token_file_group: Option<Group>,

    #[command(flatten)]
    pub(super) http: Http,

    /// Address at which numbers are served for Prometheus, such as `127.0.0.1:9464`; without a host, or as `localhost`, it is
    /// 127.0.0.1.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = metrics_address)]
    pub(super) metrics: Option<SocketAddr>,

    #[command(flatten)]
    pub(super) making: Making,

    /// File to append a JSON line to for each request and denial. If it cannot be opened, nothing is served.
    #[arg(long, value_name = "FILE")]
    pub(super) audit: Option<PathBuf>,
}

/// `run`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("tokens").args(["policy", "scopes"]).required(true)))]
pub(super) struct Run {
    /// Policy with profiles, a TOML document; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,

    /// Profile whose tokens the command may have; by default all of the policy; may be given several times.
    #[arg(long = "profile", value_name = "PROFILE", requires = "policy")]
    pub(super) profiles: Vec<ProfileName>,

    /// Scope that the command may have tokens for, under the built-in policy, such as `https://vault.azure.net/.default`; may be
    /// given several times.
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(super) scopes: Vec<String>,

    /// Whose sign-in to use with `--scope`, as for `get-token`.
    #[arg(long, value_name = "SOURCE", default_value = "auto", conflicts_with = "policy")]
    pub(super) source: Sources,

    /// Username of the account to use with `--scope`.
    #[arg(long, env = "AZURE_USERNAME", value_name = "NAME")]
    pub(super) username: Option<String>,

    #[command(flatten)]
    pub(super) making: Making,

    /// File to append a JSON line to for each request and denial. If it cannot be opened, the command does not run.
    #[arg(long, value_name = "FILE")]
    pub(super) audit: Option<PathBuf>,

    /// The command and its arguments.
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(super) command: Vec<OsString>,
}

/// How the credentials of profiles are made.
#[derive(Debug, Clone, Args)]
pub(super) struct Making {
    /// Host of the authority of profiles that name none; `AZURE_AUTHORITY_HOST` sets the default.
    #[arg(long, value_name = "HOST")]
    pub(super) authority: Option<String>,

    /// Certificate authorities to trust besides the system's.
    #[arg(long, value_name = "PEM")]
    pub(super) ca_file: Option<PathBuf>,

    /// Component to run in place of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(super) component: Option<PathBuf>,
}

/// `demo`.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Only make the demo's home folder here, with its made-up sign-in and a token that lives for an hour, to try other commands with.
    #[arg(long, value_name = "FOLDER")]
    pub(super) home: Option<PathBuf>,
}

/// `supported`.
#[derive(Debug, Args)]
pub(super) struct Supported {
    /// Component to run in place of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(super) component: Option<PathBuf>,
}

/// Where sign-ins are, and which of them count.
#[derive(Debug, Args)]
pub(super) struct SignIn {
    /// Whose sign-in to use: `shared` (Microsoft's developer tools), `azure-cli`, `file:PATH`, or `auto`: the first of shared and
    /// azure-cli that has one.
    #[arg(long, value_name = "SOURCE", default_value = "auto")]
    pub(super) source: Sources,

    /// Name of the shared cache.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAME)]
    pub(super) cache_name: String,

    /// Host of the authority; `AZURE_AUTHORITY_HOST` sets the default.
    #[arg(long, value_name = "HOST")]
    pub(super) authority: Option<String>,

    /// Client (application) id to ask with; by default the Azure CLI's.
    #[arg(long, value_name = "ID")]
    pub(super) client_id: Option<String>,

    /// Policy in place of the built-in one, a TOML document; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,

    /// Component to run in place of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(super) component: Option<PathBuf>,
}

impl Command {
    pub(super) fn error_form(&self) -> ErrorForm {
        let json = match self {
            Self::GetToken(arguments) => arguments.output == TokenForm::Json,
            Self::Accounts(arguments) => arguments.output == ListForm::Json,
            Self::Doctor(arguments) => arguments.output == ListForm::Json,
            Self::Policy(PolicyCommand::Check(arguments)) => arguments.output == ListForm::Json,
            Self::Policy(PolicyCommand::Show(_) | PolicyCommand::Schema)
            | Self::Supported(_)
            | Self::Serve(_)
            | Self::Run(_)
            | Self::GitCredential(_)
            | Self::DockerCredential(_)
            | Self::Shim(_)
            | Self::Demo(_)
            | Self::CompileComponent => false,
        };
        if json { ErrorForm::Json } else { ErrorForm::Text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }
}
