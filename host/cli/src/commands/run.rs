//! `run`: a command with an endpoint of its own, for as long as it runs.

mod child;

use std::collections::BTreeMap;
use std::process::ExitCode;

use shared_token_cache::TransportOptions;
use shared_token_cache::policy::{CoreDumps, Policy, Profile, ProfileName, bare_resource};
use shared_token_cache_entra::cache::DEFAULT_NAME;
use shared_token_cache_entra::scope::is_token;
use shared_token_cache_storage::files;
use tokio::sync::oneshot;

use super::arguments::{Run, SignIn};
use super::output::Failure;
use super::serve::build;
use super::{core_dumps, credential, filters, get_token, in_use};
use crate::agent::http::{Address, Client, Environment, Granted, Hosts, Http, Key, Listener, Place, ProfileTokens};
use crate::agent::{self, Audit};

/// The name of the only client, and of the profile that `--scope` makes.
const NAME: &str = "run";

pub(super) async fn run(arguments: Run) -> Result<ExitCode, Failure> {
    check(&arguments)?;
    let policy = arguments.policy.as_deref().map(credential::from_file).transpose()?;
    if policy.as_ref().is_some_and(|policy| policy.core_dumps() == CoreDumps::Allow) {
        core_dumps::allow();
    }
    let audit = audit(policy.as_ref(), &arguments)?;
    let tokens = match &policy {
        Some(policy) => of_profiles(policy, &arguments, audit.clone())?,
        None => of_scopes(&arguments, audit.clone())?,
    };
    let profiles = tokens.keys().map(|name| name.parse()).collect::<Result<Vec<ProfileName>, _>>();
    let granted =
        Granted { name: NAME.parse().map_err(Failure::invalid)?, profiles: profiles.map_err(Failure::invalid)? };
    let address: Address = "127.0.0.1:0".parse().map_err(Failure::invalid)?;
    let listener = Listener::bind(&address, &[]).await.map_err(Failure::invalid)?;
    let key = Key::generate().map_err(Failure::other)?;
    let environment = environment(&listener, &key)?;
    let client = Client::new(granted, key.hash(), None);
    drop(key);
    let http = Http {
        listeners: vec![listener],
        clients: vec![client],
        hosts: Hosts::new([], &[]),
        key_in_path: false,
        tls: None,
        audit: audit.clone(),
    };
    // From here on, signals that end a process are passed to the command.
    let signals = agent::listen_as_parent().map_err(Failure::other)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(http.serve(tokens, async { drop(stopped.await) }));
    let code = child::run(&arguments.command, &environment, signals).await;
    drop(environment);
    drop(stop);
    serving.await.map_err(Failure::other)?;
    if let Some(audit) = audit {
        audit.flush().await;
    }
    code
}

/// Refuses options that would have no effect, and scopes that no call could have.
fn check(arguments: &Run) -> Result<(), Failure> {
    // The arguments of the command are its own.
    let own = std::env::args_os().len().saturating_sub(arguments.command.len());
    if arguments.policy.is_some() && filters::is_given_among("--username", std::env::args_os().take(own)) {
        return Err(Failure::invalid_with_hint(
            "--username has no effect with --policy",
            "set `account` of the profile",
        ));
    }
    if let Some(scope) = arguments.scopes.iter().find(|scope| !is_token(scope)) {
        let what = format!("--scope {scope:?}: a scope is visible ASCII without quotation marks and backslashes");
        return Err(Failure::invalid(what));
    }
    for (scope, resource) in arguments.scopes.iter().filter_map(|scope| Some((scope, bare_resource(scope)?))) {
        tracing::warn!("{scope} is a resource without a permission; try `--scope {resource}/.default`");
    }
    Ok(())
}

/// The environment variables of the command.
fn environment(listener: &Listener, key: &Key) -> Result<Environment, Failure> {
    let address = listener.address().ok_or_else(|| Failure::invalid("the listener has no address"))?;
    let host = address.to_string().parse().map_err(Failure::invalid)?;
    let place = Place { scheme: "http", host, certificate: None, key_in_path: false };
    let so_far = ["NO_PROXY", "no_proxy"].into_iter().filter_map(|name| std::env::var(name).ok());
    Ok(Environment::new(&place, key, Some(&so_far.collect::<Vec<_>>().join(","))))
}

/// The profiles of a policy: the named ones, or all.
fn of_profiles(
    policy: &Policy,
    arguments: &Run,
    audit: Option<Audit>,
) -> Result<BTreeMap<String, ProfileTokens>, Failure> {
    let named = |name: &ProfileName| {
        let profile = policy.profile(name.as_str());
        profile.ok_or_else(|| Failure::invalid(format!("--profile {name}: the policy has no such profile")))
    };
    let mut profiles: Vec<&Profile> = arguments.profiles.iter().map(named).collect::<Result<_, _>>()?;
    if profiles.is_empty() {
        profiles = policy.profiles().iter().collect();
    }
    if profiles.is_empty() {
        return Err(Failure::invalid_with_hint("the policy names no profile", "write one under `[[profiles]]`"));
    }
    let tokens = profiles.into_iter().map(|profile| {
        let credential = build(&arguments.making, audit.as_ref(), policy, profile)?;
        Ok((profile.name().to_string(), ProfileTokens::on_demand(profile, credential)))
    });
    tokens.collect()
}

/// One profile under the built-in policy, for `--scope`.
fn of_scopes(arguments: &Run, audit: Option<Audit>) -> Result<BTreeMap<String, ProfileTokens>, Failure> {
    let sign_in = SignIn {
        source: arguments.source.clone(),
        cache_name: DEFAULT_NAME.to_owned(),
        authority: arguments.making.authority.clone(),
        client_id: None,
        policy: None,
        component: arguments.making.component.clone(),
    };
    let policy = credential::policy(&sign_in)?;
    let mut transport = TransportOptions::default();
    transport.ca_file.clone_from(&arguments.making.ca_file);
    let mut builder = credential::under(policy, sign_in)?.transport(transport);
    builder = credential::with(builder, arguments.username.clone(), shared_token_cache::Builder::username);
    if let Some(audit) = audit {
        builder = builder.audit(audit);
    }
    Ok([(NAME.to_owned(), ProfileTokens::of_scopes(&arguments.scopes, builder.build()?))].into())
}

/// The audit file. It must not be a file that the command uses for another purpose.
fn audit(policy: Option<&Policy>, arguments: &Run) -> Result<Option<Audit>, Failure> {
    let Some(path) = &arguments.audit else { return Ok(None) };
    let inputs = [
        ("the policy", arguments.policy.as_deref()),
        ("the component", arguments.making.component.as_deref()),
        ("the CA file", arguments.making.ca_file.as_deref()),
    ];
    let none = Policy::default();
    get_token::check_audit(path, &in_use::of(policy.unwrap_or(&none), inputs))?;
    if let Some(how) = files::exposed(path) {
        tracing::debug!("the audit file {} may be changed by other users: {how}", path.display());
    }
    Audit::open(path).map(Some).map_err(|error| get_token::no_audit(path, &error))
}
