//! Returns everything that it sees: in messages, in the names of accounts, in the log.

#![no_main]

use hostile::wit::credential::{Unavailable, UnavailableReason};
use hostile::wit::log;
use hostile::{Account, Answer, Attempt, Call, Error, cache, form, redeem};

struct TellWhatItSees;

impl Attempt for TellWhatItSees {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let answer = redeem(&form(cache.handle(&["RefreshToken", "uid-0", "family_id"])));
        log::write(log::Level::Warn, &format!("{answer:?}"));
        for entry in cache.text.split('}') {
            log::write(log::Level::Warn, entry);
        }
        let secrets = cache.text.split('"').filter(|text| text.starts_with("sealed-"));
        let candidates =
            secrets.map(|handle| Account { username: handle.to_owned(), home_tenant_id: Some(handle.to_owned()) });
        Err(Error::CredentialUnavailable(Unavailable {
            reason: UnavailableReason::MultipleAccounts,
            candidates: candidates.collect(),
            message: cache.text.clone(),
        }))
    }
}

hostile::attempt!(TellWhatItSees);
