//! Settings from the environment variables.

use std::sync::OnceLock;
use std::time::Duration;

use shared_token_cache_entra::agent_session::{self, AgentSession};
use shared_token_cache_entra::cloud;
use wasi::cli::environment::get_environment;

/// Environment variables, each with its meaning.
pub(crate) mod variables {
    /// `shared` (default), `azure-cli`, or `file:PATH` with a path as the component sees it.
    pub(crate) const SOURCE: &str = "SHARED_TOKEN_CACHE_SOURCE";
    /// Allowed authorities besides Microsoft's clouds, separated by commas, with a port if it is
    /// not 443.
    pub(crate) const AUTHORITIES: &str = "SHARED_TOKEN_CACHE_AUTHORITIES";
    /// One loopback address with its port, such as `127.0.0.1:8080`, that is reached over plain
    /// HTTP; for tests.
    pub(crate) const PLAIN_HTTP: &str = "SHARED_TOKEN_CACHE_PLAIN_HTTP";
    /// How a cache file is replaced: `in-place` (default) or `rename`.
    pub(crate) const REPLACE: &str = "SHARED_TOKEN_CACHE_REPLACE";
    /// The timeout of one request, in seconds: 1 to 600, default 30.
    pub(crate) const REQUEST_SECONDS: &str = "SHARED_TOKEN_CACHE_REQUEST_SECONDS";
    /// The largest reply, in KiB: 16 to 65536, default 1024.
    pub(crate) const RESPONSE_KIB: &str = "SHARED_TOKEN_CACHE_RESPONSE_KIB";
    /// The largest cache file, in MiB: 1 to 2048, default 512.
    pub(crate) const DOCUMENT_MIB: &str = "SHARED_TOKEN_CACHE_DOCUMENT_MIB";
    /// The level of lines on standard error: `debug`, `info`, `warn` (default) or `off`.
    pub(crate) const LOG: &str = "SHARED_TOKEN_CACHE_LOG";
    /// All variables of the adapter's own.
    pub(crate) const OWN: &[&str] =
        &[SOURCE, AUTHORITIES, PLAIN_HTTP, REPLACE, REQUEST_SECONDS, RESPONSE_KIB, DOCUMENT_MIB, LOG];
    /// The authority of credentials that name none; default `login.microsoftonline.com`.
    pub(crate) const AUTHORITY_HOST: &str = "AZURE_AUTHORITY_HOST";
    /// If set to any value, every request goes to the configured tenant.
    pub(crate) const DISABLE_MULTITENANT: &str = "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH";
}

/// The source of the sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Shared,
    AzureCli,
    File(String),
}

/// How a file is replaced. WASI 0.2 can neither read nor set a file's mode, and a new file may be
/// readable for all users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replace {
    /// Overwritten, so that it keeps its mode and owner. A crash during the write leaves it
    /// damaged, as with MSAL.
    InPlace,
    /// Replaced by renaming a new file, so that it is whole at every moment. The host's umask
    /// decides its mode.
    Rename,
}

/// The least important level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    Debug,
    Info,
    Warn,
    Off,
}

/// The settings from the environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) source: Source,
    /// The homes that `HOME` and `USERPROFILE` name, in this order.
    pub(crate) homes: Vec<String>,
    /// `AZURE_CONFIG_DIR`.
    pub(crate) azure_config: Option<String>,
    pub(crate) default_authority: String,
    pub(crate) authorities: Vec<String>,
    pub(crate) plain_http: Option<String>,
    pub(crate) disable_multitenant: bool,
    /// `COPILOT_AGENT_SESSION_ID`: the agent session that tokens are marked with.
    pub(crate) agent_session: Option<AgentSession>,
    pub(crate) replace: Replace,
    pub(crate) request_time: Duration,
    pub(crate) response_size: usize,
    pub(crate) document_size: u64,
    pub(crate) log: LogLevel,
    /// Unknown variables with the adapter's prefix: of another version, or misspelt.
    pub(crate) unknown: Vec<String>,
}

/// The settings, or the first invalid variable and why. Invalid settings stop every read and
/// request. They are read once.
pub(crate) fn read() -> Result<&'static Settings, &'static str> {
    static SETTINGS: OnceLock<Result<Settings, String>> = OnceLock::new();
    SETTINGS.get_or_init(|| Settings::parse(&get_environment())).as_ref().map_err(String::as_str)
}

