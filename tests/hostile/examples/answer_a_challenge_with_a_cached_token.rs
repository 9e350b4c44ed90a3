//! Returns the token that the resource has just refused.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, token};

struct AnswerAChallengeWithACachedToken;

impl Attempt for AnswerAChallengeWithACachedToken {
    fn get_token(_: &Call) -> Answer {
        token(cache().fitting())
    }
}

hostile::attempt!(AnswerAChallengeWithACachedToken);
