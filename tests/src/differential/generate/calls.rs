//! Calls.

use std::collections::BTreeMap;

use super::cache::Account;
use super::{NOW, Random, SCOPES, TENANTS, odd, records, replies};
use crate::differential::document::{Document, text_of};
use crate::differential::situation::{Call, Discovery, Options, Reply};

/// The claims of a challenge.
pub(super) const CHALLENGE: &str = r#"{"access_token": {"nbf": {"essential": true, "value": "1780000000"}}}"#;

/// One call, or two.
pub(super) fn calls(
    random: &mut Random,
    accounts: &[Account],
    document: &Document,
    options: &Options,
    odd: bool,
) -> Vec<Call> {
    let first = call(random, accounts, document, NOW, odd);
    let mut first = recorded(random, options, first);
    if !options.allowed_tenants.is_empty() && random.chance(70) {
        first.tenant_id = Some((*random.pick(&TENANTS)).to_owned());
    }
    let outage = odd && options.record.is_some() && random.chance(35);
    if !outage && !random.chance(30) {
        return vec![first];
    }
    let later = NOW + *random.pick(&[0, 1, 29, 30, 60, 3300]);
    let second = call(random, accounts, document, later, odd);
    let mut second = recorded(random, options, second);
    if random.chance(60) {
        // The same call again: it finds a cached token, or the pause after a failed renewal.
        second = Call { now: later, replies: second.replies, ..first.clone() };
    }
    if outage {
        records::outage(random, &mut first, &mut second);
    }
    if random.chance(5) {
        second.tenant_id = Some(TENANTS[1].to_owned());
    }
    vec![first, second]
}

fn call(random: &mut Random, accounts: &[Account], document: &Document, now: u64, odd: bool) -> Call {
    let mut scopes = vec![*random.weighted(&[(70, SCOPES[0]), (20, SCOPES[1]), (5, SCOPES[2]), (5, SCOPES[3])])];
    if random.chance(10) {
        scopes.push("openid");
    }
    let mut call = Call {
        now,
        scopes: scopes.into_iter().map(str::to_owned).collect(),
        claims: random.chance(6).then(|| CHALLENGE.to_owned()),
        tenant_id: random.chance(3).then(|| (*random.pick(&TENANTS)).to_owned()),
        enable_cae: random.chance(12),
        replies: answers(random, accounts, document, odd),
        default_reply: replies::unknown_token(),
        discovery: Discovery::default(),
    };
    if odd {
        odd::call(random, &mut call);
    }
    call
}

/// With a record, the reference asks the authority for metadata.
fn recorded(random: &mut Random, options: &Options, call: Call) -> Call {
    if options.record.is_none() {
        return call;
    }
    let mut replies = call.replies;
    replies.values_mut().for_each(|reply| records::mismatch(random, reply));
    Call { replies, discovery: records::discovery(random), ..call }
}

/// A response for each refresh token, and for the one that it is rotated to.
fn answers(random: &mut Random, accounts: &[Account], document: &Document, odd: bool) -> BTreeMap<String, Reply> {
    let mut replies = BTreeMap::new();
    for (_, entry) in document.entries("RefreshToken") {
        let secret = text_of(entry, "secret");
        let owner = accounts.iter().find(|account| account.home_account_id == text_of(entry, "home_account_id"));
        if let Some(owner) = owner.filter(|_| !secret.is_empty()) {
            for secret in [secret.to_owned(), format!("{secret}-next"), format!("{secret}-next-next")] {
                let reply = replies::reply(random, owner, &secret, odd);
                replies.insert(secret, reply);
            }
        }
    }
    replies
}
