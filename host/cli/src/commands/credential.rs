//! The credential that the command line describes.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use shared_token_cache::policy::{
    Access, AddressClass, Addresses, AuthorityHost, CacheGrant, CacheName, CoreDumps, Policy, Profile, Source,
};
use shared_token_cache::{
    AuthenticationRecord, Builder, CachePersistenceOptions, HostSettings, SharedTokenCacheCredential, TransportOptions,
};
use shared_token_cache_storage::files;

use super::arguments::{SignIn, Sources};
use super::core_dumps;
use super::output::Failure;

/// The path that means stdin.
pub(super) const STDIN: &str = "-";

/// The largest policy or authentication record, in bytes.
const LARGEST_TEXT: u64 = 1 << 20;

/// The policy of the arguments: a file, or the built-in one.
pub(super) fn policy(arguments: &SignIn) -> Result<Policy, Failure> {
    match &arguments.policy {
        Some(path) => from_file(path),
        None => {
            let settings = HostSettings::from_env().map_err(Failure::invalid)?;
            built_in(&arguments.cache_name, &arguments.source, arguments.authority.as_deref(), &settings)
        }
    }
}

/// A credential on the sign-ins that the arguments name.
pub(super) fn builder(arguments: SignIn) -> Result<Builder, Failure> {
    let policy = policy(&arguments)?;
    under(policy, arguments)
}

/// The same under a policy that was already read.
pub(super) fn under(policy: Policy, arguments: SignIn) -> Result<Builder, Failure> {
    let settings = HostSettings::from_env().map_err(Failure::invalid)?;
    if policy.core_dumps() == CoreDumps::Allow {
        core_dumps::allow();
    }
    // The user names the cache and sees its path, so plain text is accepted.
    let persistence = CachePersistenceOptions { name: Some(arguments.cache_name), allow_unencrypted_storage: true };
    let mut builder = SharedTokenCacheCredential::builder()
        .policy(policy)
        .sources(arguments.source.0)
        .host_settings(settings)
        .cache_persistence_options(persistence);
    builder = with(builder, arguments.authority, Builder::authority);
    builder = with(builder, arguments.client_id, Builder::client_id);
    builder = component(builder, arguments.component)?;
    Ok(builder)
}

/// A credential for a profile of a policy. `authority` applies to a profile that names none.
pub(super) fn for_profile(
    policy: &Policy,
    profile: &Profile,
    authority: Option<&str>,
    ca_file: Option<&Path>,
) -> Result<Builder, Failure> {
    let mut settings = HostSettings::from_env().map_err(Failure::invalid)?;
    if let Some(authority) = authority {
        let host: AuthorityHost = authority.parse().map_err(Failure::invalid)?;
        settings.default_authority_host = host.to_string();
    }
    if policy.core_dumps() == CoreDumps::Allow {
        core_dumps::allow();
    }
    let mut transport = TransportOptions::default();
    transport.ca_file = ca_file.map(Path::to_owned);
    Ok(SharedTokenCacheCredential::builder_for(policy, profile).host_settings(settings).transport(transport))
}

/// Sets the component of `--component`. This program compiles it in a process of its own.
pub(super) fn component(builder: Builder, path: Option<PathBuf>) -> Result<Builder, Failure> {
    let Some(path) = path else { return Ok(builder) };
    Ok(builder.component(path).compiler(std::env::current_exe().map_err(Failure::other)?))
}

/// The authority's host, from the arguments or the environment.
pub(super) fn authority_host(arguments: &SignIn) -> Result<String, Failure> {
    match arguments.authority.as_deref().filter(|authority| !authority.is_empty()) {
        Some(authority) => Ok(authority.to_owned()),
        None => Ok(HostSettings::from_env().map_err(Failure::invalid)?.default_authority_host),
    }
}

/// Sets an option that was given. An empty environment variable counts as not set.
pub(super) fn with(builder: Builder, value: Option<String>, set: impl FnOnce(Builder, String) -> Builder) -> Builder {
    match value {
        Some(value) if !value.is_empty() => set(builder, value),
        _ => builder,
    }
}

/// The built-in policy: the user's own caches, the known clouds, and the file and the authority
/// that the user names.
pub(super) fn built_in(
    cache_name: &str,
    sources: &Sources,
    authority: Option<&str>,
    settings: &HostSettings,
) -> Result<Policy, Failure> {
    let mut policy = Policy::for_current_user(CacheName::parse(cache_name).map_err(Failure::invalid)?);
    for source in &sources.0 {
        if let Source::File(_) = source {
            policy = policy.allow_cache(CacheGrant::new(source.clone(), Access::ReadWrite));
        }
    }
    let named = [Some(settings.default_authority_host.as_str()), authority];
    for host in named.into_iter().flatten() {
        let host: AuthorityHost = host.parse().map_err(Failure::invalid)?;
        policy = addresses_of(host.host()).into_iter().fold(policy, Policy::allow_addresses);
        policy = policy.allow_authority(host);
    }
    Ok(policy)
}

/// The addresses that a host name permits: an IP address permits itself, and `localhost` permits
/// loopback (RFC 6761, section 6.3).
fn addresses_of(host: &str) -> Option<Addresses> {
    match host {
        "localhost" => Some(Addresses::Class(AddressClass::Loopback)),
        host => host.parse::<IpAddr>().ok().map(|address| Addresses::Range(address.into())),
    }
}

/// Reads an authentication record. It only names an account; the policy decides which authority is
/// used.
pub(super) fn record(path: &Path) -> Result<AuthenticationRecord, Failure> {
    let text = read(path)
        .map_err(|error| Failure::invalid(format!("cannot read the authentication record {}: {error}", shown(path))))?;
    AuthenticationRecord::from_json(&text).map_err(|error| Failure::invalid(format!("{}: {error}", shown(path))))
}

pub(super) fn from_file(path: &Path) -> Result<Policy, Failure> {
    Policy::from_toml(&read_policy(path)?).map_err(|error| {
        let problems: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
        unusable(path, &problems.join("; "))
    })
}

pub(super) fn read_policy(path: &Path) -> Result<String, Failure> {
    let text = read(path).map_err(|error| unusable(path, &error))?;
    if let Some(how) = files::exposed(path) {
        tracing::warn!("the policy {} may be changed by other users: {how}", path.display());
    }
    Ok(text)
}

/// The name of a document in messages.
pub(super) fn shown(path: &Path) -> String {
    if path == Path::new(STDIN) { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// Reads a text file or stdin, up to the size limit.
fn read(path: &Path) -> io::Result<String> {
    let bytes = if path == Path::new(STDIN) {
        files::read_bounded(io::stdin().lock(), LARGEST_TEXT)
    } else {
        files::read_input(path, LARGEST_TEXT)
    };
    String::from_utf8(bytes?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::invalid(format!("cannot use the policy {}: {why}", shown(path)))
}
