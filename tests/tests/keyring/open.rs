//! An unlocked keyring.

use std::fs;
use std::io;

use serde_json::json;
use shared_token_cache_tests::cli::{AZURE_CLI, SHARED};
use shared_token_cache_tests::peers::{Check, at, same, sent};
use shared_token_cache_tests::sign_in::{
    GRAPH, LOCAL, SignIn, VAULT, document, new_access_token, new_refresh_token, refresh_token, token_reply, username,
};

use crate::peers::{Peers, shown};

pub(crate) const CHECKS: [Check<Peers>; 5] = [
    ("we_take_the_token_that_azure_identity_put_there", we_take_the_token_that_azure_identity_put_there),
    ("azure_identity_takes_the_token_that_we_put_there", azure_identity_takes_the_token_that_we_put_there),
    ("azure_identity_sends_the_refresh_token_that_we_rotated", azure_identity_sends_the_refresh_token_that_we_rotated),
    ("accounts_of_the_item_are_those_of_the_source_shared", accounts_of_the_item_are_those_of_the_source_shared),
    ("the_item_comes_before_the_azure_cli", the_item_comes_before_the_azure_cli),
];

fn we_take_the_token_that_azure_identity_put_there(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    peers.credential(&["--scope", GRAPH, "--reply", &token_reply(0).to_string()])?;
    let (files, items) = (peers.cli.files()?, peers.session.items()?);
    let ours = peers.cli.redeem(&authority, &["--source", "shared"])?.answer()?;
    same("token", at(&ours, "/token"), &json!(new_access_token(0)))?;
    same("source", at(&ours, "/source"), &json!("shared"))?;
    same("number of requests", &authority.requests().len(), &0)?;
    same("files", &peers.cli.files()?, &files)?;
    same("items", &peers.session.items()?, &items)
}

fn azure_identity_takes_the_token_that_we_put_there(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    let signalled = || fs::metadata(peers.cli.home().join(SHARED)).and_then(|signal| signal.modified());
    let (items, before) = (peers.session.items()?, signalled()?);
    let ours = peers.cli.redeem(&authority, &["--source", "shared"])?.answer()?;
    same("our token", at(&ours, "/token"), &json!(new_access_token(0)))?;
    same("our refresh token", &sent(&authority, "refresh_token"), &json!(refresh_token(0)))?;
    same("items", &peers.session.items()?, &items)?;
    same("signalled", &(signalled()? > before), &true)?;
    same("content of the signal file", peers.cli.read(SHARED)?.as_str(), "")?;

    let theirs = peers.credential(&["--scope", GRAPH])?;
    same("token", at(&theirs, "/token"), &json!(new_access_token(0)))?;
    same("expiry", at(&theirs, "/expires_on"), at(&ours, "/expires_on"))?;
    same("what they posted", at(&theirs, "/posted"), &json!([]))?;
    let again = peers.cli.redeem(&authority, &["--source", "shared"])?.answer()?;
    same("token", at(&again, "/token"), &json!(new_access_token(0)))?;
    same("number of requests", &authority.requests().len(), &1)
}

fn azure_identity_sends_the_refresh_token_that_we_rotated(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    peers.cli.redeem(&authority, &[])?.answer()?;
    let theirs = peers.credential(&["--scope", VAULT, "--reply", &token_reply(0).to_string()])?;
    same("refresh token", at(&theirs, "/posted/0/form/refresh_token"), &json!(new_refresh_token(0)))
}

fn accounts_of_the_item_are_those_of_the_source_shared(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    let run = peers.cli.run(&["accounts", "--authority", &authority.host(), "--output", "json"])?;
    shown(&run)?;
    let answer = run.answer()?;
    same("number of accounts", &at(&answer, "/accounts").as_array().map(Vec::len), &Some(1))?;
    same("username", at(&answer, "/accounts/0/username"), &json!(username(0)))?;
    same("source", at(&answer, "/accounts/0/source"), &json!("shared"))
}

fn the_item_comes_before_the_azure_cli(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    peers.cli.write(AZURE_CLI, &document(&[SignIn::new(1, LOCAL).access_token(GRAPH)]))?;
    let ours = peers.cli.redeem(&authority, &["--source", "auto"])?.answer()?;
    same("token", at(&ours, "/token"), &json!(new_access_token(0)))?;
    same("source", at(&ours, "/source"), &json!("shared"))
}
