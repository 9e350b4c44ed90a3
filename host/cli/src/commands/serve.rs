//! `serve`: from the command line to an agent.

mod http;

use std::path::Path;
use std::process::ExitCode;

use shared_token_cache::SharedTokenCacheCredential;
use shared_token_cache::policy::{CoreDumps, Policy, Profile};
use shared_token_cache_sds::Server;
use shared_token_cache_storage::{FilesInUse, files};

use super::arguments::{Making, Serve, Socket};
use super::output::Failure;
use super::{core_dumps, credential, get_token, in_use};
use crate::agent::http::Address;
use crate::agent::{self, Agent, Audit, Fronts, Metrics, Readers, TokenFile};

pub(super) async fn run(arguments: Serve) -> Result<ExitCode, Failure> {
    let policy = credential::from_file(&arguments.policy)?;
    if policy.core_dumps() == CoreDumps::Allow {
        core_dumps::allow();
    }
    if policy.profiles().is_empty() {
        let path = credential::shown(&arguments.policy);
        return Err(Failure::invalid_with_hint(
            format!("the policy {path} names no profile"),
            "write one under `[[profiles]]`",
        ));
    }
    agent::raise_descriptors();
    let readers = Readers { mode: arguments.token_file_mode, group: arguments.token_file_group };
    let used = other_files(&policy, &arguments);
    check(&arguments, readers, &policy, used.clone())?;
    check_users(&arguments)?;
    let audit = arguments.audit.as_deref().map(|path| audit(path, &arguments.token_files, used)).transpose()?;
    http::check(&policy, &arguments.http)?;
    let profiles = wanted(&policy, &arguments);
    let mut credentials = Vec::new();
    for profile in &profiles {
        credentials.push((*profile, build(&arguments.making, audit.as_ref(), &policy, profile)?));
    }
    // Handlers come before any front, so that no token escapes withdrawal.
    let signals = agent::listen().map_err(Failure::other)?;
    // HTTP is last, because its new keys revoke those of an earlier agent.
    let users = arguments.allow_uids.clone();
    let fronts = Fronts {
        sds: arguments.sds.map(|socket| listen(socket, arguments.allow_uids)).transpose()?,
        metrics: match arguments.metrics {
            Some(address) => Some(
                Metrics::bind(address)
                    .await
                    .map_err(|error| Failure::invalid(format!("cannot listen on {address} (--metrics): {error}")))?,
            ),
            None => None,
        },
        http: http::bind(&arguments.http, &users, audit.clone()).await?,
        token_files: arguments.token_files,
        readers,
        audit,
    };
    announce(&profiles, &fronts);
    agent::serve(signals, Agent::start(credentials), fronts).await.map_err(Failure::other)?;
    Ok(ExitCode::SUCCESS)
}

/// The files that the agent uses, besides its token files and its audit file.
fn other_files(policy: &Policy, arguments: &Serve) -> FilesInUse {
    let inputs = [
        ("the policy", Some(arguments.policy.as_path())),
        ("the component", arguments.making.component.as_deref()),
        ("the CA file", arguments.making.ca_file.as_deref()),
        ("the certificate of `--http-tls-cert`", arguments.http.http_tls_cert.as_deref()),
        ("the key of `--http-tls-key`", arguments.http.http_tls_key.as_deref()),
        ("the socket of `--sds`", arguments.sds.as_ref().map(|Socket(path)| path.as_path())),
    ];
    in_use::of(policy, inputs)
}

