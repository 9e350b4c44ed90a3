//! A thousand tasks at once.

use std::time::{Duration, Instant};

use serde_json::json;
use shared_token_cache::SharedTokenCacheCredential;
use shared_token_cache_tests::home::Home;
use token_endpoint::{Reply, TokenEndpoint};
use tokio::runtime::Builder;

use crate::Outcome;
use crate::caches::{SCOPE, scope, with_access_tokens};
use crate::report::{Report, median_and_p99};

const TASKS: usize = 1_000;
const REQUESTS: usize = 100;
/// Each task asks so many times, one after the other.
const CALLS: usize = 100;

pub(crate) fn measure(report: &mut Report) -> Outcome {
    let cores = std::thread::available_parallelism()?.get();
    for workers in [1, cores] {
        cached(workers, report)?;
    }
    expired(cores, report)
}

fn cached(workers: usize, report: &mut Report) -> Outcome {
    let home = Home::signed_in(0)?;
    home.write(&with_access_tokens(1, REQUESTS))?;
    std::thread::sleep(Duration::from_millis(20));
    let credential = home.builder().build()?;
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    runtime.block_on(async {
        for number in 0..REQUESTS {
            credential.get_token(&[scope(number)]).await?;
        }
        Outcome::Ok(())
    })?;
    let started = Instant::now();
    let times = runtime.block_on(async {
        let tasks: Vec<_> =
            (0..TASKS).map(|task| tokio::spawn(ask(credential.clone(), scope(task % REQUESTS)))).collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await??);
        }
        Outcome::Ok(times)
    })?;
    let calls = f64::from(u32::try_from(times.len())?) / started.elapsed().as_secs_f64();
    let what = format!("{TASKS} tasks, {REQUESTS} requests, all cached, {workers} threads");
    report.add(format!("{what}: calls a second"), calls, "")?;
    report.micros(format!("{what}: p99"), median_and_p99(times).1)
}

async fn ask(
    credential: SharedTokenCacheCredential,
    scope: String,
) -> Result<Vec<Duration>, shared_token_cache::Error> {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        credential.get_token(&[&scope]).await?;
        times.push(started.elapsed());
        tokio::task::yield_now().await;
    }
    Ok(times)
}

fn expired(workers: usize, report: &mut Report) -> Outcome {
    let home = Home::signed_in(1)?;
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    let token = json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": "at-1", "foci": "1" });
    let endpoint = runtime.block_on(TokenEndpoint::start(move |_| Reply::json(200, token.clone())))?;
    let credential = home.credential(&endpoint)?.build()?;
    let started = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let credential = credential.clone();
                tokio::spawn(async move { credential.get_token(&[SCOPE]).await.map(drop) })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        Outcome::Ok(())
    })?;
    let posts = u32::try_from(endpoint.requests().len())?;
    report.millis(format!("{TASKS} tasks, one expired token: all have it"), started.elapsed())?;
    report.add(format!("{TASKS} tasks, one expired token: requests"), posts.into(), "")
}
