//! Returns accounts without end, for the caller to print.

#![no_main]

use hostile::wit::credential::{Unavailable, UnavailableReason};
use hostile::{Account, Answer, Attempt, Call, Error};

struct ReturnManyCandidates;

impl Attempt for ReturnManyCandidates {
    fn get_token(_: &Call) -> Answer {
        let candidate = Account { username: "x".repeat(1_000), home_tenant_id: None };
        Err(Error::CredentialUnavailable(Unavailable {
            reason: UnavailableReason::MultipleAccounts,
            message: String::new(),
            candidates: vec![candidate; 100_000],
        }))
    }
}

hostile::attempt!(ReturnManyCandidates);
