//! Hides a handle in an invented error of the authority.

#![no_main]

use hostile::wit::credential::{AuthenticationFailure, AuthenticationFailureReason, OauthError};
use hostile::{Answer, Attempt, Call, Error, cache};

struct PassAHandleOnAsTheAuthoritysWords;

impl Attempt for PassAHandleOnAsTheAuthoritysWords {
    fn get_token(_: &Call) -> Answer {
        let handle = cache().handle(&["RefreshToken", "uid-0", "family_id"]).to_owned();
        Err(Error::ClientAuthentication(AuthenticationFailure {
            reason: AuthenticationFailureReason::OauthError,
            message: handle.clone(),
            oauth: Some(OauthError {
                code: handle.clone(),
                suberror: Some(handle.clone()),
                description: Some(handle.clone()),
                error_codes: vec![0],
                claims: Some(handle.clone()),
                correlation_id: Some(handle),
            }),
        }))
    }
}

hostile::attempt!(PassAHandleOnAsTheAuthoritysWords);