impl Settings {
    fn parse(variables: &[(String, String)]) -> Result<Self, String> {
        let get = |wanted: &str| {
            let found = variables.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
        };
        let homes = [get("HOME"), get("USERPROFILE")].into_iter().flatten().map(str::to_owned).collect();
        let default_authority = match get(variables::AUTHORITY_HOST) {
            Some(host) => authority(host).ok_or_else(|| wrong(variables::AUTHORITY_HOST, host, "a host"))?,
            None => cloud::DEFAULT_HOST.into(),
        };
        let plain_http = get(variables::PLAIN_HTTP)
            .map(|address| {
                let good = authority(address).filter(|address| is_loopback(address));
                good.ok_or_else(|| wrong(variables::PLAIN_HTTP, address, "a loopback address such as `127.0.0.1:8080`"))
            })
            .transpose()?;
        let listed = get(variables::AUTHORITIES).unwrap_or_default().split(',').map(str::trim);
        let authorities: Result<Vec<_>, _> = listed
            .filter(|host| !host.is_empty())
            .map(|host| authority(host).ok_or_else(|| wrong(variables::AUTHORITIES, host, "a host")))
            .collect();
        let session = variables.iter().find(|(name, _)| name == agent_session::VARIABLE);
        let agent_session = session
            .filter(|(_, id)| !id.is_empty())
            .map(|(_, id)| id.parse().map_err(|error| format!("{}: {error}", agent_session::VARIABLE)))
            .transpose()?;
        Ok(Self {
            source: source(get(variables::SOURCE))?,
            homes,
            azure_config: get("AZURE_CONFIG_DIR").map(str::to_owned),
            default_authority,
            authorities: authorities?,
            plain_http,
            disable_multitenant: get(variables::DISABLE_MULTITENANT).is_some(),
            agent_session,
            replace: match get(variables::REPLACE) {
                None | Some("in-place") => Replace::InPlace,
                Some("rename") => Replace::Rename,
                Some(other) => return Err(wrong(variables::REPLACE, other, "`in-place` or `rename`")),
            },
            request_time: Duration::from_secs(number(get, variables::REQUEST_SECONDS, 30, 1..=600)?),
            response_size: usize::try_from(number(get, variables::RESPONSE_KIB, 1024, 16..=65_536)? << 10)
                .unwrap_or(usize::MAX),
            document_size: number(get, variables::DOCUMENT_MIB, 512, 1..=2_048)? << 20,
            log: match get(variables::LOG) {
                Some("debug") => LogLevel::Debug,
                Some("info") => LogLevel::Info,
                None | Some("warn") => LogLevel::Warn,
                Some("off") => LogLevel::Off,
                Some(other) => return Err(wrong(variables::LOG, other, "`debug`, `info`, `warn` or `off`")),
            },
            unknown: variables.iter().map(|(name, _)| name).filter(|name| is_unknown(name)).cloned().collect(),
        })
    }
}

fn source(text: Option<&str>) -> Result<Source, String> {
    match text {
        None | Some("shared") => Ok(Source::Shared),
        Some("azure-cli") => Ok(Source::AzureCli),
        Some(text) => match text.strip_prefix("file:") {
            Some(path) if !path.is_empty() => Ok(Source::File(path.to_owned())),
            _ => Err(wrong(variables::SOURCE, text, "`shared`, `azure-cli` or `file:PATH`")),
        },
    }
}

