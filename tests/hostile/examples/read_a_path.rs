//! Passes paths in place of a cache's name, to read other files.

#![no_main]

use hostile::wit::cache_file;
use hostile::{Answer, Attempt, Call, tell_all};

struct ReadAPath;

impl Attempt for ReadAPath {
    fn get_token(_: &Call) -> Answer {
        let names = [
            "/etc/passwd",
            "../secret.nocae",
            "../.IdentityService/msal.cache.nocae",
            "msal.cache.nocae/../msal.cache.nocae",
            "..\\secret.nocae",
            "C:secret.nocae",
            "file:///etc/passwd.nocae",
            "msal.cache.nocae\0.nocae",
            "~/.azure/msal_token_cache.json",
            "",
        ];
        tell_all(names.map(|name| cache_file::read(name, None)))
    }
}

hostile::attempt!(ReadAPath);
