//! `allow_unencrypted_storage`, which is an option of the library alone: the command line always allows it.

use std::io;

use serde_json::json;
use shared_token_cache::policy::{AddressClass, Addresses, AuthorityHost, CacheName, InvalidValue, Policy};
use shared_token_cache::{
    CachePersistenceOptions, Error, KeyringAccess, Places, SharedTokenCacheCredential, TransportOptions,
};
use shared_token_cache_tests::cli::{Authority, SHARED};
use shared_token_cache_tests::peers::{Check, has, same};
use shared_token_cache_tests::sign_in::{GRAPH, new_access_token};

use crate::peers::Peers;

pub(crate) const CHECKS: [Check<Peers>; 2] = [
    ("an_item_of_the_keyring_is_encrypted_storage", an_item_of_the_keyring_is_encrypted_storage),
    ("a_plain_file_is_refused_with_its_place_and_the_reason", a_plain_file_is_refused_with_its_place_and_the_reason),
];

fn an_item_of_the_keyring_is_encrypted_storage(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    let token = get_token(peers, &authority, false).map_err(io::Error::other)?;
    same("token", token.as_str(), &new_access_token(0))
}

fn a_plain_file_is_refused_with_its_place_and_the_reason(peers: &Peers) -> io::Result<()> {
    peers.sign_in(0)?;
    peers.session.lock()?;
    let authority = peers.sign_in_to(SHARED, 1)?;
    let Err(error @ Error::CredentialUnavailable(_)) = get_token(peers, &authority, false) else {
        return Err(io::Error::other("the credential is available"));
    };
    same("reason", &json!(error.reason()), &json!("cache-unavailable"))?;
    let place = format!("in plain text in the file {}", peers.cli.home().join(SHARED).display());
    has(&error.to_string(), &[&place, "in the keyring (Secret Service) is locked", "allow-unencrypted-storage"])?;
    same("number of requests", &authority.requests().len(), &0)?;

    let token = get_token(peers, &authority, true).map_err(io::Error::other)?;
    same("token where it is allowed", token.as_str(), &new_access_token(1))
}

fn get_token(peers: &Peers, authority: &Authority, allow_unencrypted_storage: bool) -> Result<String, Error> {
    let host: AuthorityHost =
        authority.host().parse().map_err(|invalid: InvalidValue| Error::InvalidArgument(invalid.into()))?;
    let mut transport = TransportOptions::default();
    transport.ca_file = Some(authority.ca_file().into());
    let keyring = KeyringAccess::Bus(peers.session.address().to_owned());
    let policy = Policy::for_current_user(CacheName::default()).allow_authority(host);
    let credential = SharedTokenCacheCredential::builder()
        .policy(policy.allow_addresses(Addresses::Class(AddressClass::Loopback)))
        .places(Places::below(peers.cli.home()).keyring(keyring))
        .cache_persistence_options(CachePersistenceOptions { name: None, allow_unencrypted_storage })
        .authority(authority.host())
        .transport(transport)
        .build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::InvalidArgument(error.to_string()))?;
    Ok(runtime.block_on(credential.get_token(&[GRAPH]))?.token.expose().to_owned())
}
