//! The command line. Its names are a stable interface.

mod helpers;
mod http;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use shared_token_cache::policy::{InvalidValue, ProfileName, Source};
use shared_token_cache_entra::cache::DEFAULT_NAME;

use super::presets::Preset;
use super::validity::Validity;
use crate::agent::{Group, Mode, TokenFile};
pub(super) use helpers::{DockerCredential, GitCredential, Helper, Links, Shim};
pub(super) use http::Http;

/// Entra ID access tokens from the sign-in that this machine already has, decided on in a sandbox.
#[derive(Debug, Parser)]
#[command(name = "shared-token-cache", version, max_term_width = 100)]
pub(super) struct Arguments {
    /// When to colour text: `auto` does on a terminal, unless `NO_COLOR` is set.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(super) color: Color,

    #[command(subcommand)]
    pub(super) command: Command,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Reads `--color` without parsing the command line, which may be invalid as a whole.
    pub(super) fn asked_for(arguments: &[OsString]) -> Self {
        let forms = [("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
        let is = |word: &str| {
            arguments.windows(2).any(|pair| pair == ["--color", word])
                || arguments.iter().any(|argument| argument == format!("--color={word}").as_str())
        };
        forms.into_iter().find(|(word, _)| is(word)).map_or(Self::Auto, |(_, color)| color)
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print an access token.
    GetToken(Box<GetToken>),
    /// List the accounts to choose from.
    Accounts(Box<Accounts>),
    /// Say what is found where, and what to do next. Shows no token.
    Doctor(Box<Doctor>),
    /// Check, print and describe policies.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Say whether this platform has a shared token cache. Reads nothing.
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
    #[arg(long, value_name = "RESOURCE")]
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

    /// File to append a JSON line to, about who got which token or why not. Without it being open there is no token.
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
    /// Say all that is wrong with a policy document, with line and column. Exits with 2 when something is.
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

    /// Host of the authority of profiles that name none; `AZURE_AUTHORITY_HOST` sets the default.
    #[arg(long, value_name = "HOST")]
    pub(super) authority: Option<String>,

    /// Certificate authorities to trust besides the system's.
    #[arg(long, value_name = "PEM")]
    pub(super) ca_file: Option<PathBuf>,

    /// File to append a JSON line to, about who got which token or why not. Without it being open nothing is served.
    #[arg(long, value_name = "FILE")]
    pub(super) audit: Option<PathBuf>,

    /// Component to run in place of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(super) component: Option<PathBuf>,
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

    /// Host of the authority of profiles that name none; `AZURE_AUTHORITY_HOST` sets the default.
    #[arg(long, value_name = "HOST")]
    pub(super) authority: Option<String>,

    /// Certificate authorities to trust besides the system's.
    #[arg(long, value_name = "PEM")]
    pub(super) ca_file: Option<PathBuf>,

    /// File to append a JSON line to, about who got which token or why not. Without it being open the command does not run.
    #[arg(long, value_name = "FILE")]
    pub(super) audit: Option<PathBuf>,

    /// Component to run in place of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub(super) component: Option<PathBuf>,

    /// The command and its arguments.
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(super) command: Vec<OsString>,
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

/// `--source`.
#[derive(Debug, Clone)]
pub(super) struct Sources(pub(super) Vec<Source>);

impl FromStr for Sources {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self(vec![Source::Shared, Source::AzureCli]));
        }
        let source =
            match text.parse().map_err(|problem: InvalidValue| format!("{problem}, or `auto` for the first two"))? {
                Source::File(path) => Source::File(std::path::absolute(path).map_err(|error| error.to_string())?),
                source => source,
            };
        Ok(Self(vec![source]))
    }
}

/// `--sds`: the path of a socket.
#[derive(Debug, Clone)]
pub(super) struct Socket(pub(super) PathBuf);

impl FromStr for Socket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            _ if cfg!(not(unix)) => Err("there are no Unix sockets here; use --token-file".into()),
            Some(path) if !path.is_empty() => Ok(Self(path.strip_prefix("//").unwrap_or(path).into())),
            Some(_) | None => Err("write it as `unix:` and the path of a socket".into()),
        }
    }
}

