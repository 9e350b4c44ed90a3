//! `serve --http`: from the command line to an endpoint.

use std::path::{Path, PathBuf};

use shared_token_cache::policy::Policy;

use crate::agent::Audit;
use crate::agent::http::{
    Address, Client, Environment, Granted, Hosts, Http, HttpHost, Key, KeyFile, Listener, Place, Tls, key_folder,
};

use super::super::arguments;
use super::super::output::{Failure, print_secret};

/// Refuses clients of profiles that the policy lacks, and addresses beyond loopback that are not
/// explicitly allowed.
pub(super) fn check(policy: &Policy, arguments: &arguments::Http) -> Result<(), Failure> {
    for (position, client) in arguments.http_clients.iter().enumerate() {
        let name = &client.name;
        if let Some(profile) = client.profiles.iter().find(|profile| policy.profile(profile.as_str()).is_none()) {
            return Err(Failure::invalid(format!("--http-client {name}: the policy has no profile {profile}")));
        }
        // Some file systems ignore case, so two such names would share a key file.
        let is_same = |other: &Granted| other.name.as_str().eq_ignore_ascii_case(name.as_str());
        if arguments.http_clients.iter().take(position).any(is_same) {
            return Err(Failure::invalid(format!("--http-client {name}: the client is named twice")));
        }
    }
    for address in &arguments.http {
        if address.is_beyond_loopback() && !arguments.http_allow_non_loopback {
            let shown = if let Address::Tcp(address) = address { address.to_string() } else { String::new() };
            return Err(Failure::invalid_with_hint(
                format!("--http {shown}: other machines may reach this address"),
                "use an address of loopback, such as 127.0.0.1:0, or allow this one with --http-allow-non-loopback",
            ));
        }
    }
    if arguments.print_env.is_some() && arguments.http_clients.len() != 1 {
        return Err(Failure::invalid_with_hint(
            "--print-env prints the variables of one client",
            "give one --http-client",
        ));
    }
    Ok(())
}

/// Begins to listen, creates the keys, and prints the variables for the only client.
pub(super) async fn bind(
    arguments: &arguments::Http,
    users: &[u32],
    audit: Option<Audit>,
) -> Result<Option<Http>, Failure> {
    if arguments.http.is_empty() {
        return Ok(None);
    }
    let tls = match (&arguments.http_tls_cert, &arguments.http_tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::read(certificate, key).map_err(Failure::invalid)?),
        _ => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let mut listeners = Vec::new();
    for address in &arguments.http {
        let listener = Listener::bind(address, users).await;
        listeners.push(listener.map_err(|why| Failure::invalid(format!("--http: {why}")))?);
        if address.is_beyond_loopback() {
            let risk = if tls.is_some() { "" } else { ", and without --http-tls-cert read keys and tokens on the way" };
            tracing::warn!("the HTTP endpoint is not on loopback: other machines may try keys{risk}");
        }
    }
    let folder = keys(arguments)?;
    key_folder(&folder).map_err(|why| Failure::invalid(format!("--http-keys: {why}")))?;
    let cannot =
        |path: &Path, error| Failure::invalid(format!("cannot write the key file {}: {error}", path.display()));
    let mut keys = Vec::new();
    for granted in &arguments.http_clients {
        let path = folder.join(format!("{}.key", granted.name));
        KeyFile::check_vacant(&path).map_err(|error| cannot(&path, error))?;
        let key = Key::generate().map_err(Failure::other)?;
        if let Some(form) = arguments.print_env {
            let place = place(arguments, &listeners, scheme, tls.as_ref())?;
            print_secret(Environment::new(&place, &key, None).text(form).as_bytes())?;
        }
        keys.push((granted, path, key));
    }
    // Whatever can fail is over: a new key file revokes the key of an agent that may still run.
    let mut clients = Vec::new();
    for (granted, path, key) in keys {
        let file = KeyFile::write(&path, &key).map_err(|error| cannot(&path, error))?;
        clients.push(Client::new(granted.clone(), key.hash(), Some(file)));
    }
    announce(&listeners, &clients, scheme);
    let addresses = listeners.iter().filter_map(Listener::address).map(|address| address.ip());
    let hosts = Hosts::new(addresses, &arguments.http_hosts);
    Ok(Some(Http { listeners, clients, hosts, key_in_path: arguments.http_key_in_path, tls, audit }))
}

/// The folder of the keys.
fn keys(arguments: &arguments::Http) -> Result<PathBuf, Failure> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let default = runtime.filter(|folder| folder.is_absolute()).map(|folder| folder.join("shared-token-cache"));
    arguments.http_keys.clone().or(default).ok_or_else(|| {
        Failure::invalid_with_hint(
            "cannot choose a folder for the keys of HTTP clients: XDG_RUNTIME_DIR is not set, or not absolute",
            "name a folder with --http-keys",
        )
    })
}

/// The address of the endpoint for the client: the first `--http-host`, else the first listener.
fn place(
    arguments: &arguments::Http,
    listeners: &[Listener],
    scheme: &'static str,
    tls: Option<&Tls>,
) -> Result<Place, Failure> {
    let address = listeners.iter().find_map(Listener::address);
    let named = arguments.http_hosts.first();
    let host = match (named, address) {
        (Some(named), Some(address)) => Some(named.with_port(address.port())),
        (Some(named), None) if named.has_port() => Some(named.clone()),
        (None, Some(address)) if !address.ip().is_unspecified() => {
            let host: Result<HttpHost, _> = address.ip().to_string().parse();
            host.ok().map(|host| host.with_port(address.port()))
        }
        _ => None,
    };
    let certificate = tls.map(|tls| tls.certificate().to_owned());
    let key_in_path = arguments.http_key_in_path;
    host.map(|host| Place { scheme, host, certificate, key_in_path }).ok_or_else(|| {
        Failure::invalid_with_hint(
            "--print-env: the address has no name that a client could use",
            "name one with --http-host, with its port for a socket",
        )
    })
}

fn announce(listeners: &[Listener], clients: &[Client], scheme: &str) {
    for listener in listeners {
        tracing::info!("the HTTP endpoint is at {}", listener.shown(scheme));
    }
    for client in clients {
        let profiles: Vec<_> = client.granted.profiles.iter().map(|name| name.as_str()).collect();
        let path = client.key_file().map(|file| file.path().display().to_string()).unwrap_or_default();
        tracing::info!("the client {} may have {}; its key is in {path}", client.granted.name, profiles.join(", "));
    }
}