/// A host in lower case, with its port unless that is 443. URLs are accepted.
fn authority(text: &str) -> Option<String> {
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
        Some(_) => return None,
        None => text,
    };
    let rest = rest.trim_end_matches('/').to_ascii_lowercase();
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(port.parse::<u16>().ok()?)),
        None => (rest.as_str(), None),
    };
    let good = !host.is_empty()
        && !host.starts_with(['.', '-'])
        && !host.ends_with(['.', '-'])
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    good.then(|| match port.filter(|port| *port != 443) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

fn is_loopback(authority: &str) -> bool {
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

fn number<'a>(
    get: impl Fn(&str) -> Option<&'a str>,
    name: &str,
    default: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, String> {
    let Some(text) = get(name) else { return Ok(default) };
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| wrong(name, text, &format!("a number from {} to {}", range.start(), range.end())))
}

fn is_unknown(name: &str) -> bool {
    name.starts_with("SHARED_TOKEN_CACHE_") && !variables::OWN.contains(&name)
}

fn wrong(name: &str, value: &str, wanted: &str) -> String {
    // The part of a URL before an `@` may be a password.
    let value = value.rsplit_once('@').map_or_else(|| value.to_owned(), |(_, host)| format!("…@{host}"));
    format!("the environment variable {name} is {value:?}, which is not {wanted}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn parse(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let owned: Vec<_> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::parse(&owned)
    }

    #[test]
    fn nothing_set_is_the_shared_cache_and_the_public_cloud() {
        let settings = parse(&[]).unwrap();
        assert_eq!(
            (settings.source, settings.replace, settings.log),
            (Source::Shared, Replace::InPlace, LogLevel::Warn)
        );
        assert_eq!(settings.default_authority, "login.microsoftonline.com");
        assert_eq!((settings.plain_http, settings.authorities), (None, vec![]));
    }

    #[test]
    fn every_variable_is_read() {
        let settings = parse(&[
            ("HOME", "/home/u"),
            ("USERPROFILE", "C:\\Users\\u"),
            ("AZURE_CONFIG_DIR", "/azure"),
            ("AZURE_AUTHORITY_HOST", "https://Login.Microsoftonline.US/"),
            ("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH", "1"),
            ("COPILOT_AGENT_SESSION_ID", "session-1"),
            (variables::SOURCE, "file:/caches/c.json"),
            (variables::AUTHORITIES, "login.contoso.com, localhost:8443"),
            (variables::PLAIN_HTTP, "127.0.0.1:8080"),
            (variables::REPLACE, "rename"),
            (variables::REQUEST_SECONDS, "5"),
            (variables::RESPONSE_KIB, "16"),
            (variables::DOCUMENT_MIB, "2"),
            (variables::LOG, "off"),
        ]);
        let expected = Settings {
            source: Source::File("/caches/c.json".into()),
            homes: vec!["/home/u".into(), "C:\\Users\\u".into()],
            azure_config: Some("/azure".into()),
            default_authority: "login.microsoftonline.us".into(),
            authorities: vec!["login.contoso.com".into(), "localhost:8443".into()],
            plain_http: Some("127.0.0.1:8080".into()),
            disable_multitenant: true,
            agent_session: Some("session-1".parse().unwrap()),
            replace: Replace::Rename,
            request_time: Duration::from_secs(5),
            response_size: 16 << 10,
            document_size: 2 << 20,
            log: LogLevel::Off,
            unknown: vec![],
        };
        assert_eq!(settings.unwrap(), expected);
    }

    #[test]
    fn an_invalid_variable_is_named() {
        for (name, value) in [
            ("COPILOT_AGENT_SESSION_ID", " "),
            ("COPILOT_AGENT_SESSION_ID", "a b"),
            (variables::SOURCE, "keyring"),
            (variables::SOURCE, "file:"),
            (variables::AUTHORITIES, "*.contoso.com"),
            (variables::AUTHORITIES, "user@contoso.com"),
            (variables::AUTHORITY_HOST, "http://contoso.com"),
            (variables::AUTHORITY_HOST, "contoso.com."),
            (variables::PLAIN_HTTP, "10.0.0.1:8080"),
            (variables::PLAIN_HTTP, "login.contoso.com"),
            (variables::REPLACE, "maybe"),
            (variables::REQUEST_SECONDS, "0"),
            (variables::RESPONSE_KIB, "many"),
            (variables::DOCUMENT_MIB, "4096"),
            (variables::LOG, "loud"),
        ] {
            let error = parse(&[(name, value)]).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let error = parse(&[(variables::AUTHORITY_HOST, "https://user:p@ss@contoso.com/")]).unwrap_err();
        assert!(error.contains("…@contoso.com") && !error.contains("user") && !error.contains("p@ss"), "{error}");
    }

    #[test]
    fn a_misspelt_variable_is_found() {
        let settings = parse(&[("SHARED_TOKEN_CACHE_REPLCE", "rename"), ("PATH", "/bin")]).unwrap();
        assert_eq!(settings.unknown, ["SHARED_TOKEN_CACHE_REPLCE"]);
    }

    #[test]
    fn an_empty_variable_is_none() {
        assert_eq!(parse(&[(variables::SOURCE, " "), ("HOME", ""), ("COPILOT_AGENT_SESSION_ID", "")]), parse(&[]));
    }
}
