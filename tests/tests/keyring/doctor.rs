//! `doctor` on a keyring.

use std::io;

use serde_json::{Value, json};
use shared_token_cache_tests::cli::SHARED;
use shared_token_cache_tests::peers::{Check, at, has, same};

use crate::peers::Peers;

pub(crate) const CHECKS: [Check<Peers>; 3] = [
    ("doctor_finds_the_item", doctor_finds_the_item),
    ("doctor_says_how_to_go_on_where_the_keyring_is_locked", doctor_says_how_to_go_on_where_the_keyring_is_locked),
    ("doctor_names_a_file_that_an_open_keyring_hides", doctor_names_a_file_that_an_open_keyring_hides),
];

fn doctor_finds_the_item(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    let report = peers.doctor(&authority)?;
    for (field, expected) in [
        ("source", json!("shared")),
        ("place", json!("item msal.cache.nocae in the keyring (Secret Service)")),
        ("found", json!(true)),
        ("readable", json!(true)),
        ("encrypted", json!(true)),
        ("accounts", json!(1)),
        ("usable_accounts", json!(1)),
        ("usable_refresh_tokens", json!(1)),
        ("access_tokens", json!(1)),
    ] {
        same(field, at(&report, &format!("/places/0/{field}")), &expected)?;
    }
    same("findings", &findings(&report), &vec!["good: one account to use".to_owned()])?;
    same("usable", at(&report, "/usable"), &json!(true))
}

fn doctor_says_how_to_go_on_where_the_keyring_is_locked(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in(0)?;
    peers.session.lock()?;
    let report = peers.doctor(&authority)?;
    same("usable", at(&report, "/usable"), &json!(false))?;
    same("found", at(&report, "/places/0/found"), &json!(false))?;
    let findings = findings(&report).join("\n");
    println!("{findings}\n{report:#}");
    has(&findings, &["problem: ", "in the keyring (Secret Service) is locked; unlock it by signing in"])
}

fn doctor_names_a_file_that_an_open_keyring_hides(peers: &Peers) -> io::Result<()> {
    let authority = peers.sign_in_to(SHARED, 0)?;
    let report = peers.doctor(&authority)?;
    same("usable", at(&report, "/usable"), &json!(false))?;
    let findings = findings(&report).join("\n");
    println!("{findings}\n{report:#}");
    has(&findings, &[&peers.cli.home().join(SHARED).display().to_string(), "--source file:"])
}

/// The findings at the first place: what, and what to do next.
fn findings(report: &Value) -> Vec<String> {
    let findings = at(report, "/places/0/findings").as_array().into_iter().flatten();
    let text = |finding, field| at(finding, field).as_str().unwrap_or_default();
    findings
        .map(|finding| {
            let next = text(finding, "/next");
            let separator = if next.is_empty() { "" } else { " | " };
            format!("{}: {}{separator}{next}", text(finding, "/severity"), text(finding, "/what"))
        })
        .collect()
}