fn metrics_address(text: &str) -> Result<SocketAddr, String> {
    let on_loopback = match text.strip_prefix("localhost").unwrap_or(text).strip_prefix(':') {
        Some(port) if !port.contains(':') => Some(format!("127.0.0.1:{port}")),
        Some(_) | None => None,
    };
    let address = on_loopback.as_deref().unwrap_or(text).parse();
    address.map_err(|_| "write it as an address and a port, such as 127.0.0.1:9464 or [::1]:9464".to_owned())
}

fn token_file(text: &str) -> Result<TokenFile, String> {
    match text.split_once('=') {
        Some((profile, path)) if !path.is_empty() => {
            Ok(TokenFile { profile: profile.parse::<ProfileName>()?, path: path.into() })
        }
        Some(_) | None => Err("write it as the profile's name, `=`, and a path".into()),
    }
}

/// How a token is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TokenForm {
    /// A JSON object; errors are JSON objects too.
    Json,
    /// The bare token.
    Token,
    /// The bare token as JSON.
    #[value(skip)]
    Quoted,
    /// An HTTP header field: `Authorization: Bearer …`.
    Header,
    /// A JSON object whose values are all strings, as the data source `external` of Terraform reads it.
    #[value(alias = "terraform")]
    Strings,
    /// What `az account get-access-token` prints.
    Az,
    /// What `azd auth token --output json` prints.
    Azd,
    /// What an exec plugin of kubectl prints, in the version that KUBERNETES_EXEC_INFO asks for.
    ExecCredential,
    /// A line of an environment file: `AZURE_ACCESS_TOKEN=…`.
    Env,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListForm {
    /// A line each.
    Text,
    /// A JSON object; errors are JSON objects too.
    Json,
}

/// How an error is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorForm {
    Json,
    Text,
}

impl ErrorForm {
    /// Reads the form of errors from a command line that does not parse as a whole.
    pub(super) fn asked_for(arguments: impl Iterator<Item = OsString>) -> Self {
        let arguments: Vec<_> = arguments.collect();
        let two_words = arguments.windows(2).any(|pair| pair == ["--output", "json"]);
        if two_words || arguments.iter().any(|argument| argument == "--output=json") { Self::Json } else { Self::Text }
    }
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

    #[test]
    fn a_file_is_named_absolutely() {
        let Sources(sources) = "file:cache.json".parse().unwrap();
        assert!(matches!(sources.as_slice(), [Source::File(path)] if path.is_absolute()));
        assert!("keyring".parse::<Sources>().is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_is_a_path_behind_its_scheme() {
        for text in ["unix:/run/x/sds.sock", "unix:///run/x/sds.sock"] {
            assert_eq!(text.parse::<Socket>().unwrap().0, PathBuf::from("/run/x/sds.sock"), "{text}");
        }
        for text in ["/run/x/sds.sock", "unix:", "127.0.0.1:1", ""] {
            assert!(text.parse::<Socket>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_metrics_are_at_an_address_and_without_one_on_loopback() {
        for (text, address) in [
            ("127.0.0.1:9464", "127.0.0.1:9464"),
            ("localhost:9464", "127.0.0.1:9464"),
            (":9464", "127.0.0.1:9464"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::1]:9464", "[::1]:9464"),
        ] {
            assert_eq!(metrics_address(text).unwrap(), address.parse().unwrap(), "{text}");
        }
        for text in ["9464", "localhost", ":", "localhost:", "::9464", "localhost:x", "host:9464", ":70000", ""] {
            assert!(metrics_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_file_is_a_profile_and_a_path() {
        let file = token_file("entra/graph=/run/x/a=b").unwrap();
        assert_eq!((file.profile.as_str(), file.path), ("entra/graph", PathBuf::from("/run/x/a=b")));
        for text in ["entra/graph", "entra/graph=", "=/x", "a b=/x", ""] {
            assert!(token_file(text).is_err(), "{text}");
        }
    }
}
