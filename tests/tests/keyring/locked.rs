//! A keyring that is locked.

use std::io;
use std::time::{Duration, Instant};

use serde_json::json;
use shared_token_cache_tests::cli::{AZURE_CLI, SHARED};
use shared_token_cache_tests::peers::{Check, at, has, same, sent};
use shared_token_cache_tests::sign_in::{
    GRAPH, LOCAL, SignIn, access_token, document, new_access_token, refresh_token,
};

use crate::peers::Peers;

pub(crate) const CHECKS: [Check<Peers>; 3] = [
    ("a_locked_keyring_ends_the_call_soon_and_says_so", a_locked_keyring_ends_the_call_soon_and_says_so),
    ("a_plain_file_serves_in_place_of_a_locked_keyring", a_plain_file_serves_in_place_of_a_locked_keyring),
    ("the_azure_cli_serves_where_the_keyring_is_locked", the_azure_cli_serves_where_the_keyring_is_locked),
];

/// The time limit of a call on a locked keyring, which must not open a password prompt.
const SOON: Duration = Duration::from_secs(3);

const LOCKED: &str = "the item msal.cache.nocae in the keyring (Secret Service) is locked; unlock it";

fn a_locked_keyring_ends_the_call_soon_and_says_so(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    peers.session.lock()?;
    for source in ["shared", "auto"] {
        let started = Instant::now();
        let error = peers.cli.redeem(&authority, &["--source", source])?.error(3)?;
        same("soon enough", &(started.elapsed() < SOON), &true)?;
        same("reason", at(&error, "/reason"), &json!("cache-unavailable"))?;
        has(at(&error, "/message").as_str().unwrap_or_default(), &[LOCKED])?;
    }
    same("number of requests", &authority.requests().len(), &0)
}

fn a_plain_file_serves_in_place_of_a_locked_keyring(peers: &Peers) -> io::Result<()> {
    peers.sign_in(0)?;
    peers.session.lock()?;
    let authority = peers.sign_in_to(SHARED, 1)?;
    let run = peers.cli.redeem(&authority, &["--source", "shared"])?;
    has(&run.stdout, &[&new_access_token(1)])?;
    // MSAL wrote into its signal file, which all users may read.
    has(&run.stderr, &["WARN", "mode 0644", "chmod 600"])?;
    same("lines on stderr", &run.stderr.lines().count(), &1)?;
    same("our refresh token", &sent(&authority, "refresh_token"), &json!(refresh_token(1)))?;
    // The program's file is private.
    let again = peers.cli.redeem(&authority, &["--source", "shared"])?.answer()?;
    same("token", at(&again, "/token"), &json!(new_access_token(1)))?;
    same("number of requests", &authority.requests().len(), &1)?;
    let theirs = peers.credential(&["--scope", GRAPH])?;
    same("their token", at(&theirs, "/token"), &json!(new_access_token(1)))
}

fn the_azure_cli_serves_where_the_keyring_is_locked(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    peers.session.lock()?;
    peers.cli.write(AZURE_CLI, &document(&[SignIn::new(1, LOCAL).access_token(GRAPH)]))?;
    let ours = peers.cli.redeem(&authority, &["--source", "auto"])?.answer()?;
    same("token", at(&ours, "/token"), &json!(access_token(1, GRAPH)))?;
    same("source", at(&ours, "/source"), &json!("azure-cli"))
}
