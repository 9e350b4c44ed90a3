//! `doctor` on a keyring.

use std::io;

use serde_json::{Value, json};
use shared_token_cache_tests::cli::SHARED;
use shared_token_cache_tests::peers::{Check, at, has, same};
use shared_token_cache_tests::sign_in::new_access_token;

use crate::peers::Peers;

pub(crate) const CHECKS: [Check<Peers>; 3] = [
    ("doctor_finds_the_item", doctor_finds_the_item),
    ("doctor_says_how_to_go_on_where_the_keyring_is_locked", doctor_says_how_to_go_on_where_the_keyring_is_locked),
    ("doctor_names_a_file_that_an_open_keyring_hides", doctor_names_a_file_that_an_open_keyring_hides),
];

const PLACE: &str = "item msal.cache.nocae in the keyring (Secret Service)";

fn doctor_finds_the_item(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    let report = peers.doctor(&authority)?;
    let counts = ["accounts", "usable_accounts", "usable_refresh_tokens", "access_tokens"];
    for (field, expected) in [
        ("source", json!("shared")),
        ("place", json!(PLACE)),
        ("found", json!(true)),
        ("readable", json!(true)),
        ("encrypted", json!(true)),
    ]
    .into_iter()
    .chain(counts.map(|field| (field, json!(1))))
    {
        same(field, at(&report, &format!("/places/0/{field}")), &expected)?;
    }
    same("findings", findings(&report).as_str(), "good: one account to use | \n")?;
    same("usable", at(&report, "/usable"), &json!(true))
}

fn doctor_says_how_to_go_on_where_the_keyring_is_locked(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    peers.session.lock()?;
    let report = peers.doctor(&authority)?;
    same("usable", at(&report, "/usable"), &json!(false))?;
    same("place", at(&report, "/places/0/place"), &json!(PLACE))?;
    same("found", at(&report, "/places/0/found"), &json!(false))?;
    same("readable", at(&report, "/places/0/readable"), &json!(false))?;
    let locked = format!("the {PLACE} is locked; unlock it by signing in");
    has(&findings(&report), &[&format!("note: {locked}"), "problem: cannot read the cache: ", "| Fix"])?;
    // Other users may read the signal file, which contains nothing.
    same("mode in the findings", &findings(&report).contains("mode"), &false)
}

fn doctor_names_a_file_that_an_open_keyring_hides(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in_to(SHARED, 0)?;
    let report = peers.doctor(&authority)?;
    same("usable", at(&report, "/usable"), &json!(false))?;
    same("place", at(&report, "/places/0/place"), &json!(PLACE))?;
    same("encrypted", at(&report, "/places/0/encrypted"), &json!(true))?;
    let file = peers.cli.home().join(SHARED).display().to_string();
    let hidden = format!("note: file {file} holds a document, but the keyring is used instead | ");
    has(&findings(&report), &[&hidden, &format!("pass `--source file:{file}`")])?;

    // The finding's advice works.
    let ours = peers.cli.redeem(&authority, &["--source", &format!("file:{file}")])?.answer()?;
    same("token", at(&ours, "/token"), &json!(new_access_token(0)))
}

/// The findings at the first place, a line each, with the hint.
fn findings(report: &Value) -> String {
    let findings = at(report, "/places/0/findings").as_array().into_iter().flatten();
    let text = |finding, field| at(finding, field).as_str().unwrap_or_default();
    findings
        .map(|finding| {
            format!("{}: {} | {}\n", text(finding, "/severity"), text(finding, "/what"), text(finding, "/next"))
        })
        .collect()
}
