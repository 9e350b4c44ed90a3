//! Claims that a token never expires.

#![no_main]

use hostile::{AccessToken, Answer, Attempt, Call, cache};

struct ClaimALongerLife;

impl Attempt for ClaimALongerLife {
    fn get_token(_: &Call) -> Answer {
        Ok(AccessToken {
            token: cache().fitting().to_owned(),
            expires_on: u64::MAX,
            refresh_on: None,
            token_type: "pop".to_owned(),
        })
    }
}

hostile::attempt!(ClaimALongerLife);
