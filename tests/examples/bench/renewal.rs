//! A new token: the exchange with the endpoint, and writing it into the cache.

use std::time::{Duration, Instant};

use serde_json::json;
use shared_token_cache_tests::home::{Home, document};
use token_endpoint::{Reply, TokenEndpoint};
use tokio::runtime::Builder;

use crate::Outcome;
use crate::caches::{scope, with_access_tokens};
use crate::report::{Report, median_and_p99};

const CALLS: usize = 50;

/// With so many accounts the cache has 5.6 MB.
const ACCOUNTS: usize = 1_400;

/// Adds the rows of calls that renew a token over a connection that is open, each for a scope of its own.
pub(crate) fn measure(report: &mut Report) -> Outcome {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let token = json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": "a".repeat(2_000), "foci": "1" });
    for (cache, what) in
        [(document(1).to_string(), "a cache of 1 account"), (with_access_tokens(ACCOUNTS, 1), "a cache of 5.6 MB")]
    {
        let home = Home::signed_in(0)?;
        home.write(&cache)?;
        std::thread::sleep(Duration::from_millis(20));
        let token = token.clone();
        let endpoint = runtime.block_on(TokenEndpoint::start(move |_| Reply::json(200, token.clone())))?;
        let credential = home.credential(&endpoint)?.username("user0@contoso.com").build()?;
        let mut times = Vec::new();
        for number in 1..=CALLS {
            let scope = scope(number);
            let started = Instant::now();
            runtime.block_on(credential.get_token(&[scope]))?;
            times.push(started.elapsed());
        }
        report.millis(format!("renewal, {what}, with the endpoint on the same machine"), median_and_p99(times).0)?;
    }
    Ok(())
}