/// Checks that each token file is for a profile of the policy, is in an existing folder, and has no
/// other use.
fn check(arguments: &Serve, readers: Readers, policy: &Policy, mut used: FilesInUse) -> Result<(), Failure> {
    let token_files = &arguments.token_files;
    if let Some(path) = &arguments.audit {
        used.add(path, "the audit file");
    }
    // A shell may redirect these to a file.
    for path in ["/dev/stdout", "/dev/stderr"] {
        used.add(path, "the file of this program's output");
    }
    if let Some(doubt) = readers.doubt() {
        tracing::warn!("{doubt}");
    }
    for (position, file) in token_files.iter().enumerate() {
        let (name, path) = (&file.profile, file.path.display());
        if policy.profile(name.as_str()).is_none() {
            return Err(Failure::invalid(format!("--token-file {name}={path}: the policy has no profile {name}")));
        }
        if token_files.iter().take(position).any(|other| other.path == file.path) {
            return Err(Failure::invalid(format!("--token-file {name}={path}: the file is named twice")));
        }
        if let Some(purpose) = used.purpose(&file.path) {
            let why = format!("it is {purpose}, which a token would destroy; choose another path");
            return Err(Failure::invalid(format!("--token-file {name}={path}: {why}")));
        }
        used.add(&file.path, format!("the token file of the profile {name}"));
        agent::check_token_file(&file.path, readers)
            .map_err(|why| Failure::invalid(format!("--token-file {name}={path}: {why}")))?;
        if let Some(doubt) = files::exposed_folder(agent::folder(&file.path)) {
            tracing::warn!("the token file {path} may be replaced by other users: {doubt}");
        }
    }
    Ok(())
}

/// Refuses the user ids that the kernel shows for every user that it cannot map.
fn check_users(arguments: &Serve) -> Result<(), Failure> {
    let allow_uids = &arguments.allow_uids;
    let has_socket =
        arguments.sds.is_some() || arguments.http.http.iter().any(|address| matches!(address, Address::Unix(_)));
    if !allow_uids.is_empty() && !has_socket {
        return Err(Failure::invalid_with_hint(
            "--allow-uid is about Unix sockets",
            "give it with --sds or --http unix:PATH",
        ));
    }
    let overflow = std::fs::read_to_string("/proc/sys/kernel/overflowuid").ok();
    let overflow = overflow.and_then(|number| number.trim().parse().ok()).unwrap_or(65_534);
    for uid in allow_uids {
        if [overflow, 65_534, u32::MAX].contains(uid) {
            let why = "the kernel reports this number for every user without one in this namespace";
            return Err(Failure::invalid_with_hint(
                format!("--allow-uid {uid}: {why}"),
                "run your proxy as a user of its own",
            ));
        }
    }
    Ok(())
}

fn audit(path: &Path, token_files: &[TokenFile], mut used: FilesInUse) -> Result<Audit, Failure> {
    for file in token_files {
        used.add(&file.path, format!("the token file of the profile {}", file.profile));
    }
    get_token::check_audit(path, &used)?;
    Audit::open(path).map_err(|error| get_token::no_audit(path, &error))
}

/// The profiles whose tokens a front can serve: `--sds` serves all of them.
fn wanted<'a>(policy: &'a Policy, arguments: &Serve) -> Vec<&'a Profile> {
    let in_a_file = |profile: &&Profile| arguments.token_files.iter().any(|file| file.profile == *profile.name());
    let of_a_client = |profile: &&Profile| {
        let mut granted = arguments.http.http_clients.iter().flat_map(|client| &client.profiles);
        granted.any(|name| name == profile.name())
    };
    let is_wanted = |profile: &&Profile| arguments.sds.is_some() || in_a_file(profile) || of_a_client(profile);
    policy.profiles().iter().filter(is_wanted).collect()
}

/// The credential of a profile.
pub(super) fn build(
    making: &Making,
    audit: Option<&Audit>,
    policy: &Policy,
    profile: &Profile,
) -> Result<SharedTokenCacheCredential, Failure> {
    let mut builder = credential::for_profile(policy, profile, making.authority.as_deref(), making.ca_file.as_deref())?;
    builder = credential::component(builder, making.component.clone())?;
    if let Some(audit) = audit.cloned() {
        builder = builder.audit(audit);
    }
    Ok(builder.build()?)
}

fn listen(Socket(path): Socket, allow_uids: Vec<u32>) -> Result<Server, Failure> {
    Server::bind(&shared_token_cache_sds::SocketOptions { path, allow_uids })
        .map_err(|error| Failure::invalid(format!("--sds: {error}")))
}

fn announce(profiles: &[&Profile], fronts: &Fronts) {
    let names: Vec<_> = profiles.iter().map(|profile| profile.name().as_str()).collect();
    tracing::info!("keeping {}", names.join(", "));
    if let Some(Ok(address)) = fronts.metrics.as_ref().map(Metrics::address) {
        tracing::info!("metrics at http://{address}/metrics");
    }
}
